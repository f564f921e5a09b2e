"""Bulk loading into PostgreSQL: drop constraints and indexes, and build them again afterwards.

Each row costs a look-up for each foreign key and an entry in each index; built over all rows at the end, the indexes
take a fraction of the time, and each foreign key is checked by one join. Partial indexes stay: most rows are not in
them, and PostgreSQL rewrites their conditions when it parses its own output. Only for a database that nobody else is
using.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import sqlalchemy as sa

from docproc.store.db import Database

SESSIONS = 3
"""Number of concurrent sessions."""
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname IN (current_schema(), 'dbos')"
_TABLES = """SELECT oid::regclass::text FROM pg_class
   WHERE relkind = 'r' AND relnamespace = ANY(CAST(:schemas AS regnamespace[]))"""
_CONSTRAINTS = """SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid), contype = 'f'
   FROM pg_constraint WHERE contype IN ('p', 'u', 'x', 'f') AND connamespace = ANY(CAST(:schemas AS regnamespace[]))
   ORDER BY contype = 'f' DESC, oid"""
_INDEXES = """SELECT indrelid::regclass::text, indexrelid::regclass::text, pg_get_indexdef(indexrelid)
   FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
   WHERE relnamespace = ANY(CAST(:schemas AS regnamespace[])) AND relkind = 'r' AND indpred IS NULL AND NOT EXISTS (
       SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype IN ('p', 'u', 'x'))
   ORDER BY indexrelid"""


def tables(database: Database) -> list[str]:
    """Names of all tables, including those of the job engine."""
    with database.engine.connect() as connection:
        schemas = list(connection.scalars(sa.text(_SCHEMAS)))
        return list(connection.scalars(sa.text(_TABLES), {"schemas": schemas}))


@contextmanager
def bare(database: Database, step: Callable[[], None] = lambda: None) -> Iterator[int]:
    """Drop the constraints and indexes of all tables, and build the same ones again at the end of the block.

    Args:
        database: on PostgreSQL; the account must own the tables.
        step: called after each chain of statements at the end; the block receives the number of chains.
    """
    with database.engine.begin() as connection:
        schemas = list(connection.scalars(sa.text(_SCHEMAS)))
        constraints = connection.execute(sa.text(_CONSTRAINTS), {"schemas": schemas}).all()
        indexes = connection.execute(sa.text(_INDEXES), {"schemas": schemas}).all()
        for table, name, _, _ in constraints:  # foreign keys first: they rest on the others
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for _, name, _ in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
    keys: dict[str, list[str]] = defaultdict(list)
    foreign: dict[str, list[str]] = defaultdict(list)
    for table, name, definition, is_foreign in constraints:
        (foreign if is_foreign else keys)[table].append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    for table, _, definition in indexes:
        keys[table].append(definition)
    try:
        yield len(keys) + 1
    finally:
        together(database, keys.values(), step)
        together(database, [[text for texts in foreign.values() for text in texts]], step)


def together(
    database: Database, chains: Iterable[Iterable[sa.TextClause | str]], step: Callable[[], None] = lambda: None
) -> None:
    """Run chains of statements, each chain in order and several chains concurrently; ``step`` is called after each."""

    def run(chain: Iterable[sa.TextClause | str]) -> None:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("SET synchronous_commit = off")
            connection.exec_driver_sql("SET maintenance_work_mem = '256MB'")
            try:
                for text in chain:
                    if isinstance(text, str):
                        connection.exec_driver_sql(text)
                    else:
                        connection.execute(text)
            finally:
                connection.exec_driver_sql("RESET ALL")
        step()

    with ThreadPoolExecutor(SESSIONS) as pool:
        for done in [pool.submit(run, chain) for chain in chains]:
            done.result()
