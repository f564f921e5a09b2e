"""Bytes that are stored without ever being one object in memory: hash and size are known, and they come in pieces."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from docproc.errors import DocprocError, UnavailableError

HEAD_BYTES = 4096
"""So many first bytes tell what a file is."""
PIECE_BYTES = 1 << 18


class Source(Protocol):
    """A file that can be read from its beginning as often as it is needed."""

    @property
    def sha256(self) -> str:
        """Hash of all bytes, lower-case hex."""

    @property
    def size(self) -> int:
        """Number of bytes."""

    @property
    def head(self) -> bytes:
        """The first :data:`HEAD_BYTES`, or all where there are fewer."""

    def pieces(self) -> Iterator[bytes]:
        """All bytes in order."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A source whose bytes are in memory already."""

    data: bytes
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        """Compute the hash, once."""
        object.__setattr__(self, "sha256", hashlib.sha256(self.data).hexdigest())

    @property
    def size(self) -> int:
        """Number of bytes."""
        return len(self.data)

    @property
    def head(self) -> bytes:
        """The first bytes."""
        return self.data[:HEAD_BYTES]

    def pieces(self) -> Iterator[bytes]:
        """All bytes in one piece."""
        yield self.data


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored file on its way out: its size, and its bytes in pieces, once."""

    size: int
    pieces: Iterator[bytes]

    def read(self) -> bytes:
        """All bytes that are left."""
        return b"".join(self.pieces)


def source_of(data: bytes | Source) -> Source:
    """Bytes as a source; a source as it is."""
    return Whole(data) if isinstance(data, bytes) else data


def unchanged(source: Source) -> Iterator[bytes]:
    """All bytes of a source; the last of them only when the hash of all is the one that is known.

    Raises:
        UnavailableError: it is not: where the bytes wait, they changed.
    """
    told = "the bytes of a file changed before they were stored: send it again"
    return held_back(source.pieces(), source.sha256, lambda: UnavailableError(told))


def held_back(pieces: Iterator[bytes], sha256: str, wrong: Callable[[], DocprocError]) -> Iterator[bytes]:
    """The pieces, the last of them only when the hash of all is the one that is known; otherwise ``wrong`` is raised.

    Whoever is given these never has a whole file that is another one.
    """
    found, last = hashlib.sha256(), b""
    for piece in pieces:
        if last:
            yield last
        found.update(piece)
        last = piece
    if found.hexdigest() != sha256:
        raise wrong()
    yield last


class Reader(io.RawIOBase):
    """A source as a file open for reading, for libraries that take one; raises as :func:`unchanged`."""

    def __init__(self, source: Source) -> None:
        """Begin at the first byte."""
        self._pieces = unchanged(source)
        self._left = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Exactly ``size`` bytes, fewer only at the end; all that are left with a negative ``size``."""
        parts, held = [self._left], len(self._left)
        while size < 0 or held < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            held += len(piece)
        data = b"".join(parts)
        end = held if size < 0 else size
        self._left = data[end:]
        return data[:end]
