"""Blobs on an S3 server: a bucket with versioning and object lock, so that nothing disappears unnoticed."""

from __future__ import annotations

import hashlib
import hmac
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import urllib3
from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED, Filter
from minio.error import MinioException, S3Error
from minio.lifecycleconfig import AbortIncompleteMultipartUpload, LifecycleConfig, NoncurrentVersionExpiration, Rule
from minio.retention import Retention
from minio.sse import SseKMS, SseS3

from docproc import tracing
from docproc.errors import NotFoundError, SetupError, UnavailableError
from docproc.store.blobs.blobs import KEY, damaged, verified
from docproc.store.blobs.links import Link, attachment, sign
from docproc.store.blobs.source import PIECE_BYTES, Reader, Source, Stored, Whole, held_back

REGION = "us-east-1"
"""Set explicitly, so that the client does not request it."""
CONNECT_SECONDS, READ_SECONDS = 3.0, 60.0
LOST_AFTER_SECONDS = 6
"""Silence after which a connection is closed; a slow answer may take :data:`READ_SECONDS`."""
_WATCHED = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, LOST_AFTER_SECONDS // 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_AFTER_SECONDS * 1000),
]
HELD = "WORM"
"""Word in MinIO's refusal to delete an object under retention, whose code is the generic ``InvalidRequest``."""
ABSENT = ("NoSuchKey", "NoSuchObject", "MethodNotAllowed")
"""Codes for a missing key; the last is returned for a delete marker."""
DENIED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "InvalidArgument")
"""Codes of errors that retrying does not fix."""
OLD_VERSION_DAYS, HALF_UPLOAD_DAYS = 90, 7
"""Lifecycle: days after which replaced versions and interrupted uploads are deleted."""


