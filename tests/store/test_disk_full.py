"""A full disk is a pause: nothing is kept by halves, nothing is lost, and work goes on once there is room."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from docproc.errors import UnavailableError
from docproc.store.blobs.blobs import FileBlobs
from docproc.store.db import open_database
from docproc.store.messages import outbox
from docproc.store.migrate import migrate
from tests.servers.processes import absent

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FILE = 300_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False)
    if made.returncode:
        absent("the right to mount a small file system", "the tests as root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_takes_no_half_blob_and_goes_on_with_room(small_disk: Path) -> None:
    store = FileBlobs(small_disk / "blobs")
    kept = {}
    with pytest.raises(UnavailableError, match="takes no files"):
        for _ in range(20):
            data = secrets.token_bytes(FILE)
            kept[store.put(data)] = data
    assert 10 < len(kept) < 16
    assert set(store.iterate()) == set(kept) and all(store.get(key) == data for key, data in kept.items())
    assert list((small_disk / "blobs").rglob(".new-*")) == [], "what did not fit takes no room"
    first = next(iter(kept))
    (small_disk / "blobs" / first[:2] / first).unlink()
    assert store.get(store.put(data)) == data


def test_a_full_disk_rolls_a_unit_of_work_back_and_goes_on_with_room(small_disk: Path) -> None:
    database = open_database(f"sqlite:///{small_disk / 'docproc.db'}")
    migrate(database)
    ballast = small_disk / "ballast"
    done = 0
    with pytest.raises(UnavailableError), ballast.open("wb") as file:
        for turn in range(400):
            if turn == 3:
                fill(file.fileno())
            with database.write() as session:
                outbox.add_event(session, AT, "topic", "subject", "office", text="x" * 20_000)
                outbox.add_event(session, AT, "topic", "subject", "office", text="x" * 20_000)
            done += 1
    assert done >= 3
    ballast.unlink()
    with database.write() as session:
        outbox.add_event(session, AT, "topic", "subject", "office")
    with database.read() as session:
        assert len(outbox.events(session, org=None, limit=1000)) == 2 * done + 1
    database.close()


def fill(handle: int) -> None:
    """Use what room is left."""
    try:
        while True:
            os.write(handle, bytes(4096))
    except OSError:
        return
