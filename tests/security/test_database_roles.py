"""Each kind of process has a role of its own in the database server, which refuses it whatever it need not do."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from api.prepare import prepare
from docproc.errors import InputError, SetupError
from docproc.flow.core.context import open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.ops import checkup
from docproc.process_keys import ensure_all
from docproc.settings import Settings
from docproc.store import database_roles
from docproc.store.database_roles import ROLES, Granted, RoleName, declared_tables, grants, parse_passwords, server_name
from docproc.store.db import Database, create_database, open_database
from docproc.store.migrate import downgrade, migrate
from docproc.store.tables.base import Base
from tests.distributed.deployment import as_role
from tests.servers.postgres import cluster

OWN = frozenset({"alembic_version"})
PASSWORDS: dict[RoleName, str] = {role: secrets.token_hex(16) for role in ROLES}
CONTENT = "readings", "corrections", "findings", "applications", "pages", "decisions"
ACCOUNTS = "users", "user_sessions", "oidc_logins", "api_keys", "page_sessions"
LICENCES = "licences", "licence_files", "licence_holders", "status_lists"
ROW = (
    "(number, decision, application, code, matter, kind, version, org, holder, title, authority, issued_on, valid_from,"
    " status, body) VALUES ('L', 'd', 'a', 'c', 'm', 'k', 1, 'o', 'h', 't', 'a', now(), now(), 'valid', '{}')"
)

REFUSED: dict[str, tuple[str, ...]] = {
    "web": (
        f"INSERT INTO licences {ROW}",
        "UPDATE licences SET body = '{}'",
        "UPDATE licences SET sha256 = 'x'",
        "UPDATE licences SET signed = '{}'",
        "UPDATE licence_versions SET state = 'sealed'",
        "INSERT INTO licence_files (sha256, licence, registered_at, reason) VALUES ('x', 'L', now(), 'issued')",
        "INSERT INTO status_lists (sequence, issued_at, body) VALUES (1, now(), '')",
        "INSERT INTO readings (page_id, page_index, body) VALUES ('x', 0, '{}')",
        "UPDATE readings SET body = '{}'",
        "SELECT * FROM dbos.operation_outputs",
        "SELECT inputs FROM dbos.workflow_input",
        "UPDATE dbos.workflow_status SET status = 'ENQUEUED'",
        "DELETE FROM dbos.workflow_status",
        "INSERT INTO dbos.queues DEFAULT VALUES",
        *(f"DELETE FROM {table}" for table in (*LICENCES, "applications", "pages", "decisions", "users", "api_keys")),
    ),
    "reader": (
        *(f"SELECT * FROM {table}" for table in (*ACCOUNTS, "follow_codes", "licence_shares", "status_lists")),
        *(f"DELETE FROM {table}" for table in (*LICENCES, "applications", "pages", "decisions", "webhooks")),
        "UPDATE applications SET org = 'x'",
        "UPDATE decisions SET action = 'approve'",
        "UPDATE webhooks SET url = 'x'",
        "UPDATE licences SET status = 'valid'",
        f"INSERT INTO licences {ROW}",
        "UPDATE seals SET suspended = false",
        "UPDATE trust_changes SET state = 'confirmed'",
    ),
    "sealer": (
        *(f"SELECT * FROM {table}" for table in (*ACCOUNTS, "webhooks", "sms", "pickup_codes", "idempotency_keys")),
        *(f"DELETE FROM {table}" for table in (*CONTENT, "licences", "licence_files", "licence_events", "seals")),
        "UPDATE decisions SET action = 'approve'",
        "UPDATE readings SET body = '{}'",
        "INSERT INTO corrections (page_id, page_index, field, value, corrected_by, corrected_at) VALUES "
        "('x', 0, 'f', 'v', 'b', now())",
        "UPDATE applications SET org = 'x'",
        "UPDATE seals SET suspended = false",
        "UPDATE trust_changes SET state = 'confirmed'",
    ),
    "auditor": (
        *(f"SELECT * FROM {name}" for name in sorted(set(Base.metadata.tables) - {"audit_log", "access_log"})),
        "SELECT * FROM dbos.workflow_status",
        "INSERT INTO audit_log (seq) VALUES (1)",
    ),
}
"""What goes beyond a role's work."""
EVERYBODY = (
    "UPDATE audit_log SET actor = 'x'",
    "DELETE FROM audit_log",
    "TRUNCATE audit_log",
    "CREATE TABLE mine (x int)",
    "CREATE TEMPORARY TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "ALTER TABLE audit_log DISABLE TRIGGER ALL",
    "ALTER TABLE users ADD COLUMN x int",
    "DROP TABLE users",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE TRIGGER mine AFTER INSERT ON audit_log EXECUTE FUNCTION dbos.notifications_function()",
    "CREATE ROLE mine",
    "SET ROLE docproc",
    "COPY (SELECT 1) TO '/tmp/mine'",
    "COPY (SELECT 1) TO PROGRAM 'sh'",
    "SELECT pg_read_file('/etc/passwd')",
)
"""What nobody but the owner of the tables may do."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of its own with a migrated database and its roles."""

    url: str
    before: Granted
    """What migrating said before there were roles."""

    def connect(self, role: str) -> psycopg.Connection[tuple[object, ...]]:
        known = next(item for item in ROLES if item == role)
        address = sa.make_url(as_role(self.url, known, PASSWORDS[known])).set(drivername="postgresql")
        return psycopg.connect(address.render_as_string(hide_password=False), autocommit=True)

    @contextmanager
    def owner(self) -> Iterator[Database]:
        database = open_database(self.url)
        yield database
        database.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with cluster() as url:
        database = open_database(url)
        before = migrate_all(database)
        migrate_all(database, PASSWORDS)
        yield Server(url, before)
        database.close()


