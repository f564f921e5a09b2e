"""Confine a helper, once it has loaded its parser, and each child before it sees a foreign byte.

The helper pays for what all children share (namespaces, another user, Landlock, the filter's program); a child puts
itself under the filter of system calls and its budget.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from docproc.canonical import JsonObject
from docproc.errors import SetupError
from docproc.sandbox import filter as system_calls
from docproc.sandbox import kernel, landlock, namespaces
from docproc.sandbox.policy import SYSTEM, readable

MOST_HANDLES = 64
MOST_THREADS = 256
"""Of all parsers of one user together, where they have a user, or a namespace of users, of their own."""
_LAST_CAPABILITY = 63


@dataclass(frozen=True, slots=True)
class Held:
    """What holds a parser."""

    filter: bool = False
    """System calls are filtered."""
    landlock: int = 0
    """ABI of Landlock in force; 0: none."""
    namespaces: tuple[str, ...] = ()
    """Kinds of namespaces of its own."""
    own_files: bool = False
    """Whether the file system holds nothing but what it may read."""
    uid: int = -1
    """The user it runs as."""
    own_uid: bool = False
    """Whether that is another user than the service."""
    problems: tuple[str, ...] = ()
    """Why something does not hold, each with its remedy."""

    @property
    def is_enough(self) -> bool:
        """Whether the floor holds: the filter and Landlock."""
        return self.filter and self.landlock >= landlock.FLOOR

    def to_json(self) -> JsonObject:
        """As told by the helper."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Any) -> Held:
        """As told by the helper, which has not seen a foreign byte."""
        lists = {name: tuple(told[name]) for name in ("namespaces", "problems")}
        return cls(**{**told, **lists})


@dataclass(frozen=True, slots=True)
class Confinement:
    """A confined helper: what holds, and what its children still have to do."""

    held: Held
    program: bytes
    """The filter of system calls; empty where there is none."""
    counts_threads: bool
    """Whether a limit on threads counts nobody else's."""


def confine_helper(told: JsonObject, kinds: Sequence[str]) -> Confinement:
    """Give up everything that forking parsers does not need; nothing of it comes back.

    Args:
        told: the policy, see :meth:`docproc.sandbox.policy.Policy.told`.
        kinds: the namespaces that were entered.
    """
    problems: list[str] = []
    program = _program(bool(told["threads"]), problems)
    paths = readable(told["read"])
    own_files = "mount" in kinds and namespaces.keep_only(paths)
    rules = _rules(paths, problems)
    own_uid = _another_user(int(told["uid"]), paths, own_files, problems)
    _drop_privileges()
    version = 0
    if rules is not None:
        version = landlock.abi()
        landlock.restrict(rules)
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    held = Held(bool(program), version, tuple(kinds), own_files, os.getuid(), own_uid, tuple(problems))
    return Confinement(held, program, own_uid or bool(kinds))


def confine_child(confinement: Confinement, handles: Sequence[int]) -> list[int]:
    """In a child: keep these handles alone, and submit to the filter; returns the handles' new numbers."""
    kept = [fcntl.fcntl(handle, fcntl.F_DUPFD, MOST_HANDLES) for handle in handles]
    for number, handle in enumerate(kept):
        os.dup2(handle, 3 + number)
    os.closerange(3 + len(kept), os.sysconf("SC_OPEN_MAX"))
    os.dup2(1, 2)
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_HANDLES, MOST_HANDLES))
    if confinement.counts_threads:
        resource.setrlimit(resource.RLIMIT_NPROC, (MOST_THREADS, MOST_THREADS))
    if confinement.program:
        system_calls.enforce(confinement.program)
    return list(range(3, 3 + len(kept)))


def _program(threads: bool, problems: list[str]) -> bytes:
    try:
        return system_calls.program(threads=threads)
    except (SetupError, OSError) as problem:
        problems.append(f"no filter of system calls: {problem}")
    return b""


def _rules(paths: Sequence[Path], problems: list[str]) -> int | None:
    version = landlock.abi()
    if not version:
        problems.append("no Landlock: use Linux 5.13 or newer, started with `landlock` among its `lsm=`")
        return None
    return landlock.ruleset(paths, version)


def _another_user(uid: int, paths: Sequence[Path], own_files: bool, problems: list[str]) -> bool:
    """Become a user that owns nothing, where this one is root; False where this user remains."""
    if os.geteuid() != 0:
        return False
    if closed := _closed(paths, own_files):
        problems.append(f"parsers run as root, without its capabilities: other users cannot read {closed}")
        return False
    with suppress(OSError):
        for capability in range(_LAST_CAPABILITY + 1):
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except OSError as problem:
        problems.append(f"parsers run as root, without its capabilities: {problem.strerror}")
        return False
    return True


def _closed(paths: Sequence[Path], own_files: bool) -> Path | None:
    """Something that a user without rights of its own does not get to, of what does not come with the system.

    In a file system of its own the folders above the paths are open.
    """
    ours = [path for path in paths if not any(path.is_relative_to(place) for place in SYSTEM)]
    above: list[Path] = [] if own_files else [folder for path in ours for folder in path.parents]
    inside = [item for path in ours if path.is_dir() for item in path.iterdir()]
    for item in (*above, *ours, *inside):
        wanted = 0o005 if item in ours else 0o001 if item.is_dir() else 0o004
        if item.stat().st_mode & wanted != wanted:
            return item
    return None


def _drop_privileges() -> None:
    with suppress(OSError):
        for capability in range(_LAST_CAPABILITY + 1):
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
    with suppress(OSError):
        kernel.prctl(kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL)
    kernel.give_up_capabilities()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
