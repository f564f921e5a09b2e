"""kill -9 at each step of issuing: one licence, one file, one number, issued in the end."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from docproc.flow.applications.applications import view_application
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import licence_file
from docproc.flow.review.decisions import decide, release
from docproc.settings import Settings
from docproc.store.audit import audit
from docproc.store.licences import licences
from tests.flow.people import APPROVER, KIOSK, REVIEWER, SEALER, Workers, seen, submitted, until

POINTS = (
    "allocate:start",
    "allocate:done",
    "seal_and_keep:start",
    "sealing",
    "sealed",
    "seal_and_keep:done",
    "register:start",
    "register:done",
)


def approved(ctx: Context) -> str:
    view = submitted(ctx)
    decided = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], decided["version"])
    return str(view["number"])


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_a_step_of_issuing_loses_and_doubles_nothing(
    ctx: Context, settings: Settings, point: str
) -> None:
    workers = Workers(settings, "tests.flow.dying_stages")
    order = settings.data_dir / "die-at"
    try:
        order.write_text(point)
        workers.start("w1")
        number = approved(ctx)
        until(lambda: workers.is_dead("w1"))
        assert not order.exists(), "it died where it was told to"
        before = view_application(ctx, KIOSK, number)
        assert before["status"] == ("issued" if point == "register:done" else "approved")
        workers.start("w1")
        view = until(lambda: (v := view_application(ctx, KIOSK, number))["licence"] and v)
        assert (view["status"], view["seal"]) == ("issued", {"state": "sealed", "note": ""})
    finally:
        workers.stop_all()
    licence = view["licence"]
    with ctx.database.read() as session:
        assert session.scalar(sa.text("SELECT count(*) FROM licences")) == 1
        files = licences.files_of(session, licence)
        told = [line.action for line in audit.lines(session, subject=licence)]
        assert audit.first_broken(session) is None
    assert [item.reason for item in files] == ["issued"]
    assert sorted(told) == ["licence.issued", "licence.numbered"]
    assert licence.rstrip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == "" and "000001" in licence, licence
    data, _ = licence_file(ctx, APPROVER, licence)
    assert licence.encode() in data
    made = (settings.data_dir / "seals-made").read_text().split()
    assert len(made) == (2 if point in ("sealed", "seal_and_keep:done") else 1), "sealed again only where it was lost"
