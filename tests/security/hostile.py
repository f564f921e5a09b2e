"""A parser that was taken over: what it tries, at the point where each production target parses.

No attempt does harm where it succeeds: what is written is a file made for it, signals are signal 0, and what would
change the machine (mounting, shared memory) is asked for in a way that the kernel must answer with another error than
a refusal.

Loaded by the helpers of ``tests/security/shut_in.py`` in place of a production target, it runs that very target with
its parser replaced; nothing in production knows of it. Which attempts are made stands at the end of the file.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import importlib
import json
import mmap
import os
import platform
import resource
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from docproc.canonical import JsonObject
from docproc.errors import UnsupportedFileError

MARK = b"\n%%ATTEMPTS "
REACHED = "reached: "
_libc = ctypes.CDLL(None, use_errno=True)
_NUMBERS = {  # of system calls that the C library has no function for
    "x86_64": {
        "clone3": 435,
        "io_uring_setup": 425,
        "bpf": 321,
        "perf_event_open": 298,
        "userfaultfd": 323,
        "add_key": 248,
    }
    | {
        "keyctl": 250,
        "pidfd_getfd": 438,
        "execveat": 322,
        "memfd_secret": 447,
        "open_by_handle_at": 304,
        "openat2": 437,
    },
    "aarch64": {
        "clone3": 435,
        "io_uring_setup": 425,
        "bpf": 280,
        "perf_event_open": 241,
        "userfaultfd": 282,
        "add_key": 217,
    }
    | {
        "keyctl": 219,
        "pidfd_getfd": 438,
        "execveat": 281,
        "memfd_secret": 447,
        "open_by_handle_at": 265,
        "openat2": 437,
    },
}[platform.machine()]


def _checked(found: int) -> int:
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return found


def _call(name: str, *arguments: Any) -> int:
    return _checked(_libc.syscall(ctypes.c_long(_NUMBERS[name]), *arguments))


def _asked(found: int) -> bool:
    """Whether the kernel was asked at all, whatever it answered."""
    if found < 0 and ctypes.get_errno() in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        raise PermissionError
    return True


def _long(value: int) -> ctypes.c_long:
    return ctypes.c_long(value)


# --- what may be read, were it not shut in: each returns what it found


def read_path(goal: JsonObject, name: str) -> object:
    return Path(goal[name]).read_bytes()[:40]


def list_folder(goal: JsonObject, name: str) -> object:
    return os.listdir(goal[name])  # noqa: PTH208


def proc_of(goal: JsonObject, name: str, file: str) -> object:
    with Path(f"/proc/{goal[name]}/{file}").open("rb") as opened:
        return opened.read(40) if file != "mem" else opened.fileno()


def other_processes(goal: JsonObject) -> object:
    return [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def inherited_handles(goal: JsonObject) -> object:
    """Handles besides standard input, output and error, the reply and the data."""
    if not goal["handles"]:
        raise OSError("none")
    return goal["handles"]


def _handles() -> list[int]:
    found = []
    for handle in range(5, 1024):
        with suppress(OSError):
            os.fstat(handle)
            found.append(handle)
    return found


def known_paths(goal: JsonObject) -> object:
    """Whether a file is there, and how large: Landlock leaves that to the rights of the user."""
    return Path(goal["database"]).stat().st_size


def standard_error(goal: JsonObject) -> object:
    """The service's log."""
    if os.fstat(2).st_rdev == os.makedev(1, 3):
        raise OSError("it is the null device")
    return os.write(2, b"")


def secrets_in_environment(goal: JsonObject) -> object:
    found = [name for name, value in os.environ.items() if goal["secret"] in value]
    if not found:
        raise OSError("none")
    return found


def opened_by_path_alone(goal: JsonObject) -> object:
    return os.open(goal["data"], os.O_PATH)


def opened_as_openat2(goal: JsonObject) -> object:
    how = (ctypes.c_uint64 * 3)(0, 0, 0)
    return _call("openat2", _long(-100), os.fsencode(goal["database"]), how, _long(24))


# --- writing


def write_new(goal: JsonObject, name: str) -> object:
    path = Path(goal[name]) / f"written-{os.getpid()}"
    path.write_bytes(b"x")
    path.unlink()
    return str(path)


def overwrite(goal: JsonObject) -> object:
    return os.open(goal["victim"], os.O_RDWR)


