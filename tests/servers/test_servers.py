"""The servers that other tests rely on do what those tests take for granted."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED
from minio.error import S3Error
from minio.retention import Retention
from minio.versioningconfig import VersioningConfig

from tests.servers.objects import S3Server


@pytest.fixture(params=["minio", "versitygw"])
def s3(request: pytest.FixtureRequest) -> S3Server:
    server: S3Server = request.getfixturevalue(request.param)
    return server


def client_of(server: S3Server) -> Minio:
    return Minio(endpoint=server.endpoint, access_key=server.access_key, secret_key=server.secret_key, secure=False)


def put(client: Minio, bucket: str, key: str, data: bytes, retention: Retention | None = None) -> str:
    written = client.put_object(
        bucket_name=bucket, object_name=key, data=io.BytesIO(data), length=len(data), retention=retention
    )
    return str(written.version_id)


def read(client: Minio, bucket: str, key: str, version: str | None = None) -> bytes:
    response = client.get_object(bucket_name=bucket, object_name=key, version_id=version)
    try:
        return bytes(response.read())
    finally:
        response.close()
        response.release_conn()


def test_an_older_version_is_still_there_after_overwriting(s3: S3Server) -> None:
    client = client_of(s3)
    client.make_bucket(bucket_name="versions")
    client.set_bucket_versioning(bucket_name="versions", config=VersioningConfig(ENABLED))
    first = put(client, "versions", "a/b", b"one")
    second = put(client, "versions", "a/b", b"two")
    assert first != second
    assert read(client, "versions", "a/b") == b"two"
    assert read(client, "versions", "a/b", first) == b"one"


def test_a_locked_version_cannot_be_removed(s3: S3Server) -> None:
    client = client_of(s3)
    client.make_bucket(bucket_name="locked", object_lock=True)
    until = datetime.now(UTC) + timedelta(days=1)
    version = put(client, "locked", "k", b"kept", Retention(COMPLIANCE, until))
    with pytest.raises(S3Error):
        client.remove_object(bucket_name="locked", object_name="k", version_id=version)
    assert read(client, "locked", "k", version) == b"kept"


def test_a_wrong_key_is_refused(s3: S3Server) -> None:
    stranger = Minio(endpoint=s3.endpoint, access_key=s3.access_key, secret_key="wrong" * 4, secure=False)
    with pytest.raises(S3Error):
        stranger.make_bucket(bucket_name="stranger")


def test_postgres_keeps_a_table(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE smoke (id int PRIMARY KEY, name text)"))
        connection.execute(sa.text("INSERT INTO smoke VALUES (1, '营业执照')"))
    with engine.begin() as connection:
        assert connection.execute(sa.text("SELECT name FROM smoke")).scalar_one() == "营业执照"
        connection.execute(sa.text("DROP TABLE smoke"))
    engine.dispose()


def test_postgres_asks_for_the_password(postgres_url: str) -> None:
    url = sa.make_url(postgres_url)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=url.host, port=url.port, user=url.username, password="wrong", dbname="docproc")


@pytest.mark.parametrize(("ci", "outcome"), [("true", "1 failed"), ("", "1 skipped")])
def test_a_missing_server_fails_in_ci_and_is_skipped_elsewhere(tmp_path: Path, ci: str, outcome: str) -> None:
    (tmp_path / "test_it.py").write_text(
        "from tests.servers.processes import find_program\n"
        "def test_it():\n    find_program('no-such-server', 'scripts/servers no-such-server')\n"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "pytest", "-rfs", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path)]
    env = {**os.environ, "CI": ci, "PYTHONPATH": str(root), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
    assert outcome in done.stdout
    assert "scripts/servers no-such-server" in done.stdout
