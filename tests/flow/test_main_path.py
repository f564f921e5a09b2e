"""From the first file to the registered licence, and what must not pass."""

from __future__ import annotations

from docproc.flow.context import Context
from docproc.flow.service import decide, licence_by_number, licence_file, release, view_application
from tests.flow.people import AUDITOR, KIOSK, REVIEWER, SEALER, Workers, seen, submitted, until


def test_papers_become_one_registered_licence(ctx: Context, workers: Workers) -> None:
    workers.start("w1")
    view = submitted(ctx)
    assert view["verdict"] == "pass", view["findings"]
    approved = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
    assert approved["seal"]["state"] == "awaiting_release"
    release(ctx, SEALER, view["number"], approved["version"])
    done = until(lambda: (v := view_application(ctx, KIOSK, view["number"]))["status"] == "issued" and v)
    licence = licence_by_number(ctx, done["licence"])
    assert licence["status"] == "valid"
    data, name = licence_file(ctx, AUDITOR, done["licence"])
    assert data.startswith(b"%PDF-") and name == f"{done['licence']}.pdf"
    assert workers.stop("w1") == 0