def truncate(goal: JsonObject) -> object:
    os.truncate(goal["victim"], 0)
    return True


def change_mode(goal: JsonObject) -> object:
    Path(goal["victim"]).chmod(0o666)
    return True


def change_times(goal: JsonObject) -> object:
    os.utime(goal["victim"], (1, 1))
    return True


def change_attribute(goal: JsonObject) -> object:
    os.setxattr(goal["victim"], "user.mark", b"1")
    return True


def rename(goal: JsonObject) -> object:
    Path(goal["victim"]).rename(goal["victim"] + "2")
    Path(goal["victim"] + "2").rename(goal["victim"])
    return True


def link(goal: JsonObject) -> object:
    path = Path(goal["data"]) / f"link-{os.getpid()}"
    path.hardlink_to(goal["victim"])
    path.unlink()
    return True


def make_folder(goal: JsonObject) -> object:
    tempfile.mkdtemp(dir=goal["data"])
    return True


# --- network and sockets


def tcp(goal: JsonObject) -> object:
    return socket.create_connection(("127.0.0.1", goal["port"]), 1).fileno()


def udp(goal: JsonObject) -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9))


def listen(goal: JsonObject) -> object:
    return socket.create_server(("127.0.0.1", 0)).fileno()


def unix(goal: JsonObject) -> object:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect(goal["unix"])
    return True


def abstract(goal: JsonObject) -> object:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.connect("\0" + goal["abstract"])
    return True


def netlink(goal: JsonObject) -> object:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).fileno()


def datagram_by_pair(goal: JsonObject) -> object:
    """A datagram of a pair can be addressed to somebody else."""
    ours, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return ours.sendto(b"x", goal["datagram"])


def stream_pair_elsewhere(goal: JsonObject) -> object:
    ours, _ = socket.socketpair()
    ours.sendto(b"x", goal["datagram"])
    return True


# --- processes


def fork(goal: JsonObject) -> object:
    child = os.fork()
    if child == 0:
        os._exit(0)
    return child


def raw_clone3(goal: JsonObject) -> object:
    arguments = (ctypes.c_uint64 * 8)(0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    child = _call("clone3", arguments, _long(64))
    if child == 0:
        os._exit(0)
    return child


def shell(goal: JsonObject) -> object:
    return subprocess.run(["/bin/sh", "-c", "id"], capture_output=True, check=True).stdout


def spawn(goal: JsonObject) -> object:
    return os.posix_spawn("/bin/sh", ["sh", "-c", "exit"], {})


def execute(goal: JsonObject) -> object:
    os.execv("/bin/true", ["true"])


def execute_from_memory(goal: JsonObject) -> object:
    handle = os.memfd_create("program")
    return _call("execveat", _long(handle), b"", None, None, _long(0x1000))


def signal_service(goal: JsonObject) -> object:
    os.kill(goal["service"], 0)
    return True


def signal_sealer(goal: JsonObject) -> object:
    os.kill(goal["sealer"], 0)
    return True


def signal_helper(goal: JsonObject) -> object:
    os.kill(os.getppid(), 0)
    return True


def signal_group(goal: JsonObject) -> object:
    os.kill(0, 0)
    return True


def signal_by_owner(goal: JsonObject) -> object:
    """The kernel signals whoever is said to own a socket."""
    ours, _ = socket.socketpair()
    return fcntl.fcntl(ours, fcntl.F_SETOWN, goal["sealer"]) == 0


def ptrace(goal: JsonObject) -> object:
    found = _checked(_libc.ptrace(16, goal["sealer"], None, None))
    os.waitpid(goal["sealer"], 0x40000000)
    _libc.ptrace(17, goal["sealer"], None, None)
    return found == 0


def read_memory(goal: JsonObject, name: str) -> object:
    taken = ctypes.create_string_buffer(16)
    ours = (ctypes.c_void_p * 2)(ctypes.addressof(taken), 16)
    theirs = (ctypes.c_void_p * 2)(goal["address"], 16)
    _checked(_libc.process_vm_readv(goal[name], ours, _long(1), theirs, _long(1), _long(0)))
    return taken.raw


def handle_of_process(goal: JsonObject) -> object:
    return os.pidfd_open(goal["sealer"])


def priority_of_others(goal: JsonObject) -> object:
    os.setpriority(os.PRIO_PROCESS, goal["sealer"], 5)
    return True


def limits_of_others(goal: JsonObject) -> object:
    return resource.prlimit(goal["sealer"], resource.RLIMIT_NOFILE)


def lift_own_limits(goal: JsonObject) -> object:
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (soft - (1 << 20), hard))
    except ValueError as error:  # what Python makes of EPERM here
        raise PermissionError from error
    return True


