"""Lock secrets anew: those of a version that did not lock them, and those under a key that is not in use any more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from docproc.errors import SetupError
from docproc.process_keys import SignatureError
from docproc.secret_keys import LockedError, Purpose, key_of, locked_with
from docproc.store.db import Database, keys_of
from docproc.store.locked import LOCKED, LockedColumn, lock, unlock
from docproc.store.signatures import check_row, sign_row
from docproc.store.tables.base import Base, Signed

PORTION = 200
"""Rows that are locked in one transaction."""
Place = tuple[Any, ...]
"""Primary key of a row."""


@dataclass(frozen=True, slots=True)
class Portion:
    """What one transaction did."""

    done: int
    left: tuple[str, ...]
    """Rows that were left as they are, and why."""
    last: Place | None
    """Where to go on; ``None`` at the end."""


def relock(session: Session, column: LockedColumn, after: Place | None) -> Portion:
    """Lock the secrets of a column with the key in use, some rows after a place.

    A row that a process signs is signed anew, with what was said before; one whose signature does not hold is left as
    it is, so that nothing is believed afterwards that was not before.

    Raises:
        SetupError: this process lacks the keys for secrets, or the one that rows are signed with.
    """
    if session.get_bind().dialect.name == "sqlite":
        session.execute(sa.text("PRAGMA secure_delete=ON"))  # what stood there before is overwritten
    keys = keys_of(session).secrets
    newest = locked_with(keys.ring(column.purpose)[0])
    rows = _older(session, column, newest, after)
    done, left = 0, []
    for row in rows:
        try:
            said = check_row(session, row) if isinstance(row, Signed) else {}
            secret = unlock(keys, row, column.name)
        except (SignatureError, LockedError, SetupError) as error:
            left.append(f"{row.__tablename__} {sa.inspect(row).identity}: {error}")
            continue
        lock(keys, row, column.name, secret)
        if isinstance(row, Signed):
            sign_row(session, row, **said)
        done += 1
    last = sa.inspect(rows[-1]).identity if len(rows) == PORTION else None
    return Portion(done, tuple(left), last)


def wipe(database: Database) -> None:
    """On SQLite, take pages with what stood there before out of its write-ahead log, as far as nobody reads them."""
    if not database.is_sqlite:
        return
    connection = database.engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    finally:
        connection.close()


def count_by_key(session: Session, purpose: Purpose) -> Counter[str]:
    """How many secrets of a purpose are locked with each key; empty: with none."""
    found: Counter[str] = Counter()
    for column in LOCKED:
        if column.purpose == purpose:
            value = _value(column)
            found.update(map(key_of, session.scalars(sa.select(value).where(value != ""))))
    return found


def _older(session: Session, column: LockedColumn, newest: str, after: Place | None) -> list[Base]:
    """Rows whose secret is not locked with the key in use, for update."""
    keys, value = sa.inspect(column.table).primary_key, _value(column)
    query = sa.select(column.table).where(value != "", ~value.startswith(newest, autoescape=True))
    if after is not None:
        query = query.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, after)))
    return list(session.scalars(query.order_by(*keys).limit(PORTION).with_for_update()))


def _value(column: LockedColumn) -> InstrumentedAttribute[str]:
    value: InstrumentedAttribute[str] = getattr(column.table, column.name)
    return value
