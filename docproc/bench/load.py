"""Measure the service under load: ``docproc bench load``.

A fresh service with its web process and readers is first filled with files to find
out how many it can read per second: its capacity. Then kiosks submit files at that rate,
and then at twice that rate, each at its scheduled time whether or not the one before was
answered. Files that are refused are submitted again after the rush, when the service
says so; at the end every file must be stored and read.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import linear_regression
from typing import Any

import httpx

from docproc.bench.machine import children, rss_mb
from docproc.bench.service import (
    KIOSK,
    READER_QUEUES,
    STALLED_SECONDS,
    WORKER,
    Store,
    Tell,
    free_port,
    fresh_service,
    is_ready,
    start,
    stop,
    until,
    workers,
)
from docproc.errors import SetupError
from docproc.flow.accounts import api_keys
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.store.applications import pages

KIOSKS = 8
FILES_OF_APPLICATION = 50
ADMIN = Caller("bench-o", "bench-admin", "bench", frozenset({"admin"}))
MakeFile = Callable[[int], bytes]
"""Makes a file that differs for each number."""
Beside = Callable[[str], AbstractContextManager[object]]
"""What goes on at the service, given its address, while kiosks submit files."""


@dataclass(slots=True)
class _Rush:
    """What became of the files submitted at one rate."""

    rate: float
    seconds: float
    answers: list[float] = field(default_factory=list)
    """Seconds until each was answered, refusals too."""
    refused: list[bytes] = field(default_factory=list)
    without_advice: int = 0
    """Refusals that did not say when to come back, and errors."""
    memory: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    """Seconds since the start, and the resident memory of each process, MiB; about one sample per second."""


class Kiosks:
    """The kiosks of a service: each fills one application after the other."""

    def __init__(self, base: str, secrets: Sequence[str]) -> None:
        self.base = base
        limits = httpx.Limits(max_connections=200)
        self.clients = [
            httpx.Client(base_url=base, headers={"Authorization": f"Bearer {secret}"}, timeout=60, limits=limits)
            for secret in secrets
        ]
        self.turns = count()
        self.open: list[tuple[str, int]] = [("", FILES_OF_APPLICATION)] * len(secrets)
        self.taken: set[str] = set()
        self.numbers: list[tuple[int, str]] = []

    def post(self, data: bytes) -> httpx.Response:
        """Submit a file at the next kiosk."""
        kiosk = next(self.turns) % len(self.clients)
        client = self.clients[kiosk]
        number, files = self.open[kiosk]
        if files >= FILES_OF_APPLICATION:
            made = client.post("/v1/applications", json={"matter": "sole_trader", "channel": "kiosk"})
            number, files = str(made.raise_for_status().json()["number"]), 0
            self.numbers.append((kiosk, number))
        self.open[kiosk] = (number, files + 1)
        answer = client.post(f"/v1/applications/{number}/pages", content=data)
        if answer.status_code == 201:
            self.taken.add(str(answer.json()["sha256"]))
        return answer

    def close(self) -> None:
        """Close the connections."""
        for client in self.clients:
            client.close()


def run(
    make: MakeFile,
    seconds: float,
    readers: int,
    store: Store = "embedded",
    *,
    module: str = WORKER,
    beside: Beside = nullcontext,
    tell: Tell = lambda what, done, total: None,
) -> dict[str, Any]:
    """Measure capacity, then the answers at that rate and at twice that rate.

    Args:
        make: makes the files.
        seconds: length of each of the two rushes; a third of it is used to find the capacity.
        readers: worker processes that read.
        store: where the service keeps its data.
        module: Python module that the workers run.
        beside: entered for the time of the rushes.
        tell: called with the progress.

    Raises:
        SetupError: no more progress is made.
    """
    port, serial = free_port(), count()
    with fresh_service(store, port=port, rate_limit_per_minute=1_000_000) as ctx:
        secrets = [kiosk_key(ctx, turn) for turn in range(KIOSKS)]
        web = start(["docproc.cli", "serve", "--web-only"], ctx.settings.model_copy(update={"max_queue": 1_000_000}))
        kiosks = Kiosks(f"http://127.0.0.1:{port}", secrets)
        try:
            names, others = [f"reader-{turn}" for turn in range(readers)], children(os.getpid())
            with workers(ctx, dict.fromkeys(names, READER_QUEUES), module):
                mine = dict(zip(names, sorted(children(os.getpid()) - others), strict=True))
                until(partial(is_ready, port))
                capacity = _capacity(ctx, kiosks, make, serial, seconds / 3, readers, tell)
                stop([web])
                # Room for as many as are read in half a rush: at twice the rate the rest is refused.
                room = max(4, round(capacity * seconds / 2))
                web = start(["docproc.cli", "serve", "--web-only"], ctx.settings.model_copy(update={"max_queue": room}))
                until(partial(is_ready, port))
                look = partial(_memory, {"web": children(web.pid).pop(), **mine})
                with beside(kiosks.base):
                    rushes = [_rush(kiosks, make, serial, times * capacity, seconds, look, tell) for times in (1, 2)]
                for rush in rushes:
                    _again(kiosks, rush.refused)
                until(lambda: count_waiting(ctx) == 0, STALLED_SECONDS + 4 * seconds)
        finally:
            kiosks.close()
            stop([web])
        kept = _kept(ctx, kiosks.numbers)
    handed_in = next(serial)
    return {
        "capacity": round(capacity, 2),
        "room": room,
        "rushes": [_figures(rush) for rush in rushes],
        "files": handed_in,
        "lost": len(kiosks.taken - kept) + handed_in - len(kiosks.taken),
    }


def _capacity(
    ctx: Context, kiosks: Kiosks, make: MakeFile, serial: count[int], seconds: float, readers: int, tell: Tell
) -> float:
    """Files per second that all readers together read while files are being submitted."""
    for _ in range(2 * readers):
        kiosks.post(make(next(serial)))
    until(lambda: count_waiting(ctx) == 0)  # engines are loaded
    begun = time.monotonic()
    done, put = 0, 0
    while time.monotonic() - begun < seconds or done < readers:
        waiting = count_waiting(ctx)
        done = put - waiting
        tell("finding the capacity", round(time.monotonic() - begun), round(seconds))
        for _ in range(max(0, 3 * readers - waiting)):
            kiosks.post(make(next(serial))).raise_for_status()
            put += 1
        if time.monotonic() - begun > seconds + STALLED_SECONDS:
            raise SetupError("no file was read: see the log")
        time.sleep(0.05)
    rate = (put - count_waiting(ctx)) / (time.monotonic() - begun)
    until(lambda: count_waiting(ctx) == 0)
    return rate


def _rush(
    kiosks: Kiosks,
    make: MakeFile,
    serial: count[int],
    rate: float,
    seconds: float,
    look: Callable[[], dict[str, float]],
    tell: Tell,
) -> _Rush:
    found = _Rush(rate, seconds)

    def one(data: bytes) -> None:
        started = time.perf_counter()
        try:
            answer = kiosks.post(data)
        except httpx.HTTPError:
            found.without_advice += 1
            found.refused.append(data)
            return
        found.answers.append(time.perf_counter() - started)
        if answer.status_code != 201:
            found.without_advice += not (answer.status_code == 503 and answer.headers.get("Retry-After", "").isdigit())
            found.refused.append(data)

    begun, sampled = time.monotonic(), -1
    with ThreadPoolExecutor(64) as at_once:
        for turn in range(max(1, round(rate * seconds))):
            wait = begun + turn / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            at_once.submit(one, make(next(serial)))
            if int(time.monotonic() - begun) > sampled:
                sampled = int(time.monotonic() - begun)
                found.memory.append((time.monotonic() - begun, look()))
                tell(f"{rate:.1f} files a second", sampled, round(seconds))
    found.memory.append((time.monotonic() - begun, look()))
    return found


def _again(kiosks: Kiosks, refused: Sequence[bytes]) -> None:
    """Submit refused files again, when the service says so."""
    end = time.monotonic() + STALLED_SECONDS + 30 * len(refused)
    for data in refused:
        while (answer := kiosks.post(data)).status_code != 201:
            if time.monotonic() > end:
                raise SetupError(f"files are still refused: {answer.status_code}")
            time.sleep(min(2.0, float(answer.headers.get("Retry-After", "1"))))


def _figures(rush: _Rush) -> dict[str, Any]:
    times = sorted(rush.answers) or [0.0]
    shares = {f"p{part}": times[min(len(times) - 1, len(times) * part // 100)] for part in (50, 95, 99)}
    return {
        "per_second": round(rush.rate, 2),
        "files": len(rush.answers),
        "refused": len(rush.refused),
        "without_retry_after": rush.without_advice,
        **{name: round(value, 3) for name, value in shares.items()},
        "memory": memory_figures(rush.memory),
    }


def memory_figures(samples: Sequence[tuple[float, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Memory of each process: first, highest and last (MiB), and its growth in MB per hour.

    The growth is the slope of the straight line through the samples after the first quarter, in which caches fill.

    Args:
        samples: seconds, and MiB of each process; at least two.
    """
    figures = {}
    for name in samples[0][1]:
        known = [(at, found[name]) for at, found in samples if found.get(name)]
        settled = [(at, size) for at, size in known if at >= samples[-1][0] / 4]
        sizes = [size for _, size in known] or [0.0]
        flat = len({at for at, _ in settled}) < 2
        slope = 0.0 if flat else linear_regression(*zip(*settled, strict=True)).slope
        ends = {"first": round(sizes[0], 1), "most": round(max(sizes), 1), "last": round(sizes[-1], 1)}
        figures[name] = ends | {"mb_an_hour": round(3600 * slope, 1)}
    return figures