@dataclass(frozen=True, slots=True)
class MinioBlobs:
    """A bucket of an S3 server; the client reads part by part and sends large files in parts."""

    client: Any
    bucket: str
    sse: SseS3 | SseKMS | None = None
    """How the server encrypts objects."""
    public: Any = None
    """Client that signs links for the server's public URL, if it has one; it sends no requests."""
    secret: bytes = b""
    """Signing key of the links that the service answers."""

    @classmethod
    def at(
        cls,
        host: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        *,
        secure: bool,
        encryption: str = "",
        public_url: str = "",
    ) -> MinioBlobs:
        """Refer to the bucket of a server; nothing is sent yet.

        Raises:
            SetupError: the server's public URL or the encryption setting is invalid.
        """
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        # A kiosk that hears "later" at once is better served than one that waits for many silent attempts.
        retries = urllib3.Retry(total=2, backoff_factor=0.2, status_forcelist=[500, 502, 503, 504])
        http = urllib3.PoolManager(timeout=timeout, retries=retries, maxsize=32, socket_options=_WATCHED)
        client = Minio(
            endpoint=host, access_key=access_key, secret_key=secret_key, secure=secure, http_client=http, region=REGION
        )
        public = _public(public_url, access_key, secret_key) if public_url else None
        secret = hmac.new(secret_key.encode(), b"docproc links", hashlib.sha256).digest()
        return cls(client, bucket, _encryption(encryption), public, secret)

    def prepare(self) -> None:
        """Create the bucket with versioning, object lock and lifecycle if it is missing.

        Raises:
            SetupError: the server refuses, or the bucket has no object lock.
            UnavailableError: the server is unreachable.
        """
        try:
            with self._reaching():
                if not self.client.bucket_exists(bucket_name=self.bucket):
                    self._make_bucket()
                self._check_lock()
        except (MinioException, ValueError) as error:
            remedy = "check DOCPROC_BLOBS, DOCPROC_S3_ACCESS_KEY and DOCPROC_S3_SECRET_KEY"
            raise SetupError(f"blob store, bucket {self.bucket}: {error}; {remedy}") from error

    def put(self, data: bytes, *, keep_days: int = 0) -> str:
        """Store the bytes; ``keep_days`` sets a COMPLIANCE retention that nobody can shorten."""
        return self.put_source(Whole(data), keep_days=keep_days)

    def put_source(self, source: Source, *, keep_days: int = 0) -> str:
        """Store what a source holds; of a large one a part at a time is in memory."""
        key = source.sha256
        until = datetime.now(UTC) + timedelta(days=keep_days)
        retention = Retention(COMPLIANCE, until) if keep_days else None
        if self.exists(key):
            if retention is not None:
                self._keep(key, retention)
            return key
        with tracing.span("blobs.put", bytes=source.size), self._reaching():
            self.client.put_object(
                bucket_name=self.bucket,
                object_name=key,
                data=Reader(source),
                length=source.size,
                retention=retention,
                sse=self.sse,
                num_parallel_uploads=1,
            )
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key, compared with their hash."""
        if not KEY.fullmatch(key):
            raise NotFoundError(f"not a blob key: {key[:80]!r}")
        try:
            with tracing.span("blobs.get"), self._reaching():
                response = self.client.get_object(bucket_name=self.bucket, object_name=key)
                try:
                    return verified(key, response.read())
                finally:
                    response.close()
                    response.release_conn()
        except S3Error as error:
            if error.code in ABSENT:
                raise NotFoundError(f"no blob {key}") from None
            raise

    def stream(self, key: str) -> Stored:
        """The bytes of a key as the server sends them."""
        if not KEY.fullmatch(key):
            raise NotFoundError(f"not a blob key: {key[:80]!r}")
        try:
            with self._reaching():
                response = self.client.get_object(bucket_name=self.bucket, object_name=key)
        except S3Error as error:
            if error.code in ABSENT:
                raise NotFoundError(f"no blob {key}") from None
            raise

        def pieces() -> Iterator[bytes]:
            try:
                with self._reaching():
                    yield from response.stream(PIECE_BYTES)
            finally:
                response.close()
                response.release_conn()

        return Stored(int(response.headers["Content-Length"]), held_back(pieces(), key, lambda: damaged(key)))

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key as a file."""
        return io.BytesIO(self.get(key))

    def exists(self, key: str) -> bool:
        """Whether the key is stored."""
        try:
            with self._reaching():
                self.client.stat_object(bucket_name=self.bucket, object_name=key)
        except S3Error as error:
            if error.code in ABSENT:
                return False
            raise
        return True

    def keep(self, key: str, days: int) -> None:
        """Extend the COMPLIANCE retention; a longer one stays."""
        if not self.exists(key):
            raise NotFoundError(f"no blob {key}")
        self._keep(key, Retention(COMPLIANCE, datetime.now(UTC) + timedelta(days=days)))

    def delete(self, key: str) -> bool:
        """Delete every version; the server refuses while one is under retention."""
        try:
            with self._reaching():
                listed = self.client.list_objects(bucket_name=self.bucket, prefix=key, include_version=True)
                versions = [item.version_id for item in listed if item.object_name == key]
                for version in versions:
                    self.client.remove_object(bucket_name=self.bucket, object_name=key, version_id=version)
        except S3Error as error:
            if error.code in ABSENT:
                return True
            if error.code in DENIED or error.code.startswith("ObjectLock") or HELD in str(error):
                return False
            raise
        return True

    def iterate(self) -> Iterator[str]:
        """All keys."""
        with self._reaching():
            for item in self.client.list_objects(bucket_name=self.bucket, recursive=True):
                if KEY.fullmatch(item.object_name):
                    yield item.object_name

    def link(self, link: Link) -> str:
        """A URL of the server itself if clients can reach it, otherwise one that the service answers."""
        if not KEY.fullmatch(link.key) or not self.exists(link.key):
            raise NotFoundError(f"no blob {link.key[:80]!r}")
        if self.public is None:
            return sign(link, self.secret)
        # The name and the type are part of what is signed; nosniff is the business of the proxy before the server.
        headers: Any = {
            "response-content-disposition": attachment(link.name),
            "response-content-type": link.media_type,
        }
        left = timedelta(seconds=max(1, link.expires - int(datetime.now(UTC).timestamp())))
        address = self.public.presigned_get_object(
            bucket_name=self.bucket, object_name=link.key, expires=left, response_headers=headers
        )
        return str(address)

    def link_secret(self) -> bytes:
        """Derived from the server's secret key, which every process has."""
        return self.secret

    def kept_until(self, key: str) -> datetime | None:
        """When the retention of a key ends; ``None`` without one."""
        with self._reaching():
            found = self.client.get_object_retention(bucket_name=self.bucket, object_name=key)
        return found.retain_until_date if found is not None else None

    def _keep(self, key: str, retention: Retention) -> None:
        """Extend a retention; a longer one stays."""
        present = self.kept_until(key)
        if present is None or present < retention.retain_until_date:
            with self._reaching():
                self.client.set_object_retention(bucket_name=self.bucket, object_name=key, config=retention)

    def _make_bucket(self) -> None:
        try:
            self.client.make_bucket(bucket_name=self.bucket, object_lock=True)
        except S3Error as error:
            if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise
            return  # another process was faster
        rules = [
            Rule(
                ENABLED,
                rule_filter=Filter(prefix=""),
                rule_id="docproc",
                noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=OLD_VERSION_DAYS),
                abort_incomplete_multipart_upload=AbortIncompleteMultipartUpload(HALF_UPLOAD_DAYS),
            )
        ]
        try:
            self.client.set_bucket_lifecycle(bucket_name=self.bucket, config=LifecycleConfig(rules))
        except S3Error as error:
            if error.code not in ("NotImplemented", "MethodNotAllowed"):
                raise

    def _check_lock(self) -> None:
        """Refuse a bucket in which a licence could be deleted; object lock is set when a bucket is created."""
        try:
            self.client.get_object_lock_config(bucket_name=self.bucket)
        except S3Error as error:
            if error.code != "ObjectLockConfigurationNotFoundError":
                raise
            raise SetupError(
                f"bucket {self.bucket!r} was made without object lock: name another one in DOCPROC_BLOBS"
            ) from error
        except ValueError:
            return  # locked without a default period, which the client does not expect

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """Raise UnavailableError while the server is unreachable, restarting or full."""
        try:
            yield
        except S3Error as error:
            if (
                error.code in ABSENT
                or HELD in str(error)
                or error.code in DENIED
                or error.code.startswith(("ObjectLock", "NoSuch", "Bucket"))
            ):
                raise
            raise UnavailableError(f"the blob store does not serve: {error.code}") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise UnavailableError(f"the blob store is out of reach: {type(error).__name__}") from error
        except MinioException as error:
            raise UnavailableError(f"the blob store answers strangely: {type(error).__name__}") from error


def _public(url: str, access_key: str, secret_key: str) -> Minio:
    kind, _, host = url.rstrip("/").partition("://")
    if kind not in ("http", "https") or not host or "/" in host:
        raise SetupError(f"DOCPROC_S3_PUBLIC_URL {url!r} is not understood: set http(s)://HOST or http(s)://HOST:PORT")
    return Minio(endpoint=host, access_key=access_key, secret_key=secret_key, secure=kind == "https", region=REGION)


def _encryption(text: str) -> SseS3 | SseKMS | None:
    kind, _, name = text.partition(":")
    if not text:
        return None
    if kind == "s3" and not name:
        return SseS3()
    if kind == "kms" and name:
        return SseKMS(name, {})
    raise SetupError(f"DOCPROC_S3_ENCRYPTION {text!r} is not understood: leave it empty, or set s3 or kms:NAME")
