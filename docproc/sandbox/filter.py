"""The filter of system calls that a parser runs under: ``syscalls.toml``, turned into a program by libseccomp.

The program is made once in the helper; a child only hands it to the kernel.
"""

from __future__ import annotations

import ctypes
import errno
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docproc.errors import SetupError
from docproc.sandbox import kernel

_TABLE = Path(__file__).with_name("syscalls.toml")
_ALLOWED = ("files", "answer", "waiting", "memory", "itself", "signals", "time", "locks")
_FILTER_MODE = 2
_INSTRUCTION = 8
"""Bytes."""
_FASTER = 2
"""A search tree in place of a list, for what the kernel has not decided beforehand."""


def program(*, threads: bool, architecture: str = "") -> bytes:
    """The filter as instructions of the kernel's BPF machine.

    Args:
        threads: whether threads may be started.
        architecture: of the machine, as libseccomp calls it; empty: this one.

    Raises:
        SetupError: libseccomp is missing, or does not know this machine.
    """
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError, AttributeError) as problem:
        raise SetupError(f"libseccomp is missing ({problem}): apt-get install libseccomp2") from problem
    table = tomllib.loads(_TABLE.read_text("utf-8"))
    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
    rules.set_attr(pyseccomp.Attr.ACT_BADARCH, pyseccomp.KILL_PROCESS)
    rules.set_attr(pyseccomp.Attr.CTL_OPTIMIZE, _FASTER)
    if architecture:
        wanted = getattr(pyseccomp.Arch, architecture)
        if wanted != pyseccomp.system_arch():
            rules.add_arch(wanted)
            rules.remove_arch(pyseccomp.system_arch())
    for action, groups in (
        (pyseccomp.ALLOW, _ALLOWED),
        (pyseccomp.ERRNO(errno.ENOSYS), ("unknown",)),
        (pyseccomp.KILL_PROCESS, ("fatal",)),
    ):
        for name in (name for group in groups for name in table[group]):
            _add(rules, pyseccomp, action, name)
    for rule in (*table["masked"], *(table["threads"] if threads else ())):
        tests = [_masked(pyseccomp, test) for test in (rule, rule.get("and")) if test]
        for name in rule["calls"]:
            _add(rules, pyseccomp, pyseccomp.ALLOW, name, tests)
    for rule in table["one_of"]:
        for name in rule["calls"]:
            for value in rule["values"]:
                # Of these the kernel reads 32 bits; what stands above them is not its business, nor ours.
                test = pyseccomp.Arg(rule["argument"], pyseccomp.MASKED_EQ, 0xFFFFFFFF, value)
                _add(rules, pyseccomp, pyseccomp.ALLOW, name, [test])
    return _exported(rules)


def enforce(instructions: bytes) -> None:
    """Put this thread under the filter, for good; it must have given up new privileges.

    Raises:
        OSError: the kernel refuses.
    """
    loaded = _Program(len(instructions) // _INSTRUCTION, instructions)
    kernel.prctl(kernel.PR_SET_SECCOMP, _FILTER_MODE, ctypes.addressof(loaded))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _masked(pyseccomp: Any, test: Mapping[str, int]) -> Any:
    return pyseccomp.Arg(test["argument"], pyseccomp.MASKED_EQ, test["mask"], test["value"])


def _add(rules: Any, pyseccomp: Any, action: int, name: str, tests: Sequence[Any] = ()) -> None:
    number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    if number >= 0:  # this machine has it
        rules.add_rule(action, number, *tests)


def _exported(rules: Any) -> bytes:
    with os.fdopen(os.memfd_create("filter"), "r+b") as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()
