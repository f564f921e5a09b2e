"""Files of requests on their way in: on disk, without a name, hashed as they come, and gone with the request.

Small ones never reach the disk. A file has no name from its first moment on, so that nothing is left of it whatever
happens to the process, and only the process's own user may read it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from anyio import CapacityLimiter

from docproc.errors import UnavailableError
from docproc.private_file import private_folder
from docproc.store.blobs.source import HEAD_BYTES, PIECE_BYTES

BUFFER_BYTES = 1 << 16
"""So much of a file is in memory while it comes in."""
WRITERS = 8
"""Threads that write; those that serve requests may all be busy with something else."""


class Files:
    """Where files lie on their way in."""

    def __init__(self, folder: Path) -> None:
        """Nothing is made yet."""
        self.folder = folder
        self._writers: CapacityLimiter | None = None

    def begin(self, name: str = "") -> SpooledFile:
        """A new file of that name, empty."""
        return SpooledFile(self, name)

    def open(self) -> int:
        """A file without a name, mode 0600; its number."""
        private_folder(self.folder)
        with tempfile.TemporaryFile(dir=self.folder) as file:
            return os.dup(file.fileno())

    @property
    def writers(self) -> CapacityLimiter:
        """Of the running event loop."""
        if self._writers is None:
            self._writers = CapacityLimiter(WRITERS)
        return self._writers


@dataclass(slots=True, eq=False)
class SpooledFile:
    """A file of a request; a :class:`docproc.store.blobs.source.Source` once it is whole."""

    files: Files
    name: str = ""
    size: int = 0
    head: bytes = b""
    sha256: str = ""
    """Of all bytes, once the file is whole."""
    _buffer: bytearray = field(default_factory=bytearray)
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)
    _handle: int | None = None

    async def write(self, data: bytes | memoryview) -> None:
        """Add bytes.

        Raises:
            UnavailableError: the disk takes no more.
        """
        self._buffer += data
        self.size += len(data)
        if len(self._buffer) >= BUFFER_BYTES:
            await anyio.to_thread.run_sync(self._flush, limiter=self.files.writers)

    async def finish(self) -> None:
        """No more bytes come."""
        await anyio.to_thread.run_sync(self._finish, limiter=self.files.writers)

    def finished(self) -> SpooledFile:
        """The same, if it is small enough never to have reached the disk."""
        self._finish()
        return self

    def close(self) -> None:
        """Let the bytes go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        self._buffer = bytearray()

    def pieces(self) -> Iterator[bytes]:
        """All bytes in order; call it when the file is whole."""
        if self._handle is None:
            yield bytes(self._buffer)
            return
        place = 0
        while piece := os.pread(self._handle, PIECE_BYTES, place):
            yield piece
            place += len(piece)

    def read(self) -> bytes:
        """All bytes, as one object."""
        if self._handle is None:
            return bytes(self._buffer)
        return os.pread(self._handle, self.size, 0)

    def _finish(self) -> None:
        if self._handle is not None:
            self._flush()
        else:
            self._hash.update(self._buffer)
            self.head = bytes(self._buffer[:HEAD_BYTES])
        self.sha256 = self._hash.hexdigest()

    def _flush(self) -> None:
        try:
            if self._handle is None:
                self.head = bytes(self._buffer[:HEAD_BYTES])
                self._handle = self.files.open()
            with memoryview(self._buffer) as view:
                self._hash.update(view)
                written = 0
                while written < len(view):
                    written += os.write(self._handle, view[written:])
        except OSError as error:
            told = f"{self.files.folder} takes no files: {error.strerror}"
            raise UnavailableError(f"{told}; see DOCPROC_SPOOL_DIR") from error
        self._buffer.clear()
