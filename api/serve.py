"""The whole service on one machine: a web process, readers and a sealer under one parent.

The parent parses nothing and loads no library of weight: a first child, which ends, migrates the
database and writes the first administrator's secrets to a file; then it opens the listening socket,
starts the children, and starts again what dies. Only the sealer's environment
has the seal's secrets. SIGTERM ends all of it in order.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from api.children import METRICS_PORT, Child, Spare
from docproc import errors
from docproc.errors import SetupError
from docproc.flow.core.development import refuse_development
from docproc.flow.core.sandboxes import refuse_weak_sandbox
from docproc.flow.jobs.guardian import PARENT_PIPE
from docproc.settings import Settings

log = logging.getLogger(__name__)

SECRETS = ("database_passwords", "seal_passphrase", "pkcs11_pin", "pkcs11_token", "pkcs11_key", "pkcs11_module")
STOP_SECONDS = 30
"""Time that children get to end before they are killed."""
TAKEN_SECONDS = 30
"""Time for which a port that is taken is tried again: the web process of a service that was killed first answers those
whom it serves."""


def serve(settings: Settings, worker_module: str = "docproc.flow.worker", *, web_only: bool = False) -> int:
    """Run the service until SIGTERM or SIGINT; returns the exit status.

    Args:
        settings: handed to all children through their environment.
        worker_module: run as ``python -m MODULE NAME QUEUES``; another one may bring other stages.
        web_only: start no workers; they run elsewhere on the same database and blobs.

    Raises:
        SetupError: the address is taken, a store is out of reach, or others reach it with the development PKI
            or with parsers that nothing shuts in.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    refuse_development(settings, sealing=not web_only)
    refuse_weak_sandbox(settings)
    prepare_apart(settings)
    listener = _listen(settings)
    host, port = listener.getsockname()[:2]
    # Children hold `watch`; it reads as closed once this process, the holder of `hold`, is gone.
    watch, hold = os.pipe()
    children = [_web(settings, listener.fileno(), watch)]
    spares: list[Spare] = []
    if not web_only:
        readers, sealer = _workers(settings, worker_module, watch)
        children += [*readers, sealer]
        spares = [Spare(reader, number) for number, reader in enumerate(readers[:1] * settings.spare_readers, 1)]
        for reader in readers:
            reader.spares = spares
    for child in children:
        child.start()
    print(f"docproc listens on http://{host}:{port}", flush=True)
    while not stopping.wait(0.2):
        for child in (*children, *spares):
            child.tend()
    _stop([*children, *spares])
    os.close(hold)
    os.close(watch)
    listener.close()
    return 0


def prepare_apart(settings: Settings) -> None:
    """Run :func:`api.prepare.prepare` in a process that ends: what it loads would stay as long as the service runs.

    Raises:
        DocprocError: as it does.
        SystemExit: it failed otherwise, and has said how.
    """
    sys.stdout.flush()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        _prepare(settings, tell)
    os.close(tell)
    with os.fdopen(told, "rb") as problem:
        failed = problem.read()
    _, status = os.waitpid(child, 0)
    if failed:
        kind, *said = json.loads(failed)
        raise getattr(errors, kind)(said[0], message_zh=said[1], code=said[2])
    if status:
        raise SystemExit(1)


def _prepare(settings: Settings, tell: int) -> NoReturn:
    """In the child."""
    status = 1
    try:
        from api.prepare import prepare

        prepare(settings)
        status = 0
    except errors.DocprocError as problem:
        said = (type(problem).__name__, str(problem), problem.message_zh, problem.code)
        os.write(tell, json.dumps(said).encode())
    except BaseException:
        log.exception("the service could not be prepared")
    finally:
        sys.stdout.flush()
        logging.shutdown()
        os._exit(status)


def environment(settings: Settings, *, with_secrets: bool) -> dict[str, str]:
    """The settings as environment variables for a child; seal secrets only where they are needed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("DOCPROC_")}
    return env | settings.environment(leave_out=() if with_secrets else SECRETS)


def measured(settings: Settings, place: int) -> dict[str, str]:
    """The port for measurements of a child: each has its own, one after the other from the web process's."""
    return {METRICS_PORT: str(settings.metrics_port + place if settings.metrics_port else 0)}


def _web(settings: Settings, socket_handle: int, parent_pipe: int) -> Child:
    env = {**environment(settings, with_secrets=False), PARENT_PIPE: str(parent_pipe)}
    return Child("web", [sys.executable, "-m", "api.web", str(socket_handle)], env, (parent_pipe, socket_handle))


def _workers(settings: Settings, worker_module: str, parent_pipe: int) -> tuple[list[Child], Child]:
    """The readers and the sealer."""
    pipe: Mapping[str, str] = {PARENT_PIPE: str(parent_pipe)}
    open_env = {**environment(settings, with_secrets=False), **pipe}
    seal_env = {**environment(settings, with_secrets=True), **pipe}
    command = [sys.executable, "-m", worker_module]
    readers = []
    for number in range(1, settings.read_workers + 1):
        name = f"{settings.worker_name}-read-{number}"
        env = {**open_env, **measured(settings, number)}
        readers.append(Child(name, [*command, name, "read,check,notify"], env, (parent_pipe,)))
    name = f"{settings.worker_name}-seal"
    env = {**seal_env, **measured(settings, settings.read_workers + 1)}
    return readers, Child(name, [*command, name, "seal"], env, (parent_pipe,))


def _listen(settings: Settings) -> socket.socket:
    """Open the socket here, so that a web process that is started again keeps the port and no request is refused.

    The web process of a service that was killed may keep the port for a moment: a port that is taken is tried again.
    """
    begun, told = time.monotonic(), False
    while True:
        try:
            return socket.create_server((settings.host, settings.port), backlog=256)
        except OSError as error:
            what = f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            remedy = "stop what uses it or set DOCPROC_PORT"
            waited = time.monotonic() - begun
            if error.errno != errno.EADDRINUSE or waited > TAKEN_SECONDS:
                raise SetupError(f"{what}; {remedy}") from error
            if waited > 1 and not told:
                log.warning("%s; trying again for %d s: %s", what, TAKEN_SECONDS, remedy)
                told = True
        time.sleep(0.1)


def _stop(children: Sequence[Child]) -> None:
    """End the web process first, so that nothing new comes in while workers finish."""
    running = [child.process for child in children if child.process is not None]
    for process in running:
        process.terminate()
    until = time.monotonic() + STOP_SECONDS
    for process in running:
        try:
            process.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
