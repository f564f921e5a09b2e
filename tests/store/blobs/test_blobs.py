"""One contract for every blob store."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from docproc.errors import NotFoundError, SetupError
from docproc.store.blobs.blobs import Blobs, DamagedBlobError, FileBlobs, open_blobs

DATA = b"scan \x00\xff" * 1000


def test_what_was_put_comes_back_under_its_hash(blobs: Blobs) -> None:
    key = blobs.put(DATA)
    assert key == hashlib.sha256(DATA).hexdigest()
    assert blobs.get(key) == DATA
    with blobs.open(key) as file:
        assert file.read() == DATA
    assert blobs.exists(key)


def test_putting_twice_is_putting_once(blobs: Blobs) -> None:
    assert blobs.put(DATA) == blobs.put(DATA)
    other = blobs.put(b"")
    assert sorted(blobs.iterate()) == sorted({blobs.put(DATA), other})


@pytest.mark.parametrize("key", ["0" * 64, "../../etc/passwd", "", "ABC"])
def test_an_unknown_or_foreign_key_is_not_found(blobs: Blobs, key: str) -> None:
    with pytest.raises(NotFoundError):
        blobs.get(key)


def test_a_damaged_file_is_never_given_out(tmp_path: Path) -> None:
    store = FileBlobs(tmp_path)
    key = store.put(DATA)
    path = tmp_path / key[:2] / key
    path.write_bytes(DATA[:-1] + b"?")
    with pytest.raises(DamagedBlobError, match=key):
        store.get(key)


def test_a_put_that_was_cut_short_leaves_no_blob(tmp_path: Path) -> None:
    store = FileBlobs(tmp_path)
    key = store.put(DATA)
    (tmp_path / key[:2] / ".new-left-over").write_bytes(b"half")
    assert list(store.iterate()) == [key]


def test_retention_makes_the_file_read_only(tmp_path: Path) -> None:
    store = FileBlobs(tmp_path)
    key = store.put(DATA, keep_days=30)
    assert (tmp_path / key[:2] / key).stat().st_mode & 0o222 == 0


@pytest.mark.parametrize("url", ["ftp://x/y", "file:", "s3://", "s3://host", ""])
def test_an_address_that_is_none_names_the_setting(url: str) -> None:
    with pytest.raises(SetupError, match="DOCPROC_BLOBS"):
        open_blobs(url)


def test_what_is_deleted_is_gone_and_deleting_again_is_harmless(blobs: Blobs) -> None:
    key = blobs.put(DATA + b"to go")
    assert blobs.delete(key) and not blobs.exists(key) and key not in set(blobs.iterate())
    assert blobs.delete(key)
    assert blobs.put(DATA + b"to go") == key and blobs.get(key) == DATA + b"to go"


def test_what_does_not_exist_cannot_be_kept(blobs: Blobs) -> None:
    with pytest.raises(NotFoundError):
        blobs.keep("0" * 64, 1)
