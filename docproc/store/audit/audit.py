"""The audit log: who did what and when, each line chained to the one before by its hash and signed by its writer's key.

A line is written in the transaction that it describes. Changing or removing a line breaks the chain from there on
(:func:`docproc.store.audit.chain.walk`). The newest hash stands in each signed status list, so that lines which were
cut off at the end are missed too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.audit.chain import FIRST as FIRST
from docproc.store.audit.chain import walk
from docproc.store.audit.writing import add_line
from docproc.store.db import keys_of
from docproc.store.tables.audit import AuditRow


def append(session: Session, at: datetime, actor: str, action: str, subject: str, **detail: Any) -> AuditRow:
    """Append one line, signed by this process; the chain stays locked until the transaction ends.

    Raises:
        AuditError: the log lost lines that it had, or is not signed yet.
        SetupError: this process has no key for it.
    """
    return add_line(session, at, actor, action, subject, detail)


def first_broken(session: Session) -> int | None:
    """Number of the first line that does not fit the chain, or ``None`` when the chain is intact."""
    return walk(session, keys_of(session).known).broken


def lines(session: Session, *, subject: str | None = None, after: int = 0, limit: int = 100) -> list[AuditRow]:
    """Lines after a number, oldest first."""
    query = sa.select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(limit)
    if subject is not None:
        query = query.where(AuditRow.subject == subject)
    return list(session.scalars(query))


def search(
    session: Session,
    *,
    text: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditRow]:
    """Newest lines of an actor or subject, of actions with a prefix, and of a period; each filter is optional.

    ``text`` is the name of an actor or subject, or the beginning of one where no name equals it.
    """
    query = sa.select(AuditRow).order_by(AuditRow.seq.desc()).limit(limit)
    if text:
        whole = AuditRow.actor == text, AuditRow.subject == text
        # For a prefix, all matching lines must be found before the newest are known; those of one name come in order.
        if any(session.scalar(sa.select(AuditRow.seq).where(is_it).limit(1)) for is_it in whole):
            query = query.where(sa.or_(*whole))
        else:
            begins = (column.startswith(text, autoescape=True) for column in (AuditRow.actor, AuditRow.subject))
            query = query.where(sa.or_(*begins))
    if action:
        query = query.where(AuditRow.action.startswith(action, autoescape=True))
    if since is not None:
        query = query.where(AuditRow.at >= since)
    if until is not None:
        query = query.where(AuditRow.at < until)
    if before is not None:
        query = query.where(AuditRow.seq < before)
    return list(session.scalars(query))


def did(session: Session, actor: str, action: str, subject: str, *, since: datetime) -> bool:
    """Whether an actor did an action to a subject since the given time."""
    query = sa.select(AuditRow.seq).where(
        AuditRow.subject == subject, AuditRow.actor == actor, AuditRow.action == action, AuditRow.at >= since
    )
    return session.scalar(query.limit(1)) is not None


def subjects_of(session: Session, actor: str, action: str, stem: str, *, since: datetime) -> list[str]:
    """Subjects with a prefix to which an actor did an action since the given time."""
    query = sa.select(AuditRow.subject).where(
        AuditRow.subject.startswith(stem, autoescape=True),
        AuditRow.actor == actor,
        AuditRow.action == action,
        AuditRow.at >= since,
    )
    return list(session.scalars(query))


def last(session: Session) -> AuditRow | None:
    """The newest line."""
    return session.scalars(sa.select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one_or_none()


def newest(session: Session, action: str, subject: str) -> AuditRow | None:
    """The newest line of an action on a subject."""
    query = sa.select(AuditRow).where(AuditRow.subject == subject, AuditRow.action == action)
    query = query.order_by(AuditRow.seq.desc()).limit(1)
    return session.scalars(query).one_or_none()


def newest_of(session: Session, actor: str, action: str, subject: str, *, since: datetime) -> AuditRow | None:
    """The newest line of an action that an actor did to a subject since the given time."""
    query = sa.select(AuditRow).where(
        AuditRow.subject == subject, AuditRow.actor == actor, AuditRow.action == action, AuditRow.at >= since
    )
    return session.scalars(query.order_by(AuditRow.seq.desc()).limit(1)).one_or_none()


def of_action(session: Session, action: str) -> list[AuditRow]:
    """All lines of an action, oldest first."""
    return list(session.scalars(sa.select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.seq)))


def hash_of(session: Session, seq: int) -> str | None:
    """Hash of a line; ``None`` if there is no line of this number."""
    return session.scalar(sa.select(AuditRow.sha256).where(AuditRow.seq == seq))


def signers(session: Session) -> list[str]:
    """Ids of the keys that signed lines; reads the whole log."""
    if session.get_bind().dialect.name == "sqlite":
        key = sa.func.substr(AuditRow.signature, 1, sa.func.instr(AuditRow.signature, ".") - 1)
    else:
        key = sa.func.split_part(AuditRow.signature, ".", 1)
    return sorted(session.scalars(sa.select(key).where(AuditRow.signature != "").distinct()))
