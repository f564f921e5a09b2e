"""Going on after an older copy of the database was restored on purpose.

A sealer that knows later lines of the audit log than the database has seals nothing: it cannot tell a restore from a
database that somebody took back. Whoever restored it says so on the sealer's machine, where its key is, and the log
gets a line about it that the sealer signs.
"""

from __future__ import annotations

from dataclasses import dataclass

from docproc.domain import SYSTEM
from docproc.errors import ConflictError, InputError, SetupError
from docproc.flow.core.chain_guard import one_at_a_time
from docproc.flow.core.context import Context
from docproc.store.audit import audit, chain, memory, standings
from docproc.store.audit.chain import Head
from docproc.store.audit.memory import Memory
from docproc.store.audit.standings import Standings

RESTORED = "audit.restored"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted."""

    lost_line: int
    """The newest line that this sealer knew, which the database no longer has."""
    line: int
    """The line of the log that says so, from which it goes on."""
    still_listed: tuple[str, ...]
    """Licences whose withdrawal is among the lost lines: they stay on the status list; an official withdraws them
    again."""


def accept_restore(ctx: Context, reason: str) -> Accepted:
    """Have this sealer go on from the log as it is in the database now.

    Raises:
        InputError: no reason is given.
        SetupError: the sealer's key is not here.
        ConflictError: the log lost nothing, or it is not whole: that is no restore.
    """
    keys = ctx.keys
    if not reason.strip():
        raise InputError("say why: --reason TEXT")
    if keys.own is None or keys.folder is None or keys.own.role != "sealer":
        raise SetupError("run this on the sealer's machine, as its user: the sealer's key signs what is accepted")
    with one_at_a_time(keys.folder, "sealer"):
        known, before = memory.load(keys.folder, "sealer"), standings.load(keys.folder, "sealer")
        told = Standings()
        with ctx.database.read() as session:
            lost = chain.missing(session, known.head) if known.head is not None else None
            found = chain.walk(session, keys.known, each=told.note)
            told.look_up(session, keys.known)
        if known.head is None or lost is None:
            raise ConflictError("the audit log has every line that this sealer knows: there is nothing to accept")
        if not found.ok:
            raise ConflictError(f"the audit log is not whole, so this is no restore: {found.problems[0]}")
        line = _write(ctx, known.head, found.head, reason.strip())
        kept = sorted(before.licences.keys() - told.licences.keys())
        told.licences |= {number: before.licences[number] for number in kept}
        told.superseded |= before.superseded
        told.changed = True
        standings.save(keys.folder, "sealer", told)
        memory.save(keys.folder, "sealer", Memory(line, known.keyed))
    return Accepted(known.head.line, line.line, tuple(kept))


def _write(ctx: Context, lost: Head, there: Head, reason: str) -> Head:
    with ctx.database.write() as session:
        lost_line = {"line": lost.line, "head": lost.sha256}
        row = audit.append(session, ctx.clock(), SYSTEM, RESTORED, "audit", lost=lost_line, reason=reason)
        if row.previous != there.sha256:
            raise ConflictError("lines were added meanwhile: stop the other processes and try again")
        return Head(row.seq, row.sha256, True)
