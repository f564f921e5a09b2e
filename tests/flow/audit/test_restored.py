"""After an older copy of the database was restored on purpose, the sealer goes on when it is told so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from docproc.errors import ConflictError, InputError, SetupError
from docproc.flow.audit.restored import accept_restore
from docproc.flow.core.chain_guard import BrokenLogError, check_log
from docproc.flow.core.context import Context, open_context
from docproc.flow.licences.jobs import gather
from docproc.settings import Settings
from docproc.store.audit import audit
from docproc.store.tables.audit import AuditRow
from tests.flow.core.test_chain_guard import AT, add, cut, revoke


@pytest.fixture
def sealer(ctx: Context, settings: Settings) -> Iterator[Context]:
    opened = open_context(settings, role="sealer")
    yield opened
    opened.close()


@pytest.fixture
def taken_back(ctx: Context, sealer: Context) -> Context:
    """A sealer that knows two lines more than the database: among them is a revocation."""
    add(ctx, "li", "did", "a")
    revoke(ctx, "L-1")
    add(ctx, "li", "did", "b")
    revoke(ctx, "L-2")
    check_log(sealer)
    cut(ctx, 3)
    with pytest.raises(BrokenLogError, match="accept-restore"):
        check_log(sealer)
    return sealer


def test_a_restore_that_is_accepted_is_in_the_log_and_withdrawals_that_it_lost_stay_listed(taken_back: Context) -> None:
    done = accept_restore(taken_back, "disk of the server died")
    assert (done.lost_line, done.line, done.still_listed) == (4, 4, ("L-2",))
    told = gather(taken_back, 1, AT)
    assert sorted(told.standings) == ["L-1", "L-2"]
    with taken_back.database.read() as session:
        line = audit.lines(session, after=3)[0]
    assert (line.action, line.actor, line.detail["reason"]) == ("audit.restored", "system", "disk of the server died")
    assert line.detail["lost"]["line"] == 4 and line.signature.startswith("sealer-")
    add(taken_back, "system", "licence.issued", "L-3", sha256="a" * 64)
    assert check_log(taken_back).head.line == 5


def test_only_the_sealers_key_accepts_a_restore_and_a_reason_is_needed(ctx: Context, taken_back: Context) -> None:
    with pytest.raises(SetupError, match="sealer's machine"):
        accept_restore(ctx, "because")
    with pytest.raises(InputError, match="--reason"):
        accept_restore(taken_back, " ")


def test_a_log_that_lost_nothing_or_is_not_whole_is_not_accepted(ctx: Context, sealer: Context) -> None:
    for name in "abc":
        add(ctx, "li", "did", name)
    check_log(sealer)
    with pytest.raises(ConflictError, match="nothing to accept"):
        accept_restore(sealer, "because")
    cut(ctx, 2)
    with ctx.database.write() as session:
        session.execute(sa.update(AuditRow).where(AuditRow.seq == 1).values(actor="wang"))
    with pytest.raises(ConflictError, match="not whole"):
        accept_restore(sealer, "because")
