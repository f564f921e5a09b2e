"""Namespaces of the helper's own, where the kernel gives them: no network, no other processes, hardly any files.

An addition: where nothing of this is allowed (containers without capabilities), Landlock and the filter of system
calls keep a parser from the same things.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from docproc.sandbox import kernel

_USER = 0x10000000
_KINDS = {"mount": 0x00020000, "uts": 0x04000000, "ipc": 0x08000000, "pid": 0x20000000, "net": 0x40000000}
_CAP_SYS_ADMIN = 1 << 21
_MS_REMOUNTED_PRIVATE = 0x4000 | 0x40000
"""MS_REC, MS_PRIVATE."""
_MS_BIND = 0x1000 | 0x4000
"""With MS_REC."""
_MS_NOSUID_NODEV = 2 | 4
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_MOUNT_SETATTR = 442
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_READ_ONLY_NOSUID = (1 | 2).to_bytes(8, "little") + bytes(24)
_MOUNTPOINTS = ("/tmp", "/mnt", "/run", "/var")


def enter() -> tuple[str, ...]:
    """Leave the service's namespaces and fork, for good; the kinds that were left, none where none is allowed.

    The process that comes back is the first one of a PID namespace; the one that called waits for it and ends with it.
    """
    uid, gid = os.geteuid(), os.getegid()
    privileged = bool(kernel.capabilities() & _CAP_SYS_ADMIN)
    if uid == 0 and not privileged:
        return ()  # a namespace of users in which root is alone: it could not become another user there
    try:
        kernel.unshare(sum(_KINDS.values()) | (0 if privileged else _USER))
        if not privileged:
            _map_itself(uid, gid)
        child = os.fork()
    except OSError:
        return ()
    if child:
        _wait_for(child)
    return tuple(sorted(_KINDS))


def keep_only(paths: Sequence[Path]) -> bool:
    """Replace the file system by one with these paths alone, where they are now, and read-only.

    To be called in a mount namespace of its own; False where the kernel refuses, which changes nothing.
    """
    machine = os.uname().machine
    place = next((item for item in _MOUNTPOINTS if Path(item).is_dir()), "")
    if machine not in _PIVOT_ROOT or not place:
        return False
    try:
        kernel.mount(None, "/", None, _MS_REMOUNTED_PRIVATE)
        handles = [(path, path.is_dir(), os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in paths]
        kernel.mount("tmpfs", place, "tmpfs", _MS_NOSUID_NODEV, "size=1m,mode=0755")
    except OSError:
        return False
    try:
        for path, is_folder, handle in handles:
            _show(place, path, is_folder, handle)
        os.chdir(place)
        kernel.call(_PIVOT_ROOT[machine], b".\0", b".\0")
    except OSError:
        os.chdir("/")
        with suppress(OSError):
            kernel.unmount(place, _MNT_DETACH)
        return False
    finally:
        for *_, handle in handles:
            os.close(handle)
    kernel.unmount(".", _MNT_DETACH)
    os.chdir("/")
    with suppress(OSError):  # Linux 5.12; Landlock refuses every writing beside
        size = len(_READ_ONLY_NOSUID)
        kernel.call(_MOUNT_SETATTR, _AT_FDCWD, b"/\0", _AT_RECURSIVE, _READ_ONLY_NOSUID, size)
    return True


def _show(root: str, path: Path, is_folder: bool, handle: int) -> None:
    target = Path(root) / path.relative_to("/")
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    if is_folder:
        target.mkdir(mode=0o755, exist_ok=True)
    else:
        target.touch()
    kernel.mount(f"/proc/self/fd/{handle}", str(target), None, _MS_BIND)


def _map_itself(uid: int, gid: int) -> None:
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def _wait_for(child: int) -> None:
    """End with the helper, and let it end with this process, which its starter knows."""
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGKILL))
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    _, status = os.waitpid(child, 0)
    sys.stderr.flush()
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
