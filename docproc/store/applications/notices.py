"""Queries on sealed notices; nothing is committed here."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.tables.applications import UNSEALED, NoticeRow

OPEN = ("queued", "waiting")
"""States in which a job has yet to seal it."""


def count(session: Session, application: str) -> int:
    """Number of notices that an application has had so far."""
    query = sa.select(sa.func.count()).where(NoticeRow.application == application)
    return session.scalar(query) or 0


def find(session: Session, decision: str, *, lock: bool = False) -> NoticeRow:
    """The notice of a decision.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(NoticeRow, decision, with_for_update=lock)
    if row is None:
        raise NotFoundError(f"no notice of decision {decision!r}", message_zh="没有这份告知书")
    return row


def newest(session: Session, application: str, *, lock: bool = False) -> NoticeRow | None:
    """The newest notice of an application."""
    query = sa.select(NoticeRow).where(NoticeRow.application == application).order_by(NoticeRow.created_at.desc())
    return session.scalars(query.limit(1).with_for_update() if lock else query.limit(1)).first()


def by_sha256(session: Session, digest: str) -> NoticeRow | None:
    """The notice whose sealed file has this hash."""
    return session.scalars(sa.select(NoticeRow).where(NoticeRow.sha256 == digest, NoticeRow.state == "sealed")).first()


def by_number(session: Session, number: str) -> NoticeRow | None:
    """The sealed notice with this number."""
    query = sa.select(NoticeRow).where(NoticeRow.number == number, NoticeRow.state == "sealed")
    return session.scalars(query).first()


def unsealed(session: Session) -> Sequence[NoticeRow]:
    """Notices waiting to be sealed."""
    return session.scalars(sa.select(NoticeRow).where(UNSEALED)).all()


def take_away(session: Session, application: str) -> set[str]:
    """Erase the contents of an application's notices; returns the keys of their files."""
    rows = session.scalars(sa.select(NoticeRow).where(NoticeRow.application == application)).all()
    for row in rows:
        row.body, row.state, row.note = {}, "erased", ""
    session.flush()
    return {row.sha256 for row in rows if row.sha256 is not None}
