"""Bytes that are stored piece by piece: the same key as at once, and nothing under a key that is not its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from docproc.errors import NotFoundError, UnavailableError
from docproc.store.blobs.blobs import Blobs, DamagedBlobError, FileBlobs, damaged
from docproc.store.blobs.source import Reader, Source, Whole, held_back, source_of, unchanged
from tests.store.blobs.test_s3 import opened

DATA = bytes(range(256)) * 50_000


@dataclass
class Pieces:
    """A file that comes in pieces, and that says to have a hash."""

    data: bytes
    sha256: str
    step: int = 70_001

    @property
    def size(self) -> int:
        return len(self.data)

    @property
    def head(self) -> bytes:
        return self.data[:4096]

    def pieces(self) -> Iterator[bytes]:
        for place in range(0, len(self.data), self.step):
            yield self.data[place : place + self.step]


@pytest.fixture(params=["file", "minio", "versitygw"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "file":
        return FileBlobs(tmp_path / "blobs")
    return opened(request.getfixturevalue(request.param), f"pieces-{uuid4().hex[:8]}")


def test_what_comes_in_pieces_is_the_same_file(blobs: Blobs, tmp_path: Path) -> None:
    source: Source = Pieces(DATA, hashlib.sha256(DATA).hexdigest())
    assert blobs.put_source(source) == FileBlobs(tmp_path / "others").put(DATA)
    assert blobs.get(source.sha256) == DATA
    assert blobs.put_source(source) == source.sha256, "again"


def test_what_changed_on_its_way_is_not_stored(blobs: Blobs) -> None:
    wrong = Pieces(DATA + b"!", hashlib.sha256(DATA).hexdigest())
    with pytest.raises(UnavailableError):
        blobs.put_source(wrong)
    assert not blobs.exists(wrong.sha256) and list(blobs.iterate()) == []
    given: list[bytes] = []
    with pytest.raises(UnavailableError):
        given.extend(unchanged(wrong))
    assert len(b"".join(given)) < len(DATA)


@pytest.mark.parametrize("sizes", [[-1], [1, 2, 100_000, -1], [len(DATA), 10], [50_000_000]])
def test_a_source_reads_like_a_file(sizes: list[int]) -> None:
    reader = Reader(Pieces(DATA, hashlib.sha256(DATA).hexdigest()))
    read = [reader.read(size) for size in sizes]
    assert b"".join(read) == DATA[: len(b"".join(read))]
    for size, data in zip(sizes[:-1], read[:-1], strict=True):
        assert len(data) == size


def test_bytes_are_a_source_and_nothing_is_one_too() -> None:
    empty = source_of(b"")
    assert (empty.size, empty.head, b"".join(empty.pieces())) == (0, b"", b"")
    assert source_of(empty) is empty and Whole(b"a").sha256 == hashlib.sha256(b"a").hexdigest()
    assert Reader(empty).read() == b""


def test_a_file_goes_out_in_pieces_and_a_damaged_one_never_whole(blobs: Blobs) -> None:
    key = blobs.put(DATA)
    found = blobs.stream(key)
    assert found.size == len(DATA) and found.read() == DATA
    with pytest.raises(NotFoundError):
        blobs.stream("0" * 64)
    if isinstance(blobs, FileBlobs):
        path = blobs.root / key[:2] / key
        path.chmod(0o600)
        path.write_bytes(DATA[:-1] + b"!")
        with pytest.raises(DamagedBlobError):
            blobs.stream(key)
    given: list[bytes] = []
    with pytest.raises(DamagedBlobError):
        for piece in held_back(iter([b"a", b"b", b"c"]), key, lambda: damaged(key)):
            given.append(piece)
    assert given == [b"a", b"b"]
