"""Files by their content: the key of a blob is the SHA-256 of its bytes, in lower-case hex.

What was put can be read back unchanged or not at all: every read compares the
hash. Putting the same bytes again is harmless.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from docproc.errors import DocprocError, NotFoundError, SetupError

_KEY = re.compile(r"[0-9a-f]{64}")


class DamagedBlobError(DocprocError):
    """A stored file no longer has the bytes that were put: restore it from a backup."""

    code = "damaged_blob"


class Blobs(Protocol):
    """A content-addressed store."""

    def put(self, data: bytes, *, keep_days: int = 0) -> str:
        """Store the bytes durably and return their key; ``keep_days`` forbids deletion for so long where supported."""

    def get(self, key: str) -> bytes:
        """The bytes of a key.

        Raises:
            NotFoundError: no such key.
            DamagedBlobError: the stored bytes have another hash.
        """

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key as a file open for reading; raises as :meth:`get`."""

    def exists(self, key: str) -> bool:
        """Whether the key is stored."""

    def iterate(self) -> Iterator[str]:
        """All keys, in no particular order."""


def open_blobs(url: str, *, access_key: str = "", secret_key: str = "", secure: bool = True) -> Blobs:
    """Open ``file:FOLDER`` or ``s3://HOST:PORT/BUCKET``; the bucket is made when missing.

    Raises:
        SetupError: the address has neither shape, or the server refuses.
    """
    kind, _, rest = url.partition(":")
    if kind == "file" and rest:
        return FileBlobs(Path(rest))
    host, _, bucket = rest.removeprefix("//").partition("/")
    if kind == "s3" and host and bucket:
        return MinioBlobs.connect(host, bucket.strip("/"), access_key, secret_key, secure=secure)
    raise SetupError(f"blob store {url!r} is not understood: set DOCPROC_BLOBS to file:FOLDER or s3://HOST:PORT/BUCKET")


@dataclass(frozen=True, slots=True)
class FileBlobs:
    """A folder, two levels deep; each file appears whole by an atomic rename after fsync."""

    root: Path

    def put(self, data: bytes, *, keep_days: int = 0) -> str:
        """Store the bytes; retention on a plain folder is up to the file system, so ``keep_days`` sets read-only."""
        key = hashlib.sha256(data).hexdigest()
        path = self._path(key)
        if path.is_file():
            return key
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o440 if keep_days else 0o640)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        for folder in (path.parent, path.parent.parent):
            _sync_folder(folder)
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key, compared with their hash."""
        try:
            data = self._path(key).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"no blob {key}") from None
        return _verified(key, data)

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key as a file."""
        return io.BytesIO(self.get(key))

    def exists(self, key: str) -> bool:
        """Whether the key is stored."""
        return self._path(key).is_file()

    def iterate(self) -> Iterator[str]:
        """All keys."""
        for path in self.root.glob("??/*"):
            if _KEY.fullmatch(path.name):
                yield path.name

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise NotFoundError(f"not a blob key: {key[:80]!r}")
        return self.root / key[:2] / key


@dataclass(frozen=True, slots=True)
class MinioBlobs:
    """A bucket of an S3 server, with versioning and object lock so that nothing vanishes silently."""

    client: Any
    bucket: str

    @classmethod
    def connect(cls, host: str, bucket: str, access_key: str, secret_key: str, *, secure: bool) -> MinioBlobs:
        """Connect, and make the bucket with object lock when it is missing.

        Raises:
            SetupError: the server cannot be reached or refuses.
        """
        import urllib3
        from minio import Minio
        from minio.error import MinioException

        client = Minio(endpoint=host, access_key=access_key, secret_key=secret_key, secure=secure)
        try:
            if not client.bucket_exists(bucket_name=bucket):
                client.make_bucket(bucket_name=bucket, object_lock=True)
        except (MinioException, urllib3.exceptions.HTTPError, ValueError) as error:
            remedy = "check DOCPROC_BLOBS, DOCPROC_S3_ACCESS_KEY and DOCPROC_S3_SECRET_KEY"
            raise SetupError(f"blob store s3://{host}/{bucket}: {error}; {remedy}") from error
        return cls(client, bucket)

    def put(self, data: bytes, *, keep_days: int = 0) -> str:
        """Store the bytes; ``keep_days`` sets a COMPLIANCE retention that nobody can shorten."""
        from minio.commonconfig import COMPLIANCE
        from minio.retention import Retention

        key = hashlib.sha256(data).hexdigest()
        if self.exists(key):
            return key
        until = datetime.now(UTC) + timedelta(days=keep_days)
        retention = Retention(COMPLIANCE, until) if keep_days else None
        self.client.put_object(
            bucket_name=self.bucket, object_name=key, data=io.BytesIO(data), length=len(data), retention=retention
        )
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key, compared with their hash."""
        from minio.error import S3Error

        if not _KEY.fullmatch(key):
            raise NotFoundError(f"not a blob key: {key[:80]!r}")
        try:
            response = self.client.get_object(bucket_name=self.bucket, object_name=key)
        except S3Error as error:
            if error.code == "NoSuchKey":
                raise NotFoundError(f"no blob {key}") from None
            raise
        try:
            return _verified(key, response.read())
        finally:
            response.close()
            response.release_conn()

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key as a file."""
        return io.BytesIO(self.get(key))

    def exists(self, key: str) -> bool:
        """Whether the key is stored."""
        from minio.error import S3Error

        try:
            self.client.stat_object(bucket_name=self.bucket, object_name=key)
        except S3Error as error:
            if error.code == "NoSuchKey":
                return False
            raise
        return True

    def iterate(self) -> Iterator[str]:
        """All keys."""
        for item in self.client.list_objects(bucket_name=self.bucket, recursive=True):
            if _KEY.fullmatch(item.object_name):
                yield item.object_name


def _verified(key: str, data: bytes) -> bytes:
    if hashlib.sha256(data).hexdigest() != key:
        raise DamagedBlobError(f"blob {key} is damaged: restore it from a backup")
    return data


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