def kiosk_key(ctx: Context, turn: int) -> str:
    """A new key of a kiosk."""
    return str(api_keys.create_key(ctx, ADMIN, f"kiosk-{turn}", KIOSK.org, ["kiosk"])["key"])


def count_waiting(ctx: Context) -> int:
    """Files that wait to be read."""
    with ctx.database.read() as session:
        return pages.count_waiting(session)


def _kept(ctx: Context, numbers: Sequence[tuple[int, str]]) -> set[str]:
    """Hashes of the files that were stored unchanged (each is fetched and compared) and read by a reader."""
    with ctx.database.read() as session:
        rows = [page for _, number in numbers for page in pages.live_pages(session, number)]
    return {hashlib.sha256(ctx.blobs.get(page.sha256)).hexdigest() for page in rows if page.state != "queued"}


def _memory(processes: Mapping[str, int]) -> dict[str, float]:
    """Resident memory of each process, MiB; 0 for one that has ended."""
    return {name: rss_mb(process) for name, process in processes.items()}


def marked_jpeg(file: Path) -> MakeFile:
    """The same picture in different bytes: a comment segment (ITU-T T.81 B.2.4.5) holds the number."""
    data = file.read_bytes()
    return lambda turn: data[:2] + b"\xff\xfe\x00\x12" + f"{turn:016d}".encode() + data[2:]
