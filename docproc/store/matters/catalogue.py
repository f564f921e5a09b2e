"""Queries on matter files that an office has put into force; nothing is committed here."""

from __future__ import annotations

import secrets
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store import dual_control
from docproc.store.tables.matters import CatalogueChangeRow


def add_change(
    session: Session, files: dict[str, str], bases: dict[str, str], starts_on: date, reason: str, by: str, at: datetime
) -> CatalogueChangeRow:
    """Insert a change that another person must confirm."""
    row = CatalogueChangeRow(
        id=secrets.token_hex(6),
        files=files,
        bases=bases,
        starts_on=starts_on,
        reason=reason,
        state="open",
        proposed_by=by,
        proposed_at=at,
    )
    session.add(row)
    session.flush()
    return row


def find_change(session: Session, change_id: str, *, lock: bool = False) -> CatalogueChangeRow:
    """A change by its id.

    Raises:
        NotFoundError: no such change.
    """
    return dual_control.find_change(
        session, CatalogueChangeRow, change_id, "the catalogue", message_zh="没有这项事项变更", lock=lock
    )


def newest_changes(session: Session, limit: int = 30) -> list[CatalogueChangeRow]:
    """Pending changes first, then the others, newest first."""
    return dual_control.newest_changes(session, CatalogueChangeRow, limit)


def confirmed_ids(session: Session, on: date) -> tuple[str, ...]:
    """Ids of all changes in force on a day, in the order in which they are applied."""
    query = sa.select(CatalogueChangeRow.id).where(
        CatalogueChangeRow.state == "confirmed", CatalogueChangeRow.starts_on <= on
    )
    order = (CatalogueChangeRow.starts_on, CatalogueChangeRow.closed_at, CatalogueChangeRow.id)
    return tuple(session.scalars(query.order_by(*order)))


def files_of(session: Session, ids: tuple[str, ...]) -> dict[str, str]:
    """The files of those changes that two persons made, by name; later changes override earlier ones."""
    query = sa.select(CatalogueChangeRow).where(CatalogueChangeRow.id.in_(ids))
    rows = {row.id: row.files for row in session.scalars(query) if dual_control.is_made_by_two(session, row)}
    found: dict[str, str] = {}
    for change_id in ids:
        found.update(rows.get(change_id, {}))
    return found
