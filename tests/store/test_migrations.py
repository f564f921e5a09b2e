"""From every revision that was ever in use up to the newest and back, with rows in the tables, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import docproc.store
from docproc.store.db import Database
from docproc.store.migrate import downgrade, is_current, migrate
from docproc.store.tables.base import Base

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
KEPT = ("applications", "audit_log", "outbox")


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(Path(docproc.store.__file__).parent / "migrations"))
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


def value_of(column: sa.Column[Any]) -> Any:
    """Something that fits into a column."""
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return False
    if isinstance(kind, sa.Integer | sa.Numeric):
        return 1
    if isinstance(kind, sa.DateTime):
        return AT
    if isinstance(kind, sa.Date):
        return AT.date()
    return {} if isinstance(kind, sa.JSON) else "x"


def fill(database: Database) -> None:
    """A row in each of the oldest tables, whatever columns they have at this revision."""
    with database.write() as session:
        for name in KEPT:
            table = sa.Table(name, sa.MetaData(), autoload_with=session.connection())
            needed = [c for c in table.columns if not c.nullable or c.primary_key]
            session.execute(table.insert().values({c.name: value_of(c) for c in needed}))


def rows(database: Database) -> list[int]:
    with database.read() as session:
        return [int(session.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one()) for name in KEPT]


@pytest.mark.parametrize("revision", revisions())
def test_every_revision_leads_to_the_newest_and_back_and_keeps_its_rows(
    empty_database: Database, revision: str
) -> None:
    migrate(empty_database, revision)
    fill(empty_database)
    migrate(empty_database)
    assert is_current(empty_database)
    with empty_database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert rows(empty_database) == [1, 1, 1]
    downgrade(empty_database, revision)
    assert rows(empty_database) == [1, 1, 1]
    migrate(empty_database)
    assert is_current(empty_database) and rows(empty_database) == [1, 1, 1]
