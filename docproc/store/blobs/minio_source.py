"""Scans in a bucket of an S3 server, read-only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from docproc.errors import InputError, UnavailableError

CONNECT_SECONDS, READ_SECONDS = 5.0, 60.0
REFUSED = ("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "NoSuchKey")
"""Codes of errors that retrying does not fix."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, or the part of it below a prefix."""

    client: Any
    name: str
    prefix: str

    @classmethod
    def open(cls, url: str, access_key: str, secret_key: str, *, secure: bool) -> Bucket:
        """Open ``s3://HOST:PORT/BUCKET`` or ``s3://HOST:PORT/BUCKET/FOLDER``; nothing is sent yet.

        Raises:
            InputError: the address has another form.
        """
        host, _, rest = url.removeprefix("s3://").partition("/")
        name, _, folder = rest.partition("/")
        if not url.startswith("s3://") or not host or not name:
            raise InputError(f"{url!r} is no bucket: write s3://HOST:PORT/BUCKET or s3://HOST:PORT/BUCKET/FOLDER")
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
        http = urllib3.PoolManager(timeout=timeout, retries=urllib3.Retry(total=2, backoff_factor=0.2), maxsize=64)
        client = Minio(endpoint=host, access_key=access_key, secret_key=secret_key, secure=secure, http_client=http)
        return cls(client, name, f"{folder.strip('/')}/" if folder.strip("/") else "")

    def keys(self) -> Iterator[str]:
        """Every key below the prefix, with the prefix removed, in order; files of one folder are adjacent."""
        with self._reaching():
            for item in self.client.list_objects(bucket_name=self.name, prefix=self.prefix, recursive=True):
                yield str(item.object_name).removeprefix(self.prefix)

    def read(self, key: str) -> bytes:
        """The bytes of a key returned by :meth:`keys`.

        Raises:
            UnavailableError: the server is unreachable.
            InputError: it refuses.
        """
        with self._reaching():
            response = self.client.get_object(bucket_name=self.name, object_name=self.prefix + key)
            try:
                return bytes(response.read())
            finally:
                response.close()
                response.release_conn()

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except S3Error as error:
            if error.code in REFUSED:
                raise InputError(f"bucket {self.name!r}: {error.code}: check its address and keys") from error
            raise UnavailableError(f"bucket {self.name!r} does not serve: {error.code}") from error
        except (urllib3.exceptions.HTTPError, OSError, MinioException) as error:
            raise UnavailableError(f"bucket {self.name!r} is out of reach: {type(error).__name__}") from error
