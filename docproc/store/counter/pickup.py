"""Queries on the codes by which results are picked up; nothing is committed here."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.tables.counter import PickupRow


def keep_code(session: Session, application: str, hashed: str, at: datetime) -> PickupRow:
    """Keep the hash of a new code, in the place of the former; the application must be locked."""
    row = session.get(PickupRow, application)
    if row is None:
        row = PickupRow(application=application, hash=hashed, made_at=at, times=1)
        session.add(row)
    else:
        row.hash, row.made_at, row.times = hashed, at, row.times + 1
    session.flush()
    return row


def find_code(session: Session, application: str) -> PickupRow | None:
    """What is kept of an application's code; ``None`` where none was made yet."""
    return session.get(PickupRow, application)


def drop_code(session: Session, application: str) -> None:
    """Forget it: it is used, or the application is erased."""
    session.execute(sa.delete(PickupRow).where(PickupRow.application == application))
