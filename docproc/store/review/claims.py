"""Queries on who works on which application; nothing is committed here."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import ConflictError
from docproc.store.tables.review import ClaimRow


class ClaimedError(ConflictError):
    """Somebody else works on the application."""

    code = "claimed"

    def __init__(self, number: str, by: str) -> None:
        """Say who has claimed it."""
        super().__init__(f"{number} is being worked on by {by}", message_zh=f"{by} 正在办理这个办件，请先办理其他办件")
        self.by = by


def take(session: Session, number: str, by: str, at: datetime, until: datetime, desk: str = "") -> ClaimRow:
    """Claim an application at a desk, or extend the claim; the application must be locked.

    Raises:
        ClaimedError: somebody else has it.
    """
    check_free(session, number, by, at, desk)
    row = session.get(ClaimRow, (number, desk))
    if row is None:
        row = ClaimRow(application=number, desk=desk, by=by, at=at, until=until)
        session.add(row)
    elif row.by != by:
        row.by, row.at = by, at
    row.until = until
    session.flush()
    return row


def check_free(session: Session, number: str, by: str, at: datetime, desk: str = "") -> None:
    """Refuse if somebody else works on it at this desk.

    Raises:
        ClaimedError: somebody else does.
    """
    row = session.get(ClaimRow, (number, desk))
    if row is not None and row.until > at and row.by != by:
        raise ClaimedError(number, row.by)


def drop(session: Session, number: str, by: str | None = None, *, desk: str | None = None) -> None:
    """Release an application, at every desk or at one; with ``by``, only if that person has claimed it."""
    query = sa.delete(ClaimRow).where(ClaimRow.application == number)
    if desk is not None:
        query = query.where(ClaimRow.desk == desk)
    session.execute(query if by is None else query.where(ClaimRow.by == by))


def holds(session: Session, number: str, by: str, at: datetime) -> bool:
    """Whether somebody works on an application at any desk."""
    query = sa.select(ClaimRow.application).where(
        ClaimRow.application == number, ClaimRow.by == by, ClaimRow.until > at
    )
    return session.scalar(query.limit(1)) is not None


def living(session: Session, at: datetime) -> dict[tuple[str, str], str]:
    """Current claims: sign-in name by application and desk."""
    query = sa.select(ClaimRow.application, ClaimRow.desk, ClaimRow.by).where(ClaimRow.until > at)
    return {(number, desk): by for number, desk, by in session.execute(query)}
