"""A sealer that knows the audit log from before believes no database that was changed or taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from docproc.flow.core.chain_guard import BrokenLogError, check_log
from docproc.flow.core.context import Context, open_context
from docproc.flow.licences.jobs import gather
from docproc.settings import Settings
from docproc.store.audit import audit, memory
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.running_numbers import CounterRow

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.fixture
def sealer(ctx: Context, settings: Settings) -> Iterator[Context]:
    """A sealer's process beside the web process ``ctx``."""
    opened = open_context(settings, role="sealer")
    yield opened
    opened.close()


def add(ctx: Context, actor: str, action: str, subject: str, **detail: str) -> None:
    with ctx.database.write() as session:
        audit.append(session, AT, actor, action, subject, **detail)


def revoke(ctx: Context, number: str) -> None:
    add(ctx, "li", "licence.revoked", number, reason="骗取", basis="行政许可法第六十九条")


def cut(ctx: Context, after: int) -> None:
    with ctx.database.write() as session:
        session.execute(sa.delete(AuditRow).where(AuditRow.seq > after))
        session.execute(sa.update(CounterRow).where(CounterRow.name == "audit").values(value=after))


def test_a_sealer_checks_what_is_new_and_remembers_how_far_beside_its_key(ctx: Context, sealer: Context) -> None:
    add(ctx, "li", "did", "a")
    assert check_log(sealer).head.line == 1
    add(sealer, "system", "licence.issued", "L-1", sha256="a" * 64)
    assert check_log(sealer).head.line == 2
    folder = sealer.keys.folder
    assert folder is not None
    kept = memory.load(folder, "sealer")
    assert kept.head is not None and kept.head.line == 2
    assert memory.memory_file(folder, "sealer").stat().st_mode & 0o777 == 0o600


def test_a_forged_line_stops_the_sealer(ctx: Context, sealer: Context) -> None:
    add(ctx, "li", "did", "a")
    check_log(sealer)
    add(ctx, "li", "did", "b")
    with ctx.database.write() as session:
        session.execute(sa.update(AuditRow).where(AuditRow.seq == 2).values(actor="wang"))
    with pytest.raises(BrokenLogError, match="audit verify") as refused:
        check_log(sealer)
    assert "docproc audit verify" in refused.value.message_zh and refused.value.code == "audit_broken"


def test_a_database_taken_back_to_an_older_copy_stops_the_sealer(ctx: Context, sealer: Context) -> None:
    for name in "abcd":
        add(ctx, "li", "did", name)
    check_log(sealer)
    cut(ctx, 2)
    with pytest.raises(BrokenLogError, match="accept-restore"):
        check_log(sealer)
    again = open_context(ctx.settings)  # a web process that was started since goes on: only the sealer knows
    add(again, "li", "did", "other")
    add(again, "li", "did", "lines")
    again.close()
    with pytest.raises(BrokenLogError, match="written anew"):
        check_log(sealer)


def test_a_log_that_is_not_signed_stops_the_sealer(sealer: Context) -> None:
    with pytest.raises(BrokenLogError, match="not signed yet"):
        check_log(sealer)


def test_a_revoked_licence_that_sql_sets_back_stays_on_the_list(ctx: Context, sealer: Context) -> None:
    """Nothing in the database says any more that it was revoked: neither its row, nor an event, nor a line."""
    for number in ("L-1", "L-2", "L-3"):
        revoke(ctx, number)
    add(ctx, "li", "licence.valid", "L-2", reason="复议撤销", basis="行政复议法")
    add(ctx, "li", "licence.suspended", "L-4", reason="核查", basis="办法")
    told = gather(sealer, 1, AT)
    assert {number: item.status for number, item in told.standings.items()} == {
        "L-1": "revoked",
        "L-3": "revoked",
        "L-4": "suspended",
    }
    assert told.standings["L-1"].reason == "骗取" and told.standings["L-1"].since == AT
    assert told.audit is not None and told.audit.line == 5
    with ctx.database.write() as session:
        session.execute(sa.delete(AuditRow).where(AuditRow.seq == 1))
    assert gather(sealer, 2, AT + timedelta(hours=1)).standings["L-1"].status == "revoked"


def test_files_of_former_versions_are_told_from_lines_and_not_from_rows(ctx: Context, sealer: Context) -> None:
    add(sealer, "system", "licence.issued", "L-1", sha256="a" * 64)
    add(sealer, "system", "licence.renewed", "L-1", sha256="b" * 64, former="a" * 64)
    assert gather(sealer, 1, AT).superseded == frozenset()
    add(sealer, "system", "licence.corrected", "L-1", sha256="c" * 64)
    add(sealer, "system", "licence.renewed", "L-1", sha256="d" * 64, former="c" * 64)
    assert gather(sealer, 2, AT).superseded == {"a" * 64, "b" * 64}
    add(sealer, "system", "licence.reissueed", "L-1", sha256="e" * 64)
    assert gather(sealer, 3, AT).superseded == {"a" * 64, "b" * 64, "c" * 64, "d" * 64}
