"""The helper process behind :mod:`docproc.sandbox.parent`: imports the parser, forks a limited child for each job."""

from __future__ import annotations

import gc
import importlib
import json
import math
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from docproc.canonical import JsonObject
from docproc.errors import InputError

Target = Callable[[bytes, JsonObject], tuple[JsonObject, Sequence[Any]]]

_REQUEST = 65536
_LOOK_S = 0.2
"""How often running children are checked."""
_SHORTEST_S = 0.001
"""A timer of zero would never ring."""


_OUT_OF_TIME = (signal.SIGPROF, signal.SIGXCPU, signal.SIGVTALRM)
"""Signals by which the limits on CPU time end a child: the job's, and that of one of its parts."""


@dataclass(frozen=True, slots=True)
class _Running:
    """A child at work."""

    deadline: float
    reply: int
    """Handle on which the other side is told how a child ended that could not tell it itself."""


def serve(control: socket.socket, target: Target) -> None:
    """Fork a child for every request until the other side closes; kill those that outlive their time."""
    control.send(b"ready")
    running: dict[int, _Running] = {}
    while True:
        control.settimeout(_LOOK_S if running else None)
        try:
            request, handles, _, _ = socket.recv_fds(control, _REQUEST, 2)
        except TimeoutError:
            _look_after(running)
            continue
        except ConnectionResetError:  # the parent ended before it read that we are ready
            request, handles = b"", []
        if not request:
            for child in running:
                os.kill(child, signal.SIGKILL)
            return
        options = json.loads(request)
        child = os.fork()
        if child == 0:
            control.close()
            _work(options, handles, target)
        running[child] = _Running(time.monotonic() + float(options["wall_s"]), handles[0])
        for handle in handles[1:]:
            os.close(handle)
        _look_after(running)


def _look_after(running: dict[int, _Running]) -> None:
    """Collect children that ended, kill those over time."""
    for child, job in list(running.items()):
        late = time.monotonic() > job.deadline
        if late:
            os.kill(child, signal.SIGKILL)
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended != child:
            continue
        del running[child]
        if os.WIFSIGNALED(status):
            why = "cpu" if os.WTERMSIG(status) in _OUT_OF_TIME else "wall" if late else "crash"
            told = {"error": "died", "why": why, "cpu_s": used.ru_utime + used.ru_stime}
            with suppress(OSError), socket.socket(fileno=os.dup(job.reply)) as reply:
                reply.send(json.dumps(told).encode())
        os.close(job.reply)


def _work(options: JsonObject, handles: list[int], target: Target) -> None:
    """In the child: set the limits, run the target, answer, end."""
    reply = socket.socket(fileno=handles[0])
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        _limit(float(options["cpu_s"]), int(options["memory_mb"]) << 20, int(options["result_bytes"]))
        data = os.pread(handles[1], os.fstat(handles[1]).st_size, 0)
        answer, parts = target(data, options["options"])
        _answer(reply, [json.dumps(answer).encode(), *parts])
    except MemoryError:
        reply.send(json.dumps({"error": "memory", "cpu_s": time.process_time()}).encode())
    except InputError as problem:
        told = {"error": type(problem).__name__, "message": str(problem)[:500], "cpu_s": time.process_time()}
        reply.send(json.dumps({**told, "message_zh": problem.message_zh, "code": problem.code}).encode())
    except BaseException as problem:
        told = {"error": f"crash {type(problem).__name__}", "cpu_s": time.process_time()}
        reply.send(json.dumps(told).encode())
    finally:
        os._exit(0)


def _limit(cpu_s: float, memory: int, result_bytes: int) -> None:
    # The timer is exact and its signal ends the process; the limit counts whole seconds, but cannot be lifted again.
    signal.setitimer(signal.ITIMER_PROF, max(cpu_s, _SHORTEST_S))
    seconds = math.ceil(cpu_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (result_bytes, result_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(reply: socket.socket, parts: Sequence[Any]) -> None:
    """Write the parts into a memory file and send its handle."""
    views = [memoryview(part).cast("B") for part in parts]
    handle = os.memfd_create("pages")
    for view in views:
        done = 0
        while done < len(view):
            done += os.write(handle, view[done:])
    told = {"sizes": [len(view) for view in views], "cpu_s": time.process_time()}
    socket.send_fds(reply, [json.dumps(told).encode()], [handle])


def main() -> None:
    """``python -m docproc.sandbox.child CONTROL_FD MODULE:FUNCTION``."""
    module, function = sys.argv[2].split(":")
    target: Target = getattr(importlib.import_module(module), function)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page that it shares with this process
    with socket.socket(fileno=int(sys.argv[1])) as control:
        serve(control, target)


if __name__ == "__main__":
    main()
