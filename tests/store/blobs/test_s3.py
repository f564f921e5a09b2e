"""What an S3 server must do beyond keeping bytes: retention, versions, outages, encryption; on two makers' servers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from minio import Minio
from minio.error import S3Error

from docproc.errors import SetupError, UnavailableError
from docproc.store.blobs.blobs import DamagedBlobError, open_blobs
from docproc.store.blobs.minio_blobs import OLD_VERSION_DAYS, MinioBlobs
from tests.servers.objects import S3Server, restartable_minio

DATA = b"a sealed licence"


def opened(server: S3Server, bucket: str, **more: str) -> MinioBlobs:
    found = open_blobs(
        server.url(bucket), access_key=server.access_key, secret_key=server.secret_key, secure=False, **more
    )
    assert isinstance(found, MinioBlobs)
    return found


@pytest.fixture(params=["minio", "versitygw"])
def server(request: pytest.FixtureRequest) -> S3Server:
    found: S3Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def store(server: S3Server) -> Iterator[MinioBlobs]:
    yield opened(server, f"s3-{uuid4().hex[:12]}")


def version_of(store: MinioBlobs, key: str) -> str:
    return str(store.client.stat_object(bucket_name=store.bucket, object_name=key).version_id)


def test_a_kept_file_cannot_be_deleted_nor_its_retention_shortened(store: MinioBlobs) -> None:
    key = store.put(DATA, keep_days=3650)
    kept = store.kept_until(key)
    assert kept is not None and kept > datetime.now(UTC) + timedelta(days=3600)
    client: Minio = store.client
    with pytest.raises(S3Error):
        client.remove_object(bucket_name=store.bucket, object_name=key, version_id=version_of(store, key))
    store.put(DATA, keep_days=1)
    assert store.kept_until(key) == kept
    store.keep(key, 1)
    assert store.kept_until(key) == kept and not store.delete(key) and store.get(key) == DATA
    assert store.get(key) == DATA


def test_a_file_that_was_only_stored_is_kept_once_it_must_be(store: MinioBlobs) -> None:
    key = store.put(DATA)
    store.put(DATA, keep_days=365)
    kept = store.kept_until(key)
    assert kept is not None and kept > datetime.now(UTC) + timedelta(days=360)


def test_what_somebody_hid_can_be_put_again(store: MinioBlobs) -> None:
    key = store.put(DATA)
    store.client.remove_object(bucket_name=store.bucket, object_name=key)
    assert not store.exists(key)
    assert store.put(DATA) == key and store.get(key) == DATA


def test_other_bytes_under_a_key_are_never_given_out(store: MinioBlobs) -> None:
    key = store.put(DATA)
    store.client.put_object(bucket_name=store.bucket, object_name=key, data=io.BytesIO(b"forged"), length=6)
    with pytest.raises(DamagedBlobError, match=key):
        store.get(key)


def test_a_large_scan_goes_up_in_parts(store: MinioBlobs) -> None:
    large = bytes(range(256)) * (12 * 2**20 // 256)
    key = store.put(large, keep_days=1)
    assert store.get(key) == large
    found = store.client.stat_object(bucket_name=store.bucket, object_name=key)
    assert found.etag.rpartition("-")[2] == "3"  # parts of 5 MiB, as both servers number them
    assert store.kept_until(key) is not None


def test_a_bucket_keeps_versions_and_lets_old_ones_go(minio: S3Server) -> None:
    store = opened(minio, f"rules-{uuid4().hex[:8]}")
    assert store.client.get_bucket_versioning(bucket_name=store.bucket).status == "Enabled"
    (rule,) = store.client.get_bucket_lifecycle(bucket_name=store.bucket).rules
    assert rule.status == "Enabled"
    assert rule.noncurrent_version_expiration.noncurrent_days == OLD_VERSION_DAYS


def test_a_bucket_without_object_lock_is_refused(minio: S3Server) -> None:
    client = opened(minio, f"any-{uuid4().hex[:8]}").client
    name = f"plain-{uuid4().hex[:8]}"
    client.make_bucket(bucket_name=name)
    with pytest.raises(SetupError, match="object lock"):
        opened(minio, name)


def test_wrong_keys_name_the_settings(server: S3Server) -> None:
    wrong = S3Server(server.endpoint, server.access_key, "wrong-secret-key")
    with pytest.raises(SetupError, match="DOCPROC_S3_SECRET_KEY"):
        opened(wrong, "bucket")


def test_the_server_encrypts_where_it_is_asked_to(minio: S3Server) -> None:
    store = opened(minio, f"secret-{uuid4().hex[:8]}", encryption="s3")
    key = store.put(DATA)
    found = store.client.stat_object(bucket_name=store.bucket, object_name=key)
    assert found.metadata["x-amz-server-side-encryption"] == "AES256"
    assert store.get(key) == DATA
    with pytest.raises(SetupError, match="DOCPROC_S3_ENCRYPTION"):
        opened(minio, "bucket", encryption="rot13")


def test_a_server_that_is_away_is_a_pause(tmp_path: Path) -> None:
    with restartable_minio(tmp_path) as (server, process):
        store = opened(server, "papers")
        key = store.put(DATA)
        process.stop()
        for call in (lambda: store.get(key), lambda: store.put(b"more"), lambda: store.exists(key)):
            with pytest.raises(UnavailableError):
                call()
        with pytest.raises(UnavailableError):
            opened(server, "papers")
        process.start()
        assert store.get(key) == DATA
