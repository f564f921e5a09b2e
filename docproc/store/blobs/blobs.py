"""Content-addressed files: the key of a blob is the SHA-256 of its bytes, in lower-case hex.

Stored bytes are read back unchanged or not at all: every read compares the hash.
Storing the same bytes again is harmless.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import re
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from docproc.errors import DocprocError, NotFoundError, SetupError, UnavailableError
from docproc.private_file import FOLDER_MODE, private_folder
from docproc.store.blobs.links import Link, sign
from docproc.store.blobs.source import PIECE_BYTES, Source, Stored, Whole, held_back, unchanged

KEY = re.compile(r"[0-9a-f]{64}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)


class DamagedBlobError(DocprocError):
    """A stored file no longer has its original bytes: restore it from a backup."""

    code = "damaged_blob"


class Blobs(Protocol):
    """A content-addressed store; every call raises UnavailableError while the store is unreachable or full."""

    def put(self, data: bytes, *, keep_days: int = 0) -> str:
        """Store the bytes durably and return their key; ``keep_days`` forbids deletion so long, where supported."""

    def put_source(self, source: Source, *, keep_days: int = 0) -> str:
        """As :meth:`put`, from a source that is read piece by piece."""

    def get(self, key: str) -> bytes:
        """The bytes of a key.

        Raises:
            NotFoundError: no such key.
            DamagedBlobError: the stored bytes have another hash.
        """

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key as a file open for reading; raises as :meth:`get`."""

    def stream(self, key: str) -> Stored:
        """The bytes of a key in pieces, without having them all in memory; raises as :meth:`get`.

        That they are damaged may be found out on the way: then the last piece is not given.
        """

    def exists(self, key: str) -> bool:
        """Whether the key is stored."""

    def keep(self, key: str, days: int) -> None:
        """Forbid deletion for that long from now where supported; never shortens a retention.

        Raises:
            NotFoundError: no such key.
        """

    def delete(self, key: str) -> bool:
        """Delete the bytes; ``False`` while they are under retention; missing bytes count as deleted."""

    def iterate(self) -> Iterator[str]:
        """All keys, in no particular order."""

    def link(self, link: Link) -> str:
        """A URL from which anybody can download the bytes until it expires.

        Absolute where the store itself answers, which does not compare hashes; otherwise relative to
        the route at which the service answers links signed with :meth:`link_secret`.

        Raises:
            NotFoundError: no such key.
        """

    def link_secret(self) -> bytes:
        """Signing key of the links that the service answers; the same for every process that uses this store."""


def open_blobs(
    url: str,
    *,
    access_key: str = "",
    secret_key: str = "",
    secure: bool = True,
    encryption: str = "",
    public_url: str = "",
    look: bool = True,
) -> Blobs:
    """Open ``file:FOLDER`` or ``s3://HOST:PORT/BUCKET``; the bucket is created when missing.

    Args:
        url: address of the store.
        access_key: for the S3 server.
        secret_key: for the S3 server.
        secure: use TLS to the S3 server.
        encryption: by the S3 server: empty for none, ``s3`` for its own key, ``kms:NAME`` for a named one.
        public_url: of the S3 server, for links to it; empty: clients cannot reach it, so the service answers links.
        look: check the bucket at once; ``False`` where the caller knows that this was done.

    Raises:
        SetupError: the address has neither form, or the server refuses.
        UnavailableError: the server is unreachable.
    """
    kind, _, rest = url.partition(":")
    if kind == "file" and rest:
        folder = FileBlobs(Path(rest))
        if look:
            folder.close_to_others()
        return folder
    host, _, bucket = rest.removeprefix("//").partition("/")
    if kind == "s3" and host and bucket:
        from docproc.store.blobs.minio_blobs import MinioBlobs

        bucket = bucket.strip("/")
        store = MinioBlobs.at(
            host, bucket, access_key, secret_key, secure=secure, encryption=encryption, public_url=public_url
        )
        if look:
            store.prepare()
        return store
    raise SetupError(f"blob store {url!r} is not understood: set DOCPROC_BLOBS to file:FOLDER or s3://HOST:PORT/BUCKET")