def test_every_table_is_declared_and_nothing_else(server: Server) -> None:
    """A new table has no rights for anybody until somebody says who needs which."""
    with server.owner() as database:
        inspector = sa.inspect(database.engine)
        there = {("ours", name) for name in inspector.get_table_names()}
        there |= {("dbos", name) for name in inspector.get_table_names("dbos")}
        columns = {
            (schema, name): {
                column["name"] for column in inspector.get_columns(name, None if schema == "ours" else schema)
            }
            for schema, name in there
        }
    assert there == declared_tables(), "declare it in docproc/store/database_roles.toml"
    assert {name for schema, name in there if schema == "ours"} == set(Base.metadata.tables) | OWN
    for item in grants():
        named = {name for right in item.rights for name in re.findall(r"\w+", right.partition("(")[2])}
        assert named <= columns[item.schema, item.table], item


def test_an_installation_with_one_role_goes_on_working(server: Server) -> None:
    assert server.before == Granted(True, (), (), tuple(map(server_name, ROLES)))
    with server.owner() as database:
        again = migrate_all(database)
    assert again == Granted(True, (), tuple(map(server_name, ROLES)), ())


@pytest.mark.parametrize(("role", "statement"), [(role, item) for role, items in REFUSED.items() for item in items])
def test_the_server_refuses_what_a_role_need_not_do(server: Server, role: str, statement: str) -> None:
    with server.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("statement", EVERYBODY)
def test_nobody_but_the_owner_changes_tables_or_the_log(server: Server, role: str, statement: str) -> None:
    with server.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


def test_the_auditor_reads_the_log(server: Server) -> None:
    with server.connect("auditor") as connection:
        assert connection.execute("SELECT count(*) FROM audit_log").fetchone() == (0,)


def test_rights_that_were_given_by_hand_are_gone_after_the_next_migration(server: Server) -> None:
    with server.owner() as database:
        with database.write() as session:
            session.execute(sa.text("GRANT ALL ON users, audit_log TO docproc_reader"))
            session.execute(sa.text("GRANT SELECT (totp_secret) ON users TO docproc_sealer"))
        migrate_all(database)
    for role, statement in (("reader", "DELETE FROM audit_log"), ("sealer", "SELECT totp_secret FROM users")):
        with server.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_passwords_do_not_come_into_the_servers_log(server: Server) -> None:
    with server.owner() as database, database.engine.connect() as connection:
        stored = connection.exec_driver_sql(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'docproc_web'"
        ).scalar_one()
    assert stored.startswith("SCRAM-SHA-256$") and PASSWORDS["web"] not in stored


def test_the_web_process_starts_under_its_role_where_all_is_migrated(server: Server, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=as_role(server.url, "web", PASSWORDS["web"]), _env_file=None)
    ensure_all(settings.keys_folder)
    prepare(settings)
    prepare(settings)
    assert (settings.keys_folder / "first-secrets.toml").exists()


def test_a_role_that_does_not_own_the_tables_is_told_who_migrates(server: Server, tmp_path: Path) -> None:
    url = create_database(server.url, "older")
    owner = open_database(url)
    migrate_all(owner)
    downgrade(owner, "0023")
    web = open_database(as_role(url, "web", PASSWORDS["web"]))
    with pytest.raises(SetupError, match="docproc migrate"):
        migrate(web)
    migrate_all(owner)
    assert migrate_all(web) == Granted(owner=False)
    with pytest.raises(SetupError, match="docproc migrate"), web.write() as session:
        session.execute(sa.text("DELETE FROM licences"))
    for database in (owner, web):
        database.close()


def test_the_doctor_says_when_processes_share_a_role(server: Server, tmp_path: Path) -> None:
    def look(**roles: RoleName | None) -> tuple[bool, str]:
        opened = [
            open_database(as_role(server.url, role, PASSWORDS[role]) if role else server.url, name=f"docproc-{kind}")
            for kind, role in roles.items()
        ]
        for database in opened:
            with database.read() as session:
                session.execute(sa.text("SELECT 1"))
        found = checkup._roles(ctx)
        for database in opened:
            database.close()
        assert not found.needed
        return found.ok, found.detail

    settings = Settings(data_dir=tmp_path, database_url=server.url, _env_file=None)
    ensure_all(settings.keys_folder)
    ctx = open_context(settings)
    assert look(web="web", reader="reader", sealer="sealer")[0]
    assert look(web=None, reader=None, sealer=None) == (
        False,
        "docproc-reader works as docproc; docproc-sealer works as docproc; docproc-web works as docproc",
    )
    assert not look(web="web", reader="web")[0]
    ctx.close()


def test_passwords_are_given_by_role() -> None:
    assert parse_passwords("web=a, reader=b=c") == {"web": "a", "reader": "b=c"}
    for wrong in ("web", "web=", "owner=x"):
        with pytest.raises(InputError):
            parse_passwords(wrong)
    assert parse_passwords("") == {}


def test_on_sqlite_there_is_nothing_to_give(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    assert database_roles.apply(database, PASSWORDS) == Granted(owner=True)
    database.close()
