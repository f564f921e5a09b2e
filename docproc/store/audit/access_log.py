"""Queries on the access log: adding readings, closing them in batches, searching; nothing is committed here.

Rows are added without looking at other rows, so that readers never wait for one another's lines. Once in a while the
rows since then are closed: a line of the audit log names the batch, how many rows it has and their hash, and is
chained and signed as all lines are. Who removes, changes or adds a row of a batch afterwards is found out by that line;
a row that is not closed yet is known by its own signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.canonical import canonical_json
from docproc.process_keys import SignatureError
from docproc.store.running_numbers import next_value
from docproc.store.signatures import SEALER, WEB, check_row, sign_row
from docproc.store.tables.audit import AccessRow, AuditRow

CLOSED, ERASED = "access.closed", "access.erased"
SUBJECT = "access"
"""Subject of the lines about batches."""
MOST_FOREIGN = 20
"""Rows that are named in a line because no process of ours signed them."""

_NAMES = tuple((item.key, item.columns[0].key) for item in sa.inspect(AccessRow).column_attrs)
"""Attributes of a row, each with its column."""
_INSERT = sa.insert(AccessRow.metadata.tables[AccessRow.__tablename__])


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows, closed."""

    number: int
    rows: int
    sha256: str
    first: str
    last: str
    foreign: tuple[str, ...]
    """Ids of rows among them that no web process signed: they were written past the service."""


def add(session: Session, rows: Sequence[AccessRow]) -> None:
    """Sign and insert rows, in one statement."""
    for row in rows:
        sign_row(session, row)
    # Past the unit of work, which would cost as much again: a row is inserted and never looked at here.
    session.connection().execute(_INSERT, [{column: getattr(row, name) for name, column in _NAMES} for row in rows])


def oldest_open(session: Session) -> AccessRow | None:
    """The oldest row that no batch has closed."""
    query = sa.select(AccessRow).where(AccessRow.batch.is_(None)).order_by(AccessRow.id).limit(1)
    return session.scalars(query).one_or_none()


def count_open(session: Session, most: int) -> int:
    """Number of rows that no batch has closed, counted up to ``most``."""
    open_ = sa.select(AccessRow.id).where(AccessRow.batch.is_(None)).limit(most).subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(open_)) or 0


def open_rows(session: Session, most: int) -> list[AccessRow]:
    """The oldest rows that no batch has closed."""
    query = sa.select(AccessRow).where(AccessRow.batch.is_(None)).order_by(AccessRow.id).limit(most)
    return list(session.scalars(query))


def count(session: Session) -> int:
    """Number of all rows."""
    return session.scalar(sa.select(sa.func.count()).select_from(AccessRow)) or 0


def close(session: Session, most: int) -> Batch | None:
    """Put the oldest open rows, at most so many, into a batch; ``None`` when there are none."""
    number = next_value(session, "access")  # held to the end of the transaction: two that close do it in turn
    rows = open_rows(session, most)
    if not rows:
        return None
    foreign = [row.id for row in rows if not _is_ours(session, row)]
    for row in rows:
        row.batch = number
    session.flush()
    return Batch(number, len(rows), digest(rows), rows[0].id, rows[-1].id, tuple(foreign[:MOST_FOREIGN]))


def digest(rows: Iterable[AccessRow]) -> str:
    """Hash over rows in their order, each with all that it says and its signature."""
    found = hashlib.sha256()
    for row in rows:
        found.update(canonical_json(_said(row)) + b"\n")
    return found.hexdigest()


def problems(session: Session) -> Iterator[str]:
    """Batches from which rows were removed, in which some were changed, or to which some were added."""
    lines = session.scalars(sa.select(AuditRow).where(AuditRow.action.in_((CLOSED, ERASED))).order_by(AuditRow.seq))
    closed: dict[int, dict[str, object]] = {}
    for line in lines:
        if line.action == CLOSED:
            closed[line.detail["batch"]] = line.detail
        else:
            for number in [n for n in closed if n <= line.detail["batch"]]:
                del closed[number]
    for number, told in closed.items():
        rows = session.scalars(of_batch(number)).all()
        said = f"access log, batch {number}"
        if len(rows) != told["rows"]:
            yield f"{said}: has {len(rows)} rows, and was closed with {told['rows']}"
        elif digest(rows) != told["sha256"]:
            yield f"{said}: a row was changed or replaced since it was closed"
        for row_id in told.get("foreign", ()):  # type: ignore[attr-defined]
            yield f"{said}: row {row_id} was written past the service"
        session.expunge_all()
    other = sa.select(AccessRow.batch).where(AccessRow.batch.is_not(None)).distinct()
    for stray in session.scalars(other):
        if stray not in closed:
            yield f"access log, batch {stray}: no line of the audit log closed it"
    open_ = sa.select(AccessRow).where(AccessRow.batch.is_(None)).execution_options(yield_per=500)
    for row in session.scalars(open_):
        if not _is_ours(session, row):
            yield f"access log, row {row.id}: was written past the service"


def of_batch(number: int) -> sa.Select[AccessRow]:
    """The rows of a batch in their order."""
    return sa.select(AccessRow).where(AccessRow.batch == number).order_by(AccessRow.id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which readings are looked for; each part is optional."""

    actor: str = ""
    subject: str = ""
    """Number of an application or a licence, or hash of a file."""
    purpose: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """The first moment that does not belong to the period."""
    before: str = ""
    """Id of the last row of the page before."""
    limit: int = 100


def search(session: Session, wanted: Wanted) -> list[AccessRow]:
    """The newest rows of an actor, about a subject, for a purpose and of a period."""
    query = sa.select(AccessRow).order_by(AccessRow.id.desc()).limit(wanted.limit)
    exact = ((AccessRow.actor, wanted.actor), (AccessRow.subject, wanted.subject), (AccessRow.purpose, wanted.purpose))
    for column, value in exact:
        if value:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(AccessRow.id >= stem(wanted.since))
    if wanted.until is not None:
        query = query.where(AccessRow.id < stem(wanted.until))
    if wanted.before:
        query = query.where(AccessRow.id < wanted.before)
    return list(session.scalars(query))


def stem(at: datetime) -> str:
    """What the id of a row of a moment begins with."""
    return f"{int(at.timestamp() * 1_000_000) * 1000:016x}"


def erase(session: Session, before: datetime) -> tuple[int, int] | None:
    """Delete the batches that were closed before a moment; returns the last one and the rows, ``None`` for none."""
    mine = sa.select(AuditRow).where(AuditRow.subject == SUBJECT).order_by(AuditRow.seq.desc()).limit(1)
    old = session.scalars(mine.where(AuditRow.action == CLOSED, AuditRow.at < before)).one_or_none()
    done = session.scalars(mine.where(AuditRow.action == ERASED)).one_or_none()
    if old is None or (done is not None and done.detail["batch"] >= old.detail["batch"]):
        return None
    last = int(old.detail["batch"])
    gone = session.execute(sa.delete(AccessRow).where(AccessRow.batch <= last))
    return last, int(gone.rowcount)  # type: ignore[attr-defined]


def _is_ours(session: Session, row: AccessRow) -> bool:
    try:
        check_row(session, row, roles=(*WEB, *SEALER))
    except SignatureError:
        return False
    return True


def _said(row: AccessRow) -> list[object]:
    return [
        row.id,
        row.at.isoformat(),
        row.actor,
        row.credential,
        row.roles,
        row.org,
        row.kind,
        row.subject,
        row.item,
        row.purpose,
        row.stated,
        row.address,
        row.signed,
    ]
