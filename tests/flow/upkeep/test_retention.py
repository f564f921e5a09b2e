"""Deletion by the matter's rules: what is due goes, licences and what is held stay, and the proof still holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from docproc.errors import AccessError, NotFoundError
from docproc.flow.applications.applications import page_file, view_application, withdraw
from docproc.flow.audit.log import audit_lines
from docproc.flow.audit.proof import prove
from docproc.flow.core.context import Context, utc_now
from docproc.flow.licences.licences import licence_by_number, licence_file
from docproc.flow.review.decisions import decide, release
from docproc.flow.upkeep import retention
from docproc.store.tables.applications import ApplicationRow, PageRow
from docproc.store.tables.audit import AuditRow
from tests.cases import TRADER, pages
from tests.flow.people import (
    ADMIN,
    APPROVER,
    AUDITOR,
    KIOSK,
    REVIEWER,
    SEALER,
    Workers,
    hand_in,
    seen,
    submitted,
    trader_papers,
    until,
)
from tests.flow.small_stages import paper


@pytest.fixture
def running(ctx: Context, workers: Workers) -> Context:
    workers.start("w1")
    return ctx


def later(ctx: Context, days: int) -> Context:
    return replace(ctx, clock=lambda: utc_now() + timedelta(days=days))


def blobs_of(ctx: Context, number: str) -> set[str]:
    with ctx.database.read() as session:
        return set(session.scalars(sa.select(PageRow.sha256).where(PageRow.application == number)))


def own_papers(mark: str) -> list[bytes]:
    """Papers that no other application has byte for byte."""
    return [paper([reading], mark=mark) for reading in pages("sole_trader", TRADER)]


def due(ctx: Context) -> dict[str, list[str]]:
    return dict(retention.report(ctx, ADMIN).due["sole_trader"])


def issued(ctx: Context) -> dict[str, Any]:
    view = submitted(ctx, papers=own_papers("issued"))
    approved = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], approved["version"])
    return dict(until(lambda: (v := view_application(ctx, REVIEWER, view["number"]))["licence"] and v))


def test_a_draft_goes_after_its_days_and_the_log_proves_it(running: Context) -> None:
    old, fresh = hand_in(running, papers=own_papers("old")), hand_in(running, papers=own_papers("fresh"))
    until(lambda: all(view_application(running, KIOSK, n)["checked"] for n in (old, fresh)))
    keys = blobs_of(running, old)
    assert due(later(running, 29))["draft"] == []
    with running.database.write() as session:
        session.get_one(ApplicationRow, fresh).updated_at = utc_now() + timedelta(days=10)
    soon = later(running, 31)
    assert due(soon)["draft"] == [old] and all(map(running.blobs.exists, keys)), "a report changes nothing"
    swept = retention.sweep(soon, ADMIN)
    assert (swept.applications, swept.files, swept.waiting) == (1, len(keys), 0)
    assert not any(map(running.blobs.exists, keys)) and all(map(running.blobs.exists, blobs_of(running, fresh)))
    left = view_application(running, KIOSK, old)
    assert left["status"] == "withdrawn" and left["findings"] == []
    assert {(p["filename"], len(p["readings"])) for p in left["pages"]} == {("", 0)}
    with pytest.raises(NotFoundError):
        page_file(running, REVIEWER, old, left["pages"][0]["id"])
    line = audit_lines(running, AUDITOR, subject=old)[-1]
    assert line["action"] == "application.erased" and line["actor"] == "admin-1"
    assert sorted(line["detail"]["pages"]) == sorted(p["id"] for p in left["pages"])
    assert "样例" not in str({**line["detail"], "basis": ""}), "the log holds no content"
    assert prove(running, None).problems == []
    assert retention.sweep(soon).applications == 0, "a second sweep finds nothing"


def test_an_issued_licence_outlives_what_it_was_made_from(running: Context) -> None:
    done = issued(running)
    number, licence = done["number"], done["licence"]
    assert retention.sweep(later(running, 3650 - 1)).applications == 0
    assert retention.sweep(later(running, 3651)).applications == 1
    assert all(map(running.blobs.exists, blobs_of(running, number))), "originals stay longer"
    proof = prove(running, None)
    assert proof.problems == [] and proof.erased == 1
    assert retention.sweep(later(running, 30 * 365 + 1)).files >= 1
    assert not any(map(running.blobs.exists, blobs_of(running, number)))
    assert licence_by_number(running, licence)["status"] == "valid"
    assert licence_file(running, REVIEWER, licence)
    assert prove(running, None).problems == []


def test_refused_and_withdrawn_ones_go_and_open_ones_never(running: Context) -> None:
    waiting = submitted(running, papers=own_papers("waiting"))["number"]
    rejected = submitted(running, papers=own_papers("rejected"))
    decide(running, APPROVER, rejected["number"], "reject", seen(rejected), reason="不符合条件", basis="条例第一条")
    taken = submitted(running, papers=own_papers("taken"))["number"]
    withdraw(running, KIOSK, taken)
    assert due(later(running, 3 * 365 - 1))["refused"] == []
    far = later(running, 50 * 365)
    assert sorted(due(far)["refused"]) == sorted([rejected["number"], taken])
    retention.sweep(far)
    assert view_application(running, REVIEWER, waiting)["pages"][0]["readings"] != []
    assert prove(running, None).problems == []


def test_the_same_bytes_elsewhere_stay_and_those_handed_in_again_come_back(running: Context) -> None:
    same = trader_papers()
    old = hand_in(running, papers=same)
    until(lambda: view_application(running, KIOSK, old)["checked"])
    other = submitted(running, papers=same)["number"]
    soon = later(running, 31)
    retention.sweep(soon)
    assert all(map(running.blobs.exists, blobs_of(running, other))), "another application has the same files"
    only = hand_in(running, papers=own_papers("again"))
    until(lambda: view_application(running, KIOSK, only)["checked"])
    retention.sweep(later(running, 70))
    again = hand_in(running, papers=own_papers("again"))
    assert all(map(running.blobs.exists, blobs_of(running, again)))
    until(lambda: view_application(running, KIOSK, again)["checked"])
    assert prove(running, None).problems == []


def test_what_the_store_still_holds_waits_and_goes_later(running: Context) -> None:
    old = hand_in(running, papers=own_papers("held"))
    until(lambda: view_application(running, KIOSK, old)["checked"])

    class Held:
        """A store under retention in front of the real one."""

        def __getattr__(self, name: str) -> Any:
            return getattr(running.blobs, name)

        def delete(self, key: str) -> bool:
            return False

    soon = later(running, 31)
    swept = retention.sweep(replace(soon, blobs=Held()))  # type: ignore[arg-type]
    assert swept.files == 0 and swept.waiting > 0 and prove(running, None).problems == []
    assert retention.sweep(soon).waiting == 0 and not any(map(running.blobs.exists, blobs_of(running, old)))


def test_an_erasure_that_is_not_logged_or_not_done_is_found(running: Context) -> None:
    old = hand_in(running, papers=own_papers("forged"))
    until(lambda: view_application(running, KIOSK, old)["checked"])
    retention.sweep(later(running, 31))
    with running.database.write() as session:
        line = session.scalars(sa.select(AuditRow).where(AuditRow.action == "application.erased")).one()
        detail = dict(line.detail)
        line.detail = {**detail, "pages": detail["pages"][1:]}
    assert any("which the log does not know" in problem for problem in prove(running, None).problems)
    with running.database.write() as session:
        session.scalars(sa.select(AuditRow).where(AuditRow.action == "application.erased")).one().detail = detail
    running.blobs.put(own_papers("forged")[0])
    assert any("is still there" in problem for problem in prove(running, None).problems)


def test_only_an_administrator_erases(ctx: Context) -> None:
    for who in (AUDITOR, APPROVER):
        with pytest.raises(AccessError):
            retention.sweep(ctx, who)
