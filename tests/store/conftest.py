"""The same stores on every kind of server: SQLite and PostgreSQL, a folder and two makers' S3 servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from docproc.process_keys import KeyRole, ProcessKeys, ensure_key, known_keys
from docproc.secret_keys import SecretKeys, ensure_ring, held_by
from docproc.store.blobs.blobs import Blobs, open_blobs
from docproc.store.db import Database, open_database
from docproc.store.migrate import migrate


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        url = sa.make_url(request.getfixturevalue("postgres_url"))
        name = f"store_{uuid4().hex[:12]}"
        admin = open_database(url.render_as_string(hide_password=False))
        with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.close()
        database = open_database(url.set(database=name).render_as_string(hide_password=False))
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    migrate(empty_database)
    return empty_database


def as_role(database: Database, folder: Path, role: KeyRole) -> Database:
    """The database as a fresh process of a role opens it."""
    own = ensure_key(folder, role)
    for purpose in held_by(role):
        ensure_ring(folder, purpose)
    keys = ProcessKeys(own, known_keys(folder), folder, SecretKeys(folder, held_by(role)))
    return replace(database, keys=keys, memory={})


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def web(database: Database, keys: Path) -> Database:
    return as_role(database, keys, "web")


@pytest.fixture(params=["file", "minio", "versitygw"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "file":
        return open_blobs(f"file:{tmp_path / 'blobs'}")
    server = request.getfixturevalue(request.param)
    url = server.url(f"test-{uuid4().hex[:12]}")
    return open_blobs(url, access_key=server.access_key, secret_key=server.secret_key, secure=False)
