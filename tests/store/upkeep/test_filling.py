"""What is stored in great number lies in the very tables of the service: constraints and indexes are the same after."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa

from docproc.flow.jobs.engine import migrate_all
from docproc.store.db import Database, create_database, drop_database, open_database
from docproc.store.upkeep.bare import bare, tables
from docproc.store.upkeep.filling import FILES, JOBS, LINES, fill

CONSTRAINTS = """SELECT conrelid::regclass::text, conname, convalidated, condeferrable, pg_get_constraintdef(oid)
   FROM pg_constraint WHERE connamespace = ANY(CAST(ARRAY['public', 'dbos'] AS regnamespace[])) ORDER BY 1, 2"""
INDEXES = """SELECT indexrelid::regclass::text, indisvalid, indisunique, indisprimary, pg_get_indexdef(indexrelid)
   FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
   WHERE relnamespace = ANY(CAST(ARRAY['public', 'dbos'] AS regnamespace[])) ORDER BY 1"""
COLUMNS = """SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default
   FROM information_schema.columns WHERE table_schema IN ('public', 'dbos') ORDER BY 1, 2, 3"""


@pytest.fixture
def empty(postgres_url: str) -> Iterator[Database]:
    name = f"filling_{uuid4().hex[:8]}"
    database = open_database(create_database(postgres_url, name))
    migrate_all(database)
    yield database
    database.close()
    drop_database(postgres_url, name)


def schema(database: Database) -> list[list[tuple[object, ...]]]:
    with database.engine.connect() as connection:
        return [[tuple(row) for row in connection.exec_driver_sql(q)] for q in (CONSTRAINTS, INDEXES, COLUMNS)]


def test_constraints_and_indexes_are_the_same_after_filling(empty: Database) -> None:
    before, told = schema(empty), list[tuple[int, int]]()
    assert len(before[0]) > 60 and len(before[1]) > 80
    fill(empty, 100, tell=lambda done, total: told.append((done, total)))
    for found, was in zip(schema(empty), before, strict=True):
        assert sorted(set(found) ^ set(was), key=str) == []
    assert told[-1][0] == told[-1][1] == len(told)
    expected = {"applications": 100, "pages": 100 * FILES, "audit_log": 100 * LINES, "dbos.workflow_status": 100 * JOBS}
    with empty.engine.connect() as connection:
        for table, rows in expected.items():
            assert connection.scalar(sa.text(f"SELECT count(*) FROM {table}")) == rows
        with pytest.raises(sa.exc.IntegrityError):
            connection.exec_driver_sql("INSERT INTO follow_codes (application, code) VALUES ('nobody', 'x')")


def test_a_filling_that_fails_leaves_no_table_bare(empty: Database) -> None:
    before = schema(empty)
    with pytest.raises(sa.exc.IntegrityError), bare(empty):  # the error at the end says what does not fit
        assert len(schema(empty)[1]) < len(before[1]) / 2
        with empty.engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO follow_codes (application, code) VALUES ('nobody', 'x')")
    with empty.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE follow_codes")
    after = schema(empty)
    assert after[1] == before[1] and "applications" in tables(empty)
