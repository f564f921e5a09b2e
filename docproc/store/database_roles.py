"""Roles of the database server, one for each kind of process, with no more rights than it needs.

Which role may do what with which table is data: ``database_roles.toml`` beside this module. The tables belong to the
role that migrates; it alone changes their shape, and grants the rest after each migration. Where the roles do not exist
nothing is granted, and all processes work as the owner.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import sqlalchemy as sa

from docproc.errors import InputError, SetupError
from docproc.store.db import Database

RoleName = Literal["web", "reader", "sealer", "auditor"]
ROLES: tuple[RoleName, ...] = get_args(RoleName)
PREFIX = "docproc_"
"""The server's name of a role is this and ours."""
RIGHTS = ("select", "insert", "update", "delete")
_DATA = Path(__file__).with_suffix(".toml")
_RIGHT = re.compile(r"(select|insert|update|delete)(?:\(([a-z0-9_]+(?:, [a-z0-9_]+)*)\))?")
_LOCK = 7_305_120_263
"""PostgreSQL advisory lock under which one process grants while others wait."""
_OWNED = "SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('alembic_version')"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a role may do with a table."""

    role: RoleName
    schema: Literal["ours", "dbos"]
    """Ours is the schema that the connection works in; the engine's has a name of its own."""
    table: str
    rights: tuple[str, ...]
    """Such as ``select`` or ``update(status, note)``."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What was done about the roles."""

    owner: bool
    """Whether this connection owns the tables; another one changes no rights."""
    made: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Roles that do not exist: their processes can only work as the owner."""


def server_name(role: RoleName) -> str:
    """The name of a role in the database server."""
    return PREFIX + role


@cache
def grants() -> tuple[Grant, ...]:
    """All that is granted, as declared.

    Raises:
        SetupError: the file names something that does not exist.
    """
    return tuple(_read(_declared()))


def declared_tables() -> frozenset[tuple[str, str]]:
    """Schema and name of all tables that are declared, also those that no role has rights on."""
    return frozenset((schema, table) for schema, tables in _declared().items() for table in tables)


@cache
def _declared() -> Mapping[str, Mapping[str, Mapping[str, list[str]]]]:
    return tomllib.loads(_DATA.read_text("utf-8"))


def parse_passwords(text: str) -> dict[RoleName, str]:
    """Passwords by role, from ``web=…,reader=…``.

    Raises:
        InputError: another shape, an unknown role, or an empty password.
    """
    found: dict[RoleName, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, password = part.partition("=")
        role = next((item for item in ROLES if item == name), None)
        if role is None or not password:
            raise InputError(f"DOCPROC_DATABASE_PASSWORDS is ROLE=PASSWORD,… with roles {', '.join(ROLES)}")
        found[role] = password
    return found


def apply(database: Database, passwords: Mapping[RoleName, str]) -> Granted:
    """Give each role that exists its declared rights and no other; several processes may call it at once.

    Args:
        database: migrated; nothing is done on SQLite, nor by a role that does not own the tables.
        passwords: roles that are made where they do not exist, or given this password.

    Raises:
        SetupError: this connection may not make roles.
    """
    if database.is_sqlite:
        return Granted(owner=True)
    with database.write() as session:
        connection = session.connection()
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        if not connection.exec_driver_sql(_OWNED).scalar():
            return Granted(owner=False)
        there = _existing(connection)
        made = tuple(_make(connection, role, password, there) for role, password in passwords.items())
        there = _existing(connection)
        if there:
            _close_to_all(connection)
        for role in there:
            _grant(connection, role)
    missing = tuple(server_name(role) for role in ROLES if role not in there)
    return Granted(True, made, tuple(map(server_name, there)), missing)


def in_use(database: Database) -> dict[str, set[str]]:
    """Which roles of the server each kind of process works as at this moment, by its name (``docproc-web``)."""
    query = sa.text(
        "SELECT DISTINCT application_name, usename FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'docproc-%'"
    )
    found: dict[str, set[str]] = {}
    with database.read() as session:
        for name, user in session.execute(query):
            found.setdefault(name, set()).add(user)
    return found


def existing(database: Database) -> tuple[RoleName, ...]:
    """Roles that exist in the server."""
    with database.read() as session:
        return _existing(session.connection())


def _read(data: Mapping[str, Mapping[str, Mapping[str, list[str]]]]) -> Iterator[Grant]:
    for schema, tables in data.items():
        place = next((item for item in ("ours", "dbos") if item == schema), None)
        for table, roles in tables.items():
            for name, rights in roles.items():
                role = next((item for item in ROLES if item == name), None)
                if place is None or role is None or not rights or not all(map(_RIGHT.fullmatch, rights)):
                    raise SetupError(f"{_DATA.name}: {schema}.{table} {name}: no such role or right")
                yield Grant(role, "ours" if place == "ours" else "dbos", table, tuple(rights))


def _existing(connection: sa.Connection) -> tuple[RoleName, ...]:
    names = set(connection.exec_driver_sql("SELECT rolname FROM pg_roles").scalars())
    return tuple(role for role in ROLES if server_name(role) in names)


def _make(connection: sa.Connection, role: RoleName, password: str, there: tuple[RoleName, ...]) -> str:
    """Make a role, or give it a password; the server gets no more than what it stores of it (RFC 7677)."""
    name = server_name(role)
    driver = connection.connection.driver_connection
    assert driver is not None
    stored = driver.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    verb = "ALTER" if role in there else "CREATE"
    plain = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    try:
        connection.exec_driver_sql(f"{verb} ROLE {name} {plain} PASSWORD '{stored}'")
    except sa.exc.ProgrammingError as error:
        remedy = "migrate once as a role with CREATEROLE, or let the server's administrator make the roles"
        raise SetupError(f"role {name} cannot be made: {type(error.orig).__name__}; {remedy}") from error
    return name


def _close_to_all(connection: sa.Connection) -> None:
    """Take from everybody what a server gives to all: making tables, also temporary ones."""
    database = connection.exec_driver_sql("SELECT quote_ident(current_database())").scalar_one()
    connection.exec_driver_sql(f"REVOKE CREATE ON SCHEMA {_schema(connection, 'ours')} FROM PUBLIC")
    connection.exec_driver_sql(f"REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC")


def _grant(connection: sa.Connection, role: RoleName) -> None:
    name, mine = server_name(role), [item for item in grants() if item.role == role]
    for schema in ("ours", "dbos"):
        place = _schema(connection, schema)
        if place is None:
            continue
        for kind in ("TABLES", "SEQUENCES", "FUNCTIONS"):
            connection.exec_driver_sql(f"REVOKE ALL ON ALL {kind} IN SCHEMA {place} FROM {name}")
        connection.exec_driver_sql(f"REVOKE ALL ON SCHEMA {place} FROM {name}")
        there = _tables(connection, place)
        granted = [item for item in mine if item.schema == schema and item.table in there]
        if granted:
            connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {place} TO {name}")
        for item in granted:
            connection.exec_driver_sql(f"GRANT {', '.join(item.rights)} ON {place}.{item.table} TO {name}")
            if "insert" in item.rights:
                for sequence in _sequences(connection, place, item.table):
                    connection.exec_driver_sql(f"GRANT USAGE ON SEQUENCE {sequence} TO {name}")


def _schema(connection: sa.Connection, schema: str) -> str | None:
    """The quoted name of a schema; ``None`` where there is none."""
    query = "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname = "
    found: str | None = connection.exec_driver_sql(
        query + ("current_schema()" if schema == "ours" else f"'{schema}'")
    ).scalar()
    return found


def _tables(connection: sa.Connection, schema: str) -> set[str]:
    query = sa.text(
        "SELECT relname FROM pg_class WHERE relnamespace = CAST(:schema AS regnamespace) AND relkind IN ('r', 'p')"
    )
    return set(connection.scalars(query, {"schema": schema}))


def _sequences(connection: sa.Connection, schema: str, table: str) -> list[str]:
    """Sequences from which a table takes numbers."""
    query = sa.text(
        "SELECT pg_class.oid::regclass::text FROM pg_depend JOIN pg_class ON pg_class.oid = objid AND relkind = 'S'"
        " WHERE refobjid = CAST(:table AS regclass) AND deptype IN ('a', 'i')"
    )
    return list(connection.scalars(query, {"table": f"{schema}.{table}"}))
