"""Landlock (Linux 5.13 and newer): this process and its children read the given paths, and touch nothing else.

Rights are those of the kernel's ``landlock.h``; what an older kernel does not know is left out and named by its ABI.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from docproc.sandbox import kernel

FLOOR = 1
"""The oldest ABI that is enough beside the filter of system calls, which refuses what later ones add."""
_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many of the rights on files, in the order of their bits, each ABI brought: 2 refer, 3 truncate, 5 ioctl."""
_NETWORK_FROM, _NETWORK = 4, 0b11
"""TCP bind and connect."""
_SCOPE_FROM, _SCOPE = 6, 0b11
"""Abstract UNIX sockets and signals of processes outside."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scope", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The kernel's version of Landlock; 0 where it has none, or has it switched off."""
    with suppress(OSError):
        return kernel.call(_CREATE, None, 0, _VERSION)
    return 0


def ruleset(paths: Iterable[Path], version: int) -> int:
    """A handle of rules that let the paths be read and refuse everything else.

    Raises:
        OSError: the kernel refuses.
    """
    files = max(count for since, count in _FILE_RIGHTS.items() if since <= version)
    wanted = _Ruleset((1 << files) - 1, _NETWORK * (version >= _NETWORK_FROM), _SCOPE * (version >= _SCOPE_FROM))
    handle = kernel.call(_CREATE, wanted, _size(version), 0)
    for path in paths:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        allowed = _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        kernel.call(_ADD_RULE, handle, _PATH_BENEATH, _PathBeneath(allowed, place), 0)
        os.close(place)
    return handle


def restrict(handle: int) -> None:
    """Put this process under the rules, for good; it must have given up new privileges.

    Raises:
        OSError: the kernel refuses.
    """
    kernel.call(_RESTRICT, handle, 0)
    os.close(handle)


def _size(version: int) -> int:
    """Bytes of the ruleset that a kernel of this version knows."""
    return 24 if version >= _SCOPE_FROM else 16 if version >= _NETWORK_FROM else 8
