"""The helper process behind :mod:`docproc.sandbox.parent`: imports the parser, forks a limited child for each job."""

from __future__ import annotations

import gc
import importlib
import json
import math
import os
import resource
import select
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
from docproc.sandbox import kernel
from docproc.sandbox.confine import Confinement, confine_child, confine_helper
from docproc.sandbox.namespaces import enter

Target = Callable[[bytes, JsonObject], tuple[JsonObject, Sequence[Any]]]

_REQUEST = 65536
_SHORTEST_S = 0.001
"""A timer of zero would never ring."""

_FEW_COLLECTIONS = (100_000, 100, 100)
"""A child ends before its garbage matters; looking for it is a tenth of its time."""

_OUT_OF_TIME = (signal.SIGPROF, signal.SIGXCPU, signal.SIGVTALRM)
"""Signals by which the limits on CPU time end a child: the job's, and that of one of its parts."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A running child."""

    pid: int
    ended: int
    """Handle that can be read once it has ended."""
    reply: int
    """Handle on which the other side is told how a child ended that could not tell it itself."""
    deadline: float


def serve(control: socket.socket, target: Target, confinement: Confinement) -> None:
    """Fork a child for every request until the other side closes; kill those that outlive their time."""
    try:
        control.send(json.dumps(confinement.held.to_json()).encode())
    except BrokenPipeError:  # the other side ended while this one was getting ready
        return
    jobs: dict[int, _Job] = {}
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while True:
        next_deadline = min((job.deadline for job in jobs.values()), default=math.inf)
        pause = None if math.isinf(next_deadline) else max(0.0, next_deadline - time.monotonic()) * 1000 + 1
        ready = [handle for handle, _ in poll.poll(pause)]
        for handle in ready:
            if handle in jobs:
                poll.unregister(handle)
                _collect(jobs.pop(handle))
        for job in jobs.values():
            if time.monotonic() > job.deadline:
                os.kill(job.pid, signal.SIGKILL)
        if control.fileno() not in ready:
            continue
        try:
            request, handles, _, _ = socket.recv_fds(control, _REQUEST, 2)
        except ConnectionResetError:  # the parent ended before it read that we are ready
            request, handles = b"", []
        if not request:
            for job in jobs.values():
                os.kill(job.pid, signal.SIGKILL)
            return
        options = json.loads(request)
        child = os.fork()
        if child == 0:
            _work(options, handles, target, confinement)
        job = _Job(child, os.pidfd_open(child), handles[0], time.monotonic() + float(options["wall_s"]))
        os.close(handles[1])
        jobs[job.ended] = job
        poll.register(job.ended, select.POLLIN)


def _collect(job: _Job) -> None:
    """Take note of how a child ended; the parent learns of one that did not answer."""
    _, status, used = os.wait4(job.pid, 0)
    os.close(job.ended)
    with socket.socket(fileno=job.reply) as reply, suppress(OSError):
        if os.WIFSIGNALED(status):
            why = _why(os.WTERMSIG(status), late=time.monotonic() > job.deadline)
            told = {"error": "died", "why": why, "cpu_s": used.ru_utime + used.ru_stime}
            reply.send(json.dumps(told).encode())


def _why(number: int, *, late: bool) -> str:
    if number in _OUT_OF_TIME:
        return "cpu"
    return "filter" if number == signal.SIGSYS else "wall" if late else "crash"


def _work(options: JsonObject, handles: list[int], target: Target, confinement: Confinement) -> None:
    """In the child: submit to filter and limits, run the target, answer, end."""
    gc.set_threshold(*_FEW_COLLECTIONS)
    try:
        _limit(float(options["cpu_s"]), int(options["memory_mb"]) << 20, int(options["result_bytes"]))
        answers_on, holds_data = confine_child(confinement, handles)
        reply = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, answers_on)
        try:
            data = os.pread(holds_data, os.fstat(holds_data).st_size, 0)
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


def _named(name: str) -> Any:
    module, function = name.split(":")
    return getattr(importlib.import_module(module), function)


def main() -> None:
    """``python -m docproc.sandbox.child CONTROL_FD MODULE:FUNCTION POLICY``."""
    handle, policy = int(sys.argv[1]), json.loads(sys.argv[3])
    os.setsid()
    before = os.getpid()
    kinds = enter()
    target: Target = _named(sys.argv[2])
    if policy["warm_up"]:
        _named(policy["warm_up"])()
    confinement = confine_helper(policy, kinds)
    if os.getpid() != before:  # it was forked: whoever is told to end it tells the process that waits for this one
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page that it shares with this process
    with socket.socket(fileno=handle) as control:
        serve(control, target, confinement)


if __name__ == "__main__":
    main()
