"""The kernel's own calls that Python has no function for."""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_libc.unshare.argtypes = [ctypes.c_int]
_libc.umount2.argtypes = [ctypes.c_char_p, ctypes.c_int]
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


def call(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | ctypes.Structure | bytes | None) -> int:
    """Make a system call by its number.

    Raises:
        OSError: as the kernel says.
    """
    found = int(_libc.syscall(ctypes.c_long(number), *(_word(item) for item in arguments)))
    return _checked(found)


def prctl(option: int, value: int = 0, further: int = 0) -> int:
    """Change this process; raises OSError."""
    return _checked(int(_libc.prctl(option, value, further, 0, 0)))


def unshare(flags: int) -> None:
    """Leave the namespaces named by the flags; raises OSError."""
    _checked(int(_libc.unshare(flags)))


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount; raises OSError."""
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    _checked(int(_libc.mount(texts[0], texts[1], texts[2], flags, texts[3])))


def unmount(target: str, flags: int) -> None:
    """Unmount; raises OSError."""
    _checked(int(_libc.umount2(os.fsencode(target), flags)))


def capabilities() -> int:
    """The effective capabilities of this process, one bit each."""
    header, sets = _CapHeader(_CAP_VERSION, 0), (_CapData * 2)()
    _checked(int(_libc.capget(ctypes.byref(header), sets)))
    return int(sets[0].effective | sets[1].effective << 32)


def give_up_capabilities() -> None:
    """Drop every capability, also those that this process could get by itself; raises OSError."""
    _checked(int(_libc.capset(ctypes.byref(_CapHeader(_CAP_VERSION, 0)), (_CapData * 2)())))


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


_CAP_VERSION = 0x20080522


def _word(item: int | ctypes.Array[ctypes.c_char] | ctypes.Structure | bytes | None) -> object:
    if isinstance(item, int):
        return ctypes.c_long(item)
    return ctypes.byref(item) if isinstance(item, ctypes.Structure) else item


def _checked(found: int) -> int:
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return found
