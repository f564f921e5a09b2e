"""The database: engine, transactions and time.

SQLite (WAL) on one machine, PostgreSQL otherwise; code outside this package
does not depend on which. A unit of work is one ``with database.write() as session``:
it commits at its end, or rolls back entirely.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from docproc.errors import SetupError, UnavailableError, UnstorableError
from docproc.private_file import private_database
from docproc.process_keys import NO_KEYS, ProcessKeys

log = logging.getLogger(__name__)
BUSY_MS = 30_000
"""How long a SQLite writer waits for another one, seconds."""
LOST_AFTER_SECONDS = 6
"""Silence after which both ends close a connection. With the system's defaults, a cut cable would keep connections,
and with them the server's locks and the names of workers, for hours."""
_WRITES = "docproc_writes"
_KEYS = "docproc_keys"
_MEMORY = "docproc_memory"
_ABSENT = ("42P01", "42703")
"""PostgreSQL's codes for a missing table and a missing column."""
_REFUSED = "42501"
"""PostgreSQL's code for a right that a role does not have."""
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


@dataclass(frozen=True, slots=True)
class Database:
    """An open database; shared by the whole process."""

    engine: sa.Engine
    keys: ProcessKeys = NO_KEYS
    """What this process signs rows with, and whose rows it trusts; every session carries them (:func:`keys_of`)."""
    memory: dict[str, object] = field(default_factory=dict, compare=False, repr=False)
    """What this process remembers of the database, such as the line of the audit log that it wrote last
    (:func:`memory_of`)."""

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A unit of work that may write; on SQLite it takes the write lock at its start.

        Raises:
            UnavailableError: the database is unreachable, restarting, locked for too long or full.
            SetupError: its schema is that of another version.
        """
        writer = self.engine.execution_options(**{_WRITES: True})
        with _reaching(), self._session(writer) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent read; changes made in it are rolled back; raises as :meth:`write`."""
        with _reaching(), self._session(self._at_one_moment()) as session:
            yield session
            session.expunge_all()  # so that rows stay readable after the look
            session.rollback()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """As :meth:`read`, for many rows: rows are not kept in memory after they were processed."""
        with _reaching(), self._session(self._at_one_moment()) as session:
            yield session
            session.rollback()

    def _session(self, engine: sa.Engine) -> Session:
        return Session(engine, expire_on_commit=False, info={_KEYS: self.keys, _MEMORY: self.memory})

    def _at_one_moment(self) -> sa.Engine:
        """Hide what others commit between two queries; SQLite does so by default."""
        return self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def keys_of(session: Session) -> ProcessKeys:
    """The keys of the process that opened a session."""
    keys: ProcessKeys = session.info.get(_KEYS, NO_KEYS)
    return keys


def memory_of(session: Session) -> dict[str, object]:
    """What the process that opened a session remembers of the database."""
    memory: dict[str, object] = session.info.setdefault(_MEMORY, {})
    return memory


def open_database(url: str, pool_size: int = 10, keys: ProcessKeys = NO_KEYS, name: str = "docproc") -> Database:
    """Open a database by its SQLAlchemy URL; the schema must exist (:func:`docproc.store.migrate.migrate`).

    ``name`` is what PostgreSQL lists the process as. A SQLite file is made where there is none; only its owner can
    read it, whatever the umask.

    Raises:
        SetupError: neither SQLite nor PostgreSQL.
    """
    if url.startswith("sqlite"):
        return Database(_sqlite(url, pool_size), keys)
    if url.startswith("postgresql"):
        engine = sa.create_engine(
            _watched(sa.make_url(url).set(drivername="postgresql+psycopg")),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,  # values of citizens' fields never get into a log
            json_serializer=_json,
            connect_args={"application_name": name},
        )
        event.listen(engine, "before_cursor_execute", _storable)
        return Database(engine, keys)
    raise SetupError(f"database {url.split(':')[0]!r} is not supported: use sqlite:///FILE or postgresql://…")


