"""Run a parser of untrusted bytes in a throw-away process that can do nothing else, with limits.

A helper process imports the parser once, gives up what it could reach (see
:mod:`docproc.sandbox.confine`) and never sees a foreign byte; for every job it
forks a child, which may only compute, lives under limits on CPU time, memory
and wall time and ends with the job. A fork costs milliseconds where starting
Python and its libraries costs most of a second. What comes back is JSON and
raw bytes, never pickles: a compromised child must not reach the service.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from docproc import errors
from docproc.assets.paths import compiled_dir, models_dir
from docproc.canonical import JsonObject
from docproc.errors import DocprocError, InputError, LimitError, OverdueError, SetupError, UnsupportedFileError
from docproc.sandbox.confine import Held
from docproc.sandbox.demand import accept, user
from docproc.sandbox.policy import Policy
from docproc.sandbox.spent import spend

log = logging.getLogger(__name__)

_START_S = 60.0
_GRACE_S = 5.0
_MESSAGE = 65536
_TOO_LONG_ZH = "文件处理时间过长，请降低分辨率、减少页数或重新扫描后上传"
_TOO_BIG_ZH = "文件展开后过大，请降低分辨率或分开上传"
_CRASH_ZH = "文件已损坏或含有异常内容，无法打开，请重新扫描后上传"


@dataclass(frozen=True, slots=True)
class Budget:
    """What one job may use."""

    cpu_s: float = 20
    memory_mb: int = 2048
    """Address space, the parser's own code included."""
    wall_s: float = 45.0
    result_bytes: int = 1_000_000_000


