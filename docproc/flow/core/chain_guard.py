"""Before a sealer seals or signs, it checks the lines of the audit log that were added since it last looked.

What it remembers lies beside its key and not in the database: whoever writes the database can neither have it believe
other lines nor take it back to an older copy.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docproc.errors import SealUnavailableError
from docproc.flow.core.context import Context
from docproc.private_file import FILE_MODE
from docproc.process_keys import ProcessKeys
from docproc.store.audit import chain, memory, standings
from docproc.store.audit.chain import START, Head, Walk
from docproc.store.audit.memory import Memory
from docproc.store.audit.standings import Standings

log = logging.getLogger(__name__)

PORTION = 20_000
"""Lines that are checked before it is noted how far: a first look at a long log that is cut short goes on there."""
NOT_WHOLE = "审计日志校验未通过，暂停签章；请系统管理员运行 docproc audit verify 查明原因"
GONE_BACK = "if an older copy was restored on purpose, run `docproc audit accept-restore` on this machine"


class BrokenLogError(SealUnavailableError):
    """The audit log does not hold; nothing is sealed or signed until it does."""

    code = "audit_broken"
    message_zh = NOT_WHOLE


@dataclass(frozen=True, slots=True)
class Checked:
    """The log as this process knows it."""

    head: Head
    """Its newest line."""
    standings: Standings


def check_log(ctx: Context) -> Checked:
    """Check the lines that were added since the last time, and remember how far.

    Raises:
        BrokenLogError: the log is not whole, lost lines, or is not signed; `docproc audit verify` says more.
    """
    keys = ctx.keys
    if keys.own is None or keys.folder is None:
        raise BrokenLogError("this process has no key: run `docproc process-key make sealer` (DOCPROC_PROCESS_KEYS)")
    folder, role = keys.folder, keys.own.role
    with one_at_a_time(folder, role):
        known, told = memory.load(folder, role), standings.load(folder, role)
        head = known.head or START
        while True:
            found = _portion(ctx, keys, head, told)
            if found.head == head:
                break
            standings.save(folder, role, told)  # first: a line that is noted twice is the same
            head = found.head
            memory.save(folder, role, Memory(head, known.keyed))
            if head.line % PORTION == 0:
                log.info("the audit log is checked up to line %s", head.line)
    if not head.signed:
        raise BrokenLogError("the audit log is not signed yet: start the web process of this version first")
    return Checked(head, told)


@contextmanager
def one_at_a_time(folder: Path, role: str) -> Iterator[None]:
    """Keep other threads and processes of this role from what is remembered."""
    with os.fdopen(os.open(folder / f".{role}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _portion(ctx: Context, keys: ProcessKeys, head: Head, told: Standings) -> Walk:
    with ctx.database.read() as session:
        if (problem := chain.missing(session, head)) is not None:
            raise BrokenLogError(f"{problem}; {GONE_BACK}")
        most = PORTION - head.line % PORTION
        found = chain.walk(session, keys.known, head, most=most, each=told.note)
        if not found.ok:
            raise BrokenLogError(f"{found.problems[0]}: run `docproc audit verify`")
        told.look_up(session, keys.known)
    return found