def create_database(url: str, name: str) -> str:
    """Create an empty database beside another one on a PostgreSQL server; returns its URL.

    Raises:
        UnavailableError: the server is unreachable, or does not allow it.
    """
    _outside_transactions(url, f"CREATE DATABASE {name}")
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str) -> None:
    """Drop a database and its contents, even while others are connected; raises as :func:`create_database`."""
    _outside_transactions(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _outside_transactions(url: str, statement: str) -> None:
    database = open_database(url)
    try:
        with _reaching(), database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(statement)
    finally:
        database.close()


def _watched(url: sa.URL) -> sa.URL:
    """The URL with a limit on silence for both ends; options in the URL itself take precedence."""
    probes = {"keepalives_idle": LOST_AFTER_SECONDS // 2, "keepalives_interval": 1, "keepalives_count": 3}
    there = {f"tcp_{name}": value for name, value in probes.items()}
    limit = {"tcp_user_timeout": LOST_AFTER_SECONDS * 1000}
    given = {
        **{name: str(value) for name, value in {**probes, **limit, "connect_timeout": 5}.items()},
        "options": " ".join(f"-c {name}={value}" for name, value in {**there, **limit}.items()),
    }
    return url.set(query={**given, **url.query})


def _sqlite(url: str, pool_size: int) -> sa.Engine:
    file = sa.make_url(url).database
    if file and file != ":memory:":
        private_database(Path(file))
    engine = sa.create_engine(url, pool_size=pool_size, hide_parameters=True, json_serializer=_json)
    event.listen(engine, "before_cursor_execute", _storable)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin by itself, see begin() below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_MS}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        # A deferred transaction that reads first and writes later can fail on a busy database.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def _reaching() -> Iterator[None]:
    """Turn transient errors into UnavailableError, and values that do not fit into UnstorableError.

    Messages contain no values of the statement.
    """
    try:
        yield
    except sa.exc.DataError as error:
        log.warning("a value does not fit its column: %s", type(error.orig).__name__)
        raise UnstorableError("a value does not fit its column") from error
    except sa.exc.StatementError as error:
        if isinstance(error.orig, UnstorableError):
            raise error.orig from None
        _sort_out(error)
        raise
    except sa.exc.TimeoutError as error:
        raise UnavailableError("the database does not serve: all connections are in use") from error


def _sort_out(error: sa.exc.StatementError) -> None:
    """Raise what an error of the driver means, where it is not a mistake of ours."""
    if not isinstance(error, (sa.exc.OperationalError, sa.exc.ProgrammingError, sa.exc.InterfaceError)):
        return
    cause = error.orig
    if _lacks(cause):
        raise SetupError("the database has the schema of another version: run `docproc migrate`") from error
    if getattr(cause, "sqlstate", None) == _REFUSED:
        told = str(cause).splitlines()[0]  # names a table, no values
        remedy = "use the role that is meant for this, or as the owner run `docproc migrate`, which grants its rights"
        raise SetupError(f"the database refuses its role this: {told}; {remedy}") from error
    if isinstance(error, sa.exc.ProgrammingError):
        return
    if isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF not in _PASSING:
        return
    raise UnavailableError(f"the database does not serve: {type(cause or error).__name__}") from error


def _storable(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
    """Refuse what one of the databases cannot hold, on both alike."""
    for value in _each(parameters):
        _check(value)


def _each(parameters: Any) -> Iterator[object]:
    """All values of a statement: of one row or of several, which an insert of many hands over in rows or flat."""
    for given in parameters.values() if isinstance(parameters, Mapping) else parameters or ():
        if isinstance(given, Mapping):
            yield from given.values()
        elif isinstance(given, (list, tuple)):
            yield from given
        else:
            yield given


def _check(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise UnstorableError("a text with a null")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise UnstorableError("a text with half a surrogate pair") from None
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UnstorableError("a number of more than 64 bits")


def _json(value: object) -> str:
    """A value as JSON; half pairs and nulls are escaped in it, and refused all the same."""
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise UnstorableError("a number that JSON does not know") from error
    if "\\u0000" in text or "\\ud" in text:
        _check_inside(value)
    return text


def _check_inside(value: object) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check(key)
            _check_inside(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check_inside(item)
    elif isinstance(value, str):
        _check(value)


def _lacks(cause: BaseException | None) -> bool:
    """Whether a driver's error reports a missing table or column."""
    if isinstance(cause, sqlite3.Error):
        return any(words in str(cause) for words in ("no such table", "no such column", "has no column"))
    return getattr(cause, "sqlstate", None) in _ABSENT


class UtcTime(sa.TypeDecorator[datetime]):
    """An aware ``datetime``, stored in UTC on every database."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return UTC, also where the database dropped the zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