@dataclass(slots=True)
class Sandbox:
    """A helper process for one parser, started at the first call and again after a fault.

    Threads may share it. ``target`` is ``"module:function"``; the function takes
    ``(data: bytes, options: dict)`` and returns ``(dict, list of bytes-like)``.
    """

    target: str
    policy: Policy = field(default_factory=Policy)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _control: socket.socket | None = field(default=None, repr=False)
    _owner: int = 0
    _held: Held | None = field(default=None, repr=False)

    def start(self, *, warm: bool = True) -> None:
        """Start the helper and do not wait for it: it loads its parser while the caller does something else.

        Args:
            warm: whether it warms up first (:attr:`Policy.warm_up`), which pays from the second job on.
        """
        with self._lock:
            if not self._is_running():
                self._spawn(warm=warm)

    def call(
        self, data: bytes, options: JsonObject, budget: Budget | None = None
    ) -> tuple[JsonObject, list[bytearray]]:
        """Run the target on the data in a fresh child.

        Raises:
            LimitError: it took too much time or memory, or gave too much back.
            UnsupportedFileError: the child crashed on the data.
            InputError: the target itself refused the data (its class, code and messages are kept).
            SetupError: the helper cannot be started, or cannot be confined where it must be.
        """
        budget = budget or Budget()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs:
                self._submit(data, options, budget, theirs)
            started = time.monotonic()
            ours.settimeout(budget.wall_s + _GRACE_S)
            try:
                message, handles, _, _ = socket.recv_fds(ours, _MESSAGE, 1)
            except (TimeoutError, ConnectionError):
                message, handles = b"", []
        try:
            if not message:  # the helper ended, too: the most that the child can have used is paid
                waited = time.monotonic() - started
                spend(min(waited, budget.cpu_s))
                raise _died("wall" if waited >= budget.wall_s else "crash", waited, self.target)
            return _result(message, handles, budget, self.target)
        finally:
            for handle in handles:
                os.close(handle)

    def close(self) -> None:
        """End the helper process; a later call starts a new one."""
        with self._lock:
            self._stop()

    def held(self) -> Held:
        """What holds this parser; starts the helper.

        Raises:
            SetupError: the helper cannot be started, or what holds is not enough and no weaker one is allowed.
        """
        with self._lock:
            self._helper()
            assert self._held is not None
            return self._held

    def _submit(self, data: bytes, options: JsonObject, budget: Budget, reply: socket.socket) -> None:
        handle = os.memfd_create("upload")
        try:
            with os.fdopen(os.dup(handle), "wb") as file:
                file.write(data)
            limits = {"cpu_s": budget.cpu_s, "memory_mb": budget.memory_mb, "wall_s": budget.wall_s}
            request = json.dumps({**limits, "result_bytes": budget.result_bytes, "options": options}).encode()
            with self._lock:
                try:
                    socket.send_fds(self._helper(), [request], [reply.fileno(), handle])
                except OSError:
                    self._stop()
                    socket.send_fds(self._helper(), [request], [reply.fileno(), handle])
        finally:
            os.close(handle)

    def _helper(self) -> socket.socket:
        """The control socket of a running helper; a fork of our own process needs one of its own."""
        if not self._is_running():
            self._spawn()
        ours = self._control
        assert ours is not None
        if self._held is not None:
            return ours
        ours.settimeout(_START_S)
        try:
            held = Held.from_json(json.loads(ours.recv(_MESSAGE)))
        except (OSError, ValueError) as problem:
            self._stop()
            raise SetupError(f"the sandbox helper for {self.target} does not start: run `docproc doctor`") from problem
        try:
            accept(held)
        except SetupError:
            self._stop()
            raise
        ours.settimeout(_GRACE_S)
        self._held = held
        return ours

    def _is_running(self) -> bool:
        return self._control is not None and self._owner == os.getpid()

    def _spawn(self, *, warm: bool = True) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            policy = json.dumps(self.policy.told(user(), warm=warm))
            module = ["-P", "-s", "-m", "docproc.sandbox.child"]
            command = [sys.executable, *module, str(theirs.fileno()), self.target, policy]
            # A bare environment: keys and passwords of the service must not be where a foreign file is parsed.
            environment = {
                "PATH": os.defpath,
                "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
                "LC_ALL": "C.UTF-8",
                "OPENBLAS_NUM_THREADS": "1",
                "OMP_NUM_THREADS": "1",
                "HOME": "/nonexistent",
                "DOCPROC_MODELS": str(models_dir().absolute()),
                "XDG_CACHE_HOME": str(compiled_dir().absolute().parents[1]),
            }
            self._process = subprocess.Popen(
                command,
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._control, self._owner, self._held = ours, os.getpid(), None
        atexit.register(self.close)

    def _stop(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None and self._owner in (0, os.getpid()):
            try:
                self._process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None


@contextmanager
def understanding() -> Iterator[None]:
    """Make what a caller cannot make sense of in an answer the file's fault: a parser that was taken over may lie.

    Raises:
        UnsupportedFileError: in place of what a wrong answer sets off.
    """
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, StopIteration) as problem:
        raise UnsupportedFileError("parser gave nonsense", message_zh=_CRASH_ZH, code="damaged_file") from problem


def _died(why: str, seconds: float, target: str) -> DocprocError:
    """The error for a child that ended without an answer; ``seconds`` is what it computed."""
    if why == "cpu":
        return LimitError(f"parser stopped after {seconds:.1f} s of CPU", message_zh=_TOO_LONG_ZH, code="too_slow")
    if why == "wall":
        return OverdueError(f"parser did not end in time, and used {seconds:.1f} s of CPU", message_zh=_TOO_LONG_ZH)
    if why == "filter":
        log.warning("a parser (%s) was stopped by its filter: it asked the kernel for what no parser needs", target)
    return UnsupportedFileError("parser crashed on this file", message_zh=_CRASH_ZH, code="damaged_file")


def _result(message: bytes, handles: list[int], budget: Budget, target: str) -> tuple[JsonObject, list[bytearray]]:
    """Check and fetch what the child says it has left in its memory file."""
    try:
        answer = json.loads(message)
        used = min(max(0.0, float(answer["cpu_s"])), budget.cpu_s)
        spend(used)
        if "error" in answer:
            raise _refusal(answer, used, target)
        sizes = [int(size) for size in answer["sizes"]]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as problem:
        raise UnsupportedFileError("parser gave nonsense", message_zh=_CRASH_ZH, code="damaged_file") from problem
    if not handles or min(sizes, default=-1) < 0 or sum(sizes) > budget.result_bytes:
        raise LimitError(f"parser gave {sum(sizes)} bytes", message_zh=_TOO_BIG_ZH, code="too_much_memory")
    parts, offset = [], 0
    try:
        for size in sizes:
            parts.append(_fetch(handles[0], size, offset))
            offset += size
        told = json.loads(bytes(parts[0]))
    except (OSError, ValueError, RecursionError) as problem:  # not a memory file, or not JSON
        raise UnsupportedFileError("parser gave nonsense", message_zh=_CRASH_ZH, code="damaged_file") from problem
    return told, parts[1:]


def _fetch(handle: int, size: int, offset: int) -> bytearray:
    """Copy, not map: the child might still shorten the file under a mapping."""
    part = bytearray(size)
    view, done = memoryview(part), 0
    while done < size:
        read = os.preadv(handle, [view[done:]], offset + done)
        if read == 0:
            raise UnsupportedFileError("parser gave too little", message_zh=_CRASH_ZH, code="damaged_file")
        done += read
    return part


def _refusal(answer: JsonObject, used: float, target: str) -> DocprocError:
    """The target's own error, rebuilt; only kinds of input errors are believed."""
    if answer["error"] == "died":
        return _died(str(answer["why"]), used, target)
    if answer["error"] == "memory":
        return LimitError("parser ran out of memory", message_zh=_TOO_BIG_ZH, code="too_much_memory")
    kind = getattr(errors, str(answer["error"]), None)
    if not (isinstance(kind, type) and issubclass(kind, InputError)):
        return UnsupportedFileError(f"parser failed: {answer['error']}", message_zh=_CRASH_ZH, code="damaged_file")
    return kind(str(answer["message"]), message_zh=str(answer["message_zh"]), code=str(answer["code"]))
