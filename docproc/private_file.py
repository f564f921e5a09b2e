"""Files that hold keys or passphrases: their owner alone can read them, and they are there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_private(path: Path, data: bytes) -> None:
    """Write a private file, over one that is there."""
    half = path.with_name(f".{path.name}.half")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    half.replace(path)


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
