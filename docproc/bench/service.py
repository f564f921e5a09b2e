"""Start a new service for each measurement, manage its processes and read the metrics that they export.

It uses SQLite and a folder, or its own database and bucket on the servers in the settings.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

import httpx

from docproc.errors import SetupError
from docproc.flow.core import context
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import migrate_all
from docproc.process_keys import ensure_all
from docproc.settings import Settings
from docproc.store.db import create_database, drop_database, open_database

Store = Literal["embedded", "distributed"]
Tell = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and the total."""
Costs = dict[str, dict[str, float]]
"""``wall_s``, ``cpu_s`` and ``times`` of each step."""
READER_QUEUES = "read,check,notify"
STALLED_SECONDS = 300.0
"""Time without progress after which a measurement is aborted."""
KIOSK = Caller("bench-k", "bench-kiosk", "bench", frozenset({"kiosk"}))
APPROVER = Caller("bench-a", "bench-approver", "bench", frozenset({"approver"}))
SEALER = Caller("bench-s", "bench-sealer", "bench", frozenset({"sealer"}))
WORKER = "docproc.flow.worker"
_SAMPLE = re.compile(r'^docproc_step_(seconds_sum|cpu_seconds_total|seconds_count)\{step="(\w+)"\} (\S+)$', re.M)
_NAMES = {"seconds_sum": "wall_s", "cpu_seconds_total": "cpu_s", "seconds_count": "times"}


@contextmanager
def fresh_service(store: Store, **more: object) -> Iterator[Context]:
    """An empty migrated service; its database is dropped at the end. A bucket stays: its objects are under retention.

    Args:
        store: ``embedded``, or ``distributed``: its own database and bucket on the servers in the settings.
        more: settings to override.

    Raises:
        SetupError: distributed, and the settings name no PostgreSQL or no S3 server.
    """
    with tempfile.TemporaryDirectory(prefix="docproc-bench-") as folder:
        given = Settings().model_copy(update={"data_dir": Path(folder), "process_keys": "", "metrics_port": 0, **more})
        if store == "embedded":
            yield from _opened(given.model_copy(update={"database_url": "", "blobs": ""}))
            return
        if given.is_embedded or not given.blobs.startswith("s3:"):
            raise SetupError("no servers: set DOCPROC_DATABASE_URL to PostgreSQL and DOCPROC_BLOBS to s3://HOST/BUCKET")
        name = f"docproc_bench_{uuid4().hex[:8]}"
        url = create_database(given.database_url, name)
        try:
            blobs = f"{given.blobs.rstrip('/')}-{name.rpartition('_')[2]}"
            yield from _opened(given.model_copy(update={"database_url": url, "blobs": blobs}))
        finally:
            drop_database(given.database_url, name)


def _opened(settings: Settings) -> Iterator[Context]:
    ensure_all(settings.keys_folder)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    ctx = context.open_context(settings)
    try:
        yield ctx
    finally:
        ctx.close()


@contextmanager
def workers(ctx: Context, queues: Mapping[str, str], module: str = WORKER) -> Iterator[list[int]]:
    """Run a worker process for each name; yields the ports on which they export metrics."""
    running, ports = [], []
    try:
        for name, wanted in queues.items():
            port = free_port()
            running.append(start([module, name, wanted], ctx.settings.model_copy(update={"metrics_port": port})))
            ports.append(port)
        yield ports
    finally:
        stop(running)


def start(module: Sequence[str], settings: Settings) -> subprocess.Popen[bytes]:
    """Start ``python -m MODULE ARG...`` with these settings in its environment; its output is discarded."""
    env = {**os.environ, **settings.environment(), "DOCPROC_LOG_LEVEL": "ERROR"}
    null = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", *module], env=env, stdin=null, stdout=null)


def stop(running: Sequence[subprocess.Popen[bytes]], seconds: float = 60.0) -> None:
    """Terminate processes; those that do not end in time are killed."""
    for process in running:
        process.terminate()
    for process in running:
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def costs(ports: Sequence[int]) -> Costs:
    """Total cost so far of the steps of these workers; a worker that does not answer yet is left out."""
    found: Costs = defaultdict(lambda: {"cpu_s": 0.0, "wall_s": 0.0, "times": 0.0})
    for port in ports:
        try:
            text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
        except httpx.TransportError:
            continue
        for kind, step, value in _SAMPLE.findall(text):
            found[step][_NAMES[kind]] += float(value)
    return found


def answers(port: int) -> bool:
    """Whether a worker or web process answers yet."""
    return _gives(port, "metrics")


def is_ready(port: int) -> bool:
    """Whether a web process is ready for requests."""
    return _gives(port, "readyz")


def _gives(port: int, path: str) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/{path}", timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def steady_rate(
    count: Callable[[], int],
    warm: Callable[[], bool],
    busy: int,
    total: int,
    tell: Callable[[int, int], None],
    since: float | None = None,
) -> tuple[int, float]:
    """Wait until all is done; returns how much was done, and in how many seconds, while every worker was busy.

    Where they were never all busy, the period lasts up to the end.

    Args:
        count: returns how much is done.
        warm: whether every worker has loaded what it needs and done something.
        busy: number of workers; once fewer items than this are left, some have nothing to do.
        total: how much there is to do.
        tell: called with the progress.
        since: when the first item was queued, by ``time.monotonic``. Where everything was done before every worker was
            seen to be warm, the period begins here.

    Raises:
        SetupError: no more progress is made, or all was done too soon and ``since`` is not given.
    """
    seen, moved = -1, time.monotonic()
    begun: tuple[int, float] | None = None
    ended: tuple[int, float] | None = None
    while seen < total:
        done, now = count(), time.monotonic()
        if done != seen:
            if begun is None:
                begun = (done, now) if warm() else None
            elif total - seen >= busy:  # until now nobody lacked work
                ended = (done, now)
            seen, moved = done, now
            tell(done, total)
        if now - moved > STALLED_SECONDS:
            raise SetupError(f"{done} of {total} done, and nothing more within {STALLED_SECONDS:.0f} s: see the log")
        time.sleep(0.1)
    ended = ended or (seen, moved)
    if begun is not None and ended[0] > begun[0]:
        return ended[0] - begun[0], ended[1] - begun[1]
    if since is None:
        raise SetupError(f"{total} are done before there was anything to measure: take more applications")
    return seen, moved - since


def until(condition: Callable[[], bool], seconds: float = STALLED_SECONDS) -> None:
    """Wait for a condition.

    Raises:
        SetupError: it does not come true in time.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SetupError(f"nothing more happened within {seconds:.0f} s: see the log")
        time.sleep(0.1)


def free_port() -> int:
    """A loopback port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
