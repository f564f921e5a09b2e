"""Adding a line to the audit log: its place after the line that this process knows, and its signature."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.domain import SYSTEM
from docproc.errors import AuditError, SetupError
from docproc.process_keys import ProcessKeys
from docproc.store.audit import chain, memory
from docproc.store.audit.chain import KEYED, START, Head
from docproc.store.db import keys_of, memory_of
from docproc.store.running_numbers import next_value
from docproc.store.tables.audit import AuditRow

log = logging.getLogger(__name__)

_WRITTEN, _PENDING = "audit.written", "audit.pending"
VERIFY = "run `docproc audit verify`"


def add_line(session: Session, at: datetime, actor: str, action: str, subject: str, detail: JsonObject) -> AuditRow:
    """Add a line; the chain stays locked until the transaction ends.

    Raises:
        AuditError: the log lost lines that it had, or its signed part, or is not signed yet.
        SetupError: this process has no key, though the log is signed.
    """
    before = _next_to(session)
    keys = keys_of(session)
    if keys.own is None and before.signed:
        remedy = "run this where a key of ours lies (DOCPROC_PROCESS_KEYS)"
        raise SetupError(f"the audit log is signed and this process has no key: {remedy}")
    if keys.own is not None and before.line and not before.signed:
        _begin(session, at, before, keys)
        before = _next_to(session)
    return _write(session, at, actor, action, subject, detail, before, keys)


def begin_signing(session: Session, at: datetime) -> None:
    """Begin the signed part of a log that the version before wrote; nothing to do on one that is signed or empty.

    Raises:
        AuditError: this process began it before, and the log lost that.
    """
    last = session.scalars(sa.select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one_or_none()
    keys = keys_of(session)
    if last is not None and not last.signature and keys.own is not None:
        _begin(session, at, _next_to(session), keys)


def _next_to(session: Session) -> Head:
    """The line after which the next one comes, once the chain is locked.

    Raises:
        AuditError: it is not there, or a line that this process wrote is not.
    """
    seq = next_value(session, "audit")  # the counter's row lock keeps writers in one line
    before = START if seq == 1 else _line(session, seq - 1)
    written = session.info.get(_PENDING) or memory_of(session).get(_WRITTEN)
    if isinstance(written, Head) and written != before:
        lost = f"the log ends at line {seq - 1}" if written.line >= seq else chain.missing(session, written)
        if lost is not None:
            raise AuditError(f"the audit log lost line {written.line}, which this process wrote: {lost}; {VERIFY}")
    return before


def _line(session: Session, seq: int) -> Head:
    query = sa.select(AuditRow.sha256, AuditRow.signature).where(AuditRow.seq == seq)
    found = session.execute(query).one_or_none()
    if found is None:
        raise AuditError(f"the audit log has no line {seq}, after which the next one comes: {VERIFY}")
    return Head(seq, found[0], bool(found[1]))


def _begin(session: Session, at: datetime, before: Head, keys: ProcessKeys) -> AuditRow:
    """Write the line that begins the signed part; a web process does so, once."""
    if keys.own is None or keys.own.role != "web":
        raise AuditError("the audit log is not signed yet: start the web process of this version first")
    known = memory.load(keys.folder, "web") if keys.folder is not None else memory.Memory()
    if known.keyed is not None:
        lost = f"the signed part of the audit log, from line {known.keyed.line} on, is gone"
        raise AuditError(f"{lost}: the database is an older copy, or the log was written anew: {VERIFY}")
    detail = {"line": before.line, "head": before.sha256, "key": keys.own.id}
    row = _write(session, at, SYSTEM, KEYED, "audit", detail, before, keys)
    _after_commit(session, lambda: _remember_keyed(keys, _head(row)))
    return row


def _write(
    session: Session,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    detail: JsonObject,
    before: Head,
    keys: ProcessKeys,
) -> AuditRow:
    row = AuditRow(
        seq=before.line + 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        detail=detail,
        previous=before.sha256,
        sha256="",
        signature="",
    )
    row.sha256 = chain.line_hash(row)
    if keys.own is not None:
        if not chain.may_sign(keys.own.role, actor, action):
            raise SetupError(f"{action!r} by {actor!r} is for a web process to write, and this is a {keys.own.role}")
        row.signature = chain.sign_line(keys.own, row.sha256)
    session.add(row)
    session.flush()
    if _PENDING not in session.info:
        _after_commit(session, lambda: _remember_written(session))
    session.info[_PENDING] = _head(row)
    return row


def _head(row: AuditRow) -> Head:
    return Head(row.seq, row.sha256, bool(row.signature))


def _remember_written(session: Session) -> None:
    """What was committed must be there from now on."""
    memory_of(session)[_WRITTEN] = session.info.pop(_PENDING)


def _remember_keyed(keys: ProcessKeys, head: Head) -> None:
    if keys.folder is None:
        return
    try:
        memory.save(keys.folder, "web", memory.Memory(keyed=head))
    except SetupError as error:
        log.error("the line that begins the signed audit log is not remembered: %s", error)


def _after_commit(session: Session, act: Callable[[], None]) -> None:
    """Do something once the transaction is committed."""
    event.listen(session, "after_commit", lambda _: act(), once=True)
