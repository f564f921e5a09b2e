"""Running numbers; one that was rolled back is assigned again, so there are no gaps."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from docproc.store.tables.running_numbers import CounterRow


def next_value(session: Session, name: str) -> int:
    """The next number of a series, from 1; the series is locked until the transaction ends."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(CounterRow).values(name=name, value=1)
    upsert = statement.on_conflict_do_update(index_elements=["name"], set_={"value": CounterRow.value + 1})
    return session.execute(upsert.returning(sa.literal_column("value"))).scalar_one()


def current_value(session: Session, name: str) -> int:
    """The number assigned last; 0 before the first."""
    return session.scalar(sa.select(CounterRow.value).where(CounterRow.name == name)) or 0