def lift_own_timer(goal: JsonObject) -> object:
    signal.setitimer(signal.ITIMER_PROF, 0)
    return True


# --- the kernel


def become_root(goal: JsonObject) -> object:
    os.setresuid(0, 0, 0)
    return True


def be_dumpable(goal: JsonObject) -> object:
    return _checked(_libc.prctl(4, 1, 0, 0, 0)) == 0


def leave_namespaces(goal: JsonObject) -> object:
    return _checked(_libc.unshare(0x10000000)) == 0


def mount(goal: JsonObject) -> object:
    return _asked(_libc.mount(b"none", b"/docproc/no/such/folder", b"no-such-kind", 0, None))


def shared_memory(goal: JsonObject) -> object:
    return _asked(_libc.shmget(0x7D0C9A01, 4096, 0))  # one that nobody made


def watch_folder(goal: JsonObject) -> object:
    handle = _checked(_libc.inotify_init1(0))
    return _checked(_libc.inotify_add_watch(handle, os.fsencode(goal["data"]), 0xFFF))


def io_uring(goal: JsonObject) -> object:
    return _call("io_uring_setup", _long(8), (ctypes.c_char * 120)())


def bpf(goal: JsonObject) -> object:
    return _call("bpf", _long(0), (ctypes.c_uint32 * 16)(2, 4, 4, 1), _long(64))


def perf(goal: JsonObject) -> object:
    attributes = (ctypes.c_uint32 * 32)(1, 128)
    return _call("perf_event_open", attributes, _long(0), _long(-1), _long(-1), _long(0))


def userfaultfd(goal: JsonObject) -> object:
    return _call("userfaultfd", _long(1))


def keyring(goal: JsonObject) -> object:
    return _call("keyctl", _long(0), _long(-1), _long(0))


def by_handle(goal: JsonObject) -> object:
    number = ctypes.c_long(_NUMBERS["open_by_handle_at"])
    return _asked(_libc.syscall(number, _long(-100), (ctypes.c_uint32 * 34)(8, 1), _long(0)))


def terminal(goal: JsonObject) -> object:
    """Typing into a terminal (TIOCSTI), where there is none."""
    return _asked(_libc.ioctl(0, _long(0x5412), b"x"))


def other_architecture(goal: JsonObject) -> object:
    """A 32-bit system call from 64-bit code: numbers mean other things there."""
    if platform.machine() != "x86_64":
        raise OSError("there is none")
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, getpid; int 0x80; ret
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()


def x32(goal: JsonObject) -> object:
    if platform.machine() != "x86_64":
        raise OSError("there is none")
    return _checked(_libc.syscall(ctypes.c_long(0x40000000 | 39)))


ATTEMPTS: dict[str, Callable[[JsonObject], object]] = {
    **{
        f"read {name}": (lambda goal, name=name: read_path(goal, name))  # type: ignore[misc]
        for name in ("database", "seal_key", "passphrase", "process_key", "passwd")
    },
    **{f"list {name}": (lambda goal, name=name: list_folder(goal, name)) for name in ("data", "root", "home")},  # type: ignore[misc]
    **{
        f"{file} of {name}": (lambda goal, name=name, file=file: proc_of(goal, name, file))  # type: ignore[misc]
        for name in ("sealer", "service", "itself")
        for file in ("environ", "mem", "cmdline", "maps")
    },
    **{
        f"write into {name}": (lambda goal, name=name: write_new(goal, name))
        for name in ("data", "temporary", "package")
    },  # type: ignore[misc]
    **{f"memory of {name}": (lambda goal, name=name: read_memory(goal, name)) for name in ("sealer", "service")},  # type: ignore[misc]
    **{
        attempt.__name__: attempt
        for attempt in (
            *(
                known_paths,
                other_processes,
                inherited_handles,
                standard_error,
                secrets_in_environment,
                opened_by_path_alone,
            ),
            *(opened_as_openat2, overwrite, truncate, change_mode, change_times, change_attribute, rename, link),
            *(make_folder, tcp, udp, listen, unix, abstract, netlink, datagram_by_pair, stream_pair_elsewhere, fork),
            *(raw_clone3, shell, spawn, execute, execute_from_memory, signal_service, signal_sealer, signal_helper),
            *(signal_group, signal_by_owner, ptrace, handle_of_process, priority_of_others, limits_of_others),
            *(lift_own_limits, lift_own_timer, become_root, be_dumpable, leave_namespaces, mount, shared_memory),
            *(watch_folder, io_uring, bpf, perf, userfaultfd, keyring, by_handle, terminal, other_architecture, x32),
        )
    },
}
STOPPED = {
    *("memory of sealer", "memory of service", "tcp", "udp", "listen", "unix", "abstract", "netlink", "shell"),
    *("execute", "execute_from_memory", "ptrace", "handle_of_process", "leave_namespaces", "mount", "io_uring", "bpf"),
    *("perf", "userfaultfd", "keyring", "by_handle", "other_architecture", "x32"),
}
"""Those for which the parser is stopped at once; each needs a child of its own."""


