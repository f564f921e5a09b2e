"""Nothing is sealed on an audit log that does not hold; the case waits, says why, and goes on once it holds again."""

from __future__ import annotations

import sqlalchemy as sa

from docproc.flow.applications.applications import view_application
from docproc.flow.core.chain_guard import NOT_WHOLE
from docproc.flow.core.context import Context
from docproc.flow.review.decisions import decide, release
from docproc.store.licences import licences
from docproc.store.tables.audit import AuditRow
from tests.flow.people import REVIEWER, SEALER, Workers, seen, submitted, until


def test_a_case_waits_while_the_log_is_broken_and_is_sealed_when_it_holds_again(ctx: Context, workers: Workers) -> None:
    workers.start("w1", "read,check")
    view = submitted(ctx)
    number = view["number"]
    approved = decide(ctx, REVIEWER, number, "approve", seen(view))
    with ctx.database.write() as session:
        line = session.scalars(sa.select(AuditRow).where(AuditRow.action == "application.approved")).one()
        who = line.actor
        session.execute(sa.update(AuditRow).where(AuditRow.seq == line.seq).values(actor="mole"))
    release(ctx, SEALER, number, approved["version"])
    workers.start("w2", "seal")
    until(lambda: view_application(ctx, SEALER, number)["seal"]["state"] == "waiting", 60)
    told = view_application(ctx, SEALER, number)
    assert told["seal"]["note"] == NOT_WHOLE and told["licence"] is None
    with ctx.database.read() as session:
        assert licences.newest_status_list(session) is None, "no list is signed either"
    with ctx.database.write() as session:
        session.execute(sa.update(AuditRow).where(AuditRow.seq == line.seq).values(actor=who))
    assert until(lambda: view_application(ctx, SEALER, number)["licence"], 120)