@dataclass(frozen=True, slots=True)
class FileBlobs:
    """A folder, two levels deep; each file appears complete, by an atomic rename after fsync."""

    root: Path

    def close_to_others(self) -> None:
        """Make the folder, or close the one that is there, so that only its owner can enter.

        Raises:
            SetupError: it cannot be made.
        """
        try:
            private_folder(self.root)
        except OSError as error:
            raise SetupError(f"the folder of blobs {self.root} cannot be used: {error.strerror}") from error

    def put(self, data: bytes, *, keep_days: int = 0) -> str:
        """Store the bytes; a plain folder has no retention, so ``keep_days`` only makes the file read-only."""
        return self.put_source(Whole(data), keep_days=keep_days)

    def put_source(self, source: Source, *, keep_days: int = 0) -> str:
        """Store what a source holds."""
        key = source.sha256
        path = self._path(key)
        mode = 0o400 if keep_days else 0o600
        try:
            if not path.is_file():
                _write(path, unchanged(source), mode)
            elif keep_days:
                path.chmod(mode)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise UnavailableError(f"the blob store {self.root} takes no files: {error.strerror}") from error
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key, compared with their hash."""
        try:
            data = self._path(key).read_bytes()
        except FileNotFoundError:
            raise NotFoundError(f"no blob {key}") from None
        return verified(key, data)

    def open(self, key: str) -> BinaryIO:
        """The bytes of a key as a file."""
        return io.BytesIO(self.get(key))

    def stream(self, key: str) -> Stored:
        """The bytes of a key, read twice: whether they are damaged is known before the first one is given."""
        path = self._path(key)
        try:
            size = sum(map(len, held_back(_pieces(path), key, lambda: damaged(key))))
        except FileNotFoundError:
            raise NotFoundError(f"no blob {key}") from None
        return Stored(size, held_back(_pieces(path), key, lambda: damaged(key)))

    def exists(self, key: str) -> bool:
        """Whether the key is stored."""
        return self._path(key).is_file()

    def keep(self, key: str, days: int) -> None:
        """Make the file read-only; a plain folder has no retention."""
        path = self._path(key)
        if not path.is_file():
            raise NotFoundError(f"no blob {key}")
        path.chmod(0o400)

    def delete(self, key: str) -> bool:
        """Remove the file."""
        try:
            self._path(key).unlink(missing_ok=True)
        except OSError as error:
            raise UnavailableError(f"the blob store {self.root} does not let {key} go: {error.strerror}") from error
        return True

    def iterate(self) -> Iterator[str]:
        """All keys."""
        for path in self.root.glob("??/*"):
            if KEY.fullmatch(path.name):
                yield path.name

    def link(self, link: Link) -> str:
        """A URL that the service answers."""
        if not self.exists(link.key):
            raise NotFoundError(f"no blob {link.key}")
        return sign(link, self.link_secret())

    def link_secret(self) -> bytes:
        """Stored beside the blobs, created at the first call."""
        path = self.root / ".link-key"
        if not path.is_file():
            with suppress(FileExistsError):  # another process was faster
                _write(path, (secrets.token_bytes(32),), 0o600, replace=False)
        return path.read_bytes()

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise NotFoundError(f"not a blob key: {key[:80]!r}")
        return self.root / key[:2] / key


def verified(key: str, data: bytes) -> bytes:
    """The bytes, if their hash is the key.

    Raises:
        DamagedBlobError: they are not.
    """
    if hashlib.sha256(data).hexdigest() != key:
        raise damaged(key)
    return data


def damaged(key: str) -> DamagedBlobError:
    """What is raised where a blob has another hash."""
    return DamagedBlobError(f"blob {key} is damaged: restore it from a backup")


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _write(path: Path, pieces: Iterable[bytes], mode: int, *, replace: bool = True) -> None:
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        if replace:
            temporary.replace(path)
        else:
            path.hardlink_to(temporary)
            temporary.unlink()
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    for folder in (path.parent, path.parent.parent):
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
