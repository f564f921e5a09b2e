"""Files that only their owner can read: keys, passphrases, databases.

A file of keys is there as a whole or not at all. Modes are set here and do not depend on the umask.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

FILE_MODE, FOLDER_MODE = 0o600, 0o700
_OTHERS = 0o077


def write_private(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a private file, over one that is there; a ``durable`` one survives a power cut once this returns."""
    half = path.with_name(f".{path.name}.half")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    half.replace(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def create_private(path: Path, data: bytes) -> None:
    """Write a private file that is not there yet; of several processes that try at once one succeeds.

    Raises:
        FileExistsError: it is there.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    finally:
        Path(name).unlink()


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner can enter; one that is there and ours is closed to others.

    One of another owner, or one where everybody may put files (``/tmp``), is left as it is.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid == os.geteuid() and not found.st_mode & stat.S_ISVTX:
        _close(folder, found)


def private_database(path: Path) -> None:
    """Make an empty file for SQLite that only its owner can read, or close the one that is there to others.

    So are the files that SQLite keeps beside it; new ones get the mode of the database.

    Raises:
        OSError: it cannot be made.
    """
    path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        try:
            found = file.stat()
            if found.st_uid == os.geteuid():
                _close(file, found)
        except FileNotFoundError:
            pass  # there is none, or its last user took it away


def _close(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS:
        path.chmod(mode & ~_OTHERS)
