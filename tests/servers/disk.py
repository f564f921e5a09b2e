"""A file system of its own that can be made full and given room again."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import absent


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system in memory; it takes only what is stored in it."""

    folder: Path
    mib: int

    def fill(self) -> None:
        """Take all room away: its size becomes what is used; once more where a server wrote in between."""
        for _ in range(50):
            info = os.statvfs(self.folder)
            if self._size(str((info.f_blocks - info.f_bfree) * info.f_frsize)):
                return
        raise RuntimeError(f"{self.folder} grows faster than it can be made full")

    def free(self) -> None:
        """Give the room back."""
        assert self._size(f"{self.mib}m")

    def _size(self, size: str) -> bool:
        command = ["mount", "-o", f"remount,size={size}", self.folder]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def disk(mib: int) -> Iterator[Disk]:
    """Mount one that every account reaches; no test where that is not allowed."""
    folder = Path(tempfile.mkdtemp(prefix="docproc-disk-"))
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        folder.rmdir()
        absent("the right to mount a small file system", "the tests as root")
    try:
        yield Disk(folder, mib)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()
