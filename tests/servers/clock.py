"""A clock that a test sets while the process that reads it runs (libfaketime)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.servers.processes import absent

_WAITING = "import threading, time\ntime.sleep = lambda seconds: threading.Event().wait(seconds)\n"
"""Python sleeps until a moment of the clock that only goes on, which libfaketime does not give on; so it waits."""


def find_library(name: str = "libfaketimeMT.so.1") -> Path:
    """A library of libfaketime, by itself that for programs with threads; no test where clocks cannot be set."""
    found = next(Path("/usr/lib").glob(f"*/faketime/{name}"), None)
    return found or absent("libfaketime", "scripts/servers clock")


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of the processes that are started with :attr:`env`; the file says how far it is off."""

    file: Path
    library: Path

    @classmethod
    def right(cls, file: Path) -> Clock:
        """One that is right; no test where clocks cannot be set."""
        made = cls(file, find_library())
        (file.parent / "waiting").mkdir(exist_ok=True)
        (file.parent / "waiting" / "sitecustomize.py").write_text(_WAITING)
        made.set(0)
        return made

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to read it; time that only goes on, such as that of timeouts, is left alone.

        So are the times of files: by shifted ones Python would take its compiled modules for stale. The "fix" for waits
        until a moment of the time that only goes on is for an older C library; with it they end early, and threads that
        wait for the interpreter's lock take a core and more.
        """
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(self.file.parent / "waiting"),
        }

    def set(self, seconds: int) -> None:
        """Set it off by so many seconds, at once."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n")
        fresh.replace(self.file)
