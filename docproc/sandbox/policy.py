"""What a parser may use besides the floor that all share: declared with each sandbox, and handed to its helper."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from docproc.canonical import JsonObject

UID = 65533
"""The user and group that parsers run as where the service is root: nobody's files, nobody's other processes."""
_PACKAGE = Path(__file__).resolve().parents[1]
SYSTEM = (
    *("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"),
    *("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo"),
    *("/dev/null", "/dev/urandom"),
    *("/proc/cpuinfo", "/sys/devices/system/cpu"),
)
"""Libraries, time zones, and what the numerical libraries look up about the processor."""


def _nothing() -> tuple[Path, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Policy:
    """What one kind of parser needs: nothing is written and nothing else is read, whatever stands here."""

    read: Callable[[], Iterable[Path]] = _nothing
    """Files and folders to read besides the interpreter, its libraries and this package's own data."""
    threads: bool = False
    """Whether it may start threads, as the decoder of HEIC does; processes never."""
    warm_up: str = ""
    """``module:function`` that the helper, of which each child is a copy, calls once before it gives anything up: it
    loads what all children use, or does their work once on data of our own."""

    def told(self, uid: int, *, warm: bool) -> JsonObject:
        """What the helper is told."""
        read = [str(path.absolute()) for path in self.read()]
        warm_up = self.warm_up if warm else ""
        return {"read": read, "threads": self.threads, "warm_up": warm_up, "uid": uid}


def readable(further: Iterable[str]) -> list[Path]:
    """Every path that a parser in this interpreter may read: existing, absolute, none inside another.

    The folder of the environment is not among them as a whole: data and keys may lie in it.
    """
    kept = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    kept += [entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")]
    kept += [str(Path(sys.base_prefix) / "lib")] if sys.base_prefix not in ("/", "/usr") else []
    found: list[Path] = []
    for path in sorted({Path(os.path.normpath(item)) for item in (*SYSTEM, *kept, str(_PACKAGE), *further)}):
        if path.is_absolute() and path.exists() and not any(path.is_relative_to(outer) for outer in found):
            found.append(path)
    return found