FREELY = {
    *("read database", "read seal_key", "read passphrase", "read process_key", "read passwd", "list data", "list root"),
    *("environ of sealer", "cmdline of sealer", "write into data", "write into temporary", "opened_by_path_alone"),
    *("other_processes", "overwrite", "change_mode", "rename", "link", "make_folder", "tcp", "udp", "listen", "unix"),
    *("abstract", "datagram_by_pair", "fork", "raw_clone3", "shell", "spawn", "signal_service", "signal_sealer"),
    *("signal_helper", "signal_by_owner", "handle_of_process", "lift_own_timer", "be_dumpable", "watch_folder"),
    *("mount", "shared_memory", "terminal", "known_paths"),
}
"""Those that a process which nothing shuts in is let try: they change nothing of the machine, not even for a moment."""


def attempt(names: Sequence[str], goal: JsonObject) -> list[str]:
    """Make these attempts and return those that succeeded."""
    reached = []
    for name in names:
        try:
            ATTEMPTS[name](goal)
        except (OSError, subprocess.SubprocessError, PermissionError):
            continue
        reached.append(name)
    return reached


def _through(target: Callable[..., Any], owner: Any, parser: str) -> Callable[..., Any]:
    """The production target, with a parser that was taken over."""

    def run(data: bytes, options: JsonObject) -> Any:
        told = json.loads(data[data.index(MARK) + len(MARK) :])
        goal = {**told["goal"], "handles": _handles(), "itself": os.getpid()}
        reached: list[list[str]] = []

        def taken_over(*_: Any, **__: Any) -> Any:
            reached.append(attempt(told["names"], goal))
            raise ValueError("the parser was taken over")

        setattr(owner, parser, taken_over)
        try:
            target(data, options)
        except Exception:
            if not reached:
                raise
        raise UnsupportedFileError(f"{REACHED}{json.dumps(reached[0])}" if reached else "never parsed")

    return run


def liar(data: bytes, options: JsonObject) -> tuple[JsonObject, list[bytes]]:
    """A parser that was taken over and answers what it likes."""
    told = json.loads(data[data.index(MARK) + len(MARK) :])
    return told["answer"], [b"x"] * told["parts"]


_TARGETS = {  # of each: the production target, and its parser
    "split": ("docproc.scan.files.split_limited:split_job", "cv2:imdecode"),
    "codes": ("docproc.read.printed.photo_job:codes_job", "cv2:imdecode"),
    "photographs": ("docproc.read.printed.photo_job:compare_job", "cv2:imdecode"),
    "papers": ("docproc.scan.compare.job:paper_match_job", "cv2:imdecode"),
    "licence": ("docproc.licence.verify.job:examine_job", "docproc.licence.verify.verify:PdfFileReader"),
}


def __getattr__(name: str) -> Callable[..., Any]:
    """A hostile target by name; a helper loads what its production target loads, and no more."""
    if name not in _TARGETS:
        raise AttributeError(name)
    (module, function), (owner, parser) = (place.split(":") for place in _TARGETS[name])
    target = getattr(importlib.import_module(module), function)
    return _through(target, importlib.import_module(owner), parser)
