"""What tells whether a deployment is well."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.store.migrate import is_current
from docproc.store.pages import IS_WAITING
from docproc.store.tables import ApplicationRow, LicenceRow, PageRow

__all__ = ["answers", "backends", "clock_skew", "is_current", "licences_by_status", "verdicts", "waiting_files"]


def answers(session: Session) -> bool:
    """Whether the database answers at all."""
    return bool(session.execute(sa.text("SELECT 1")).scalar_one() == 1)


def waiting_files(session: Session) -> tuple[int, datetime | None]:
    """How many files wait to be read, and since when the oldest does."""
    query = sa.select(sa.func.count(), sa.func.min(PageRow.uploaded_at))
    count, oldest = session.execute(query.select_from(PageRow).where(IS_WAITING)).one()
    return count, oldest


def verdicts(session: Session) -> dict[str, int]:
    """How many applications have which verdict."""
    query = sa.select(ApplicationRow.verdict, sa.func.count()).group_by(ApplicationRow.verdict)
    return {row[0]: row[1] for row in session.execute(query) if row[0] is not None}


def licences_by_status(session: Session) -> dict[str, int]:
    """How many licences are in each status."""
    query = sa.select(LicenceRow.status, sa.func.count()).group_by(LicenceRow.status)
    return {row[0]: row[1] for row in session.execute(query)}


def clock_skew(session: Session) -> float:
    """How many seconds this machine's clock is before the database server's; negative: behind it."""
    if session.get_bind().dialect.name == "sqlite":
        return 0.0  # the same machine
    there: datetime = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return (datetime.now(UTC) - there).total_seconds()


def backends(session: Session) -> list[int]:
    """Process ids of the PostgreSQL server that work for this database."""
    query = sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return list(session.scalars(query))
