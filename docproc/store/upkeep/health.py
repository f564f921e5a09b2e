"""Measurements of a deployment's health: waiting work, counts by status, and the difference between the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from docproc.lifecycle import FINAL, Status
from docproc.store.applications.pages import IS_WAITING
from docproc.store.tables.applications import ApplicationRow, PageRow
from docproc.store.tables.licences import LicenceRow
from docproc.store.tables.review import DecisionRow

OPEN = frozenset(get_args(Status)) - FINAL
EXACT_ROWS = 20_000
"""Tables with more rows than this are estimated, not counted."""


def is_reachable(session: Session) -> bool:
    """Whether the database answers a query."""
    return bool(session.execute(sa.text("SELECT 1")).scalar_one() == 1)


def waiting_files(session: Session) -> tuple[int, datetime | None]:
    """How many files wait to be read, and since when the oldest has been waiting."""
    query = sa.select(sa.func.count(), sa.func.min(PageRow.uploaded_at))
    count, oldest = session.execute(query.select_from(PageRow).where(IS_WAITING)).one()
    return count, oldest


def waiting_seals(session: Session) -> tuple[int, datetime | None]:
    """How many licences are being issued, and since when the oldest is: from its release, or else from its approval."""
    since = sa.func.min(sa.func.coalesce(DecisionRow.released_at, DecisionRow.at))
    query = sa.select(sa.func.count(), since).join(DecisionRow, DecisionRow.application == ApplicationRow.number)
    issued = ApplicationRow.seal_state.in_(("queued", "waiting")), DecisionRow.action == "approve"
    count, oldest = session.execute(query.select_from(ApplicationRow).where(*issued)).one()
    return count, oldest


def statuses(session: Session) -> dict[str, int]:
    """How many applications are in each status: the unfinished ones counted, the others by :func:`tally`."""
    query = sa.select(ApplicationRow.status, sa.func.count()).where(ApplicationRow.status.in_(OPEN))
    counted = {row[0]: row[1] for row in session.execute(query.group_by(ApplicationRow.status))}
    finished = {name: count for name, count in tally(session, ApplicationRow.status).items() if name not in OPEN}
    return counted | finished


def verdicts(session: Session) -> dict[str, int]:
    """How many applications have each verdict; see :func:`tally`."""
    return tally(session, ApplicationRow.verdict)


def licences_by_status(session: Session) -> dict[str, int]:
    """How many licences are in each status; see :func:`tally`."""
    return tally(session, LicenceRow.status)


def tally(session: Session, column: InstrumentedAttribute[Any]) -> dict[str, int]:
    """How many rows have each value.

    For a large table PostgreSQL's own statistics are used, which are accurate within a few percent and leave out very
    rare values: counting a hundred million rows at each scrape of the metrics would be most of the server's load.
    """
    table = column.class_.__tablename__
    rows = _about(session, table)
    if rows > EXACT_ROWS:
        known = sa.text(
            "SELECT value, share FROM pg_stats,"
            " unnest(CAST(CAST(most_common_vals AS text) AS text[]), most_common_freqs) AS found(value, share)"
            " WHERE schemaname = current_schema() AND tablename = :table AND attname = :name"
        )
        shares = session.execute(known, {"table": table, "name": column.key})
        return {value: round(share * rows) for value, share in shares}
    query = sa.select(column, sa.func.count()).group_by(column)
    return {row[0]: row[1] for row in session.execute(query) if row[0] is not None}


def _about(session: Session, table: str) -> int:
    """Rows of a table by PostgreSQL's last estimate; 0 if it has none."""
    if session.get_bind().dialect.name == "sqlite":
        return 0
    query = sa.text("SELECT CAST(reltuples AS bigint) FROM pg_class WHERE oid = to_regclass(:table)")
    return max(0, session.scalar(query, {"table": table}) or 0)


def clock_skew(session: Session) -> float:
    """Seconds by which this machine's clock is ahead of the database server's; negative when it is behind."""
    if session.get_bind().dialect.name == "sqlite":
        return 0.0  # the same machine
    there: datetime = session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return (datetime.now(UTC) - there).total_seconds()


def backends(session: Session) -> list[int]:
    """Process ids of the PostgreSQL server's backends for this database."""
    query = sa.text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
    return list(session.scalars(query))
