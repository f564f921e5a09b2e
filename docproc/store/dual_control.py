"""Queries that all changes by two persons have in common; nothing is committed here."""

from __future__ import annotations

from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.signatures import is_signed
from docproc.store.tables.base import ProposedChange

Row = TypeVar("Row", bound=ProposedChange)


def find_change(
    session: Session, table: type[Row], change_id: str, of: str, *, message_zh: str, lock: bool = False
) -> Row:
    """A change by its id; ``of`` says in the error what it would change.

    Raises:
        NotFoundError: no such change.
    """
    row = session.get(table, change_id, with_for_update=lock)
    if row is None:
        raise NotFoundError(f"no change {change_id!r} of {of}", message_zh=message_zh)
    return row


def is_made_by_two(session: Session, row: ProposedChange) -> bool:
    """Whether a change bears the signatures of its proposal and of its closing."""
    return is_signed(session, row) and is_signed(session, row, part="closing_signed")


def newest_changes(session: Session, table: type[Row], limit: int = 30) -> list[Row]:
    """Pending changes first, then the others, newest first."""
    waits = sa.case((table.state == "open", 0), else_=1)
    return list(session.scalars(sa.select(table).order_by(waits, table.proposed_at.desc()).limit(limit)))
