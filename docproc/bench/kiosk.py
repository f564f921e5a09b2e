"""Measure what a kiosk waits for: a first word on a page's quality, and its fields, from the page's last byte on.

A fresh service gets the papers of a sample, each file in bytes of its own: one at a time (idle), as fast as the readers
can go (capacity), and as a county's kiosks send them in its rush hour (county). What the database shows is what a kiosk
that asks at that moment is told.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from docproc.bench.load import KIOSKS, Kiosks, count_waiting, kiosk_key, marked_jpeg
from docproc.bench.machine import machine
from docproc.bench.service import READER_QUEUES, Tell, free_port, fresh_service, is_ready, start, stop, until, workers
from docproc.errors import SetupError
from docproc.flow.core.context import Context
from docproc.store.applications import pages, previews

COUNTY_PAGES, RUSH_SHARE = 5000, 0.2
"""Pages of a county's 13 kiosks on a day, and the share of them in its busiest hour."""
_LOOK_S = 0.02
_BURST = 12
"""Files sent at once to find out how many the readers can do."""
_BELOW = 0.9
"""At the full rate a queue would only grow."""


@dataclass(slots=True)
class _Watch:
    """When files were sent, and when their first words and fields were there."""

    ctx: Context
    sent: dict[str, float] = field(default_factory=dict)
    worded: dict[str, float] = field(default_factory=dict)
    read: dict[str, float] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Until it is stopped, ask for all files that something is missing of."""
        while not self.stopping.wait(_LOOK_S):
            open_ = [item for item in list(self.sent) if item not in self.read or item not in self.worded]
            if not open_:
                continue
            with self.ctx.database.read() as session:
                drawn, queued = previews.drawn_among(session, open_), pages.queued_among(session, open_)
            now = time.monotonic()
            for item in open_:
                if item in drawn:
                    self.worded.setdefault(item, now)
                if item not in queued:
                    self.read.setdefault(item, now)

    def figures(self) -> dict[str, Any]:
        """Seconds from the last byte, and how many files."""
        words = [self.worded[item] - self.sent[item] for item in self.sent if item in self.worded]
        fields = [self.read[item] - self.sent[item] for item in self.sent if item in self.read]
        return {"files": len(self.sent), "quality_s": _shares(words), "fields_s": _shares(fields)}


def run(
    sample: Path, files: int, seconds: float, readers: int, tell: Tell = lambda what, done, total: None
) -> dict[str, Any]:
    """Measure and return the figures as JSON values.

    Args:
        sample: folder with JPEG files.
        files: sent one at a time.
        seconds: length of each of the two loads.
        readers: worker processes that read.
        tell: called with the progress.

    Raises:
        SetupError: no JPEG files there, or no more progress is made.
    """
    papers = [marked_jpeg(path) for path in sorted(sample.glob("*.jpg"))]
    if not papers:
        raise SetupError(f"no JPEG files in {sample}")
    serial = count()

    def make() -> bytes:
        turn = next(serial)
        return papers[turn % len(papers)](turn)

    with _service(readers) as (ctx, kiosks):
        for _ in range(len(papers) * readers):  # until everything is loaded that a page needs
            _send(kiosks, make(), _Watch(ctx))
        until(lambda: count_waiting(ctx) == 0)
        idle = _idle(ctx, kiosks, make, files, tell)
        rate = _BELOW * _capacity(ctx, kiosks, make)
        loads = {
            "idle": idle,
            "capacity": _loaded(ctx, kiosks, make, rate, seconds, partial(tell, "at capacity")),
            "county": _loaded(
                ctx, kiosks, make, COUNTY_PAGES * RUSH_SHARE / 3600, seconds, partial(tell, "a county's rush hour")
            ),
        }
    first = {name: idle[name] for name in ("quality_s", "fields_s")}
    return {**first, "readers": readers, "loads": loads, "machine": machine()}


@contextmanager
def _service(readers: int) -> Iterator[tuple[Context, Kiosks]]:
    port = free_port()
    with fresh_service("embedded", port=port, rate_limit_per_minute=1_000_000) as ctx:
        secrets = [kiosk_key(ctx, turn) for turn in range(KIOSKS)]
        web = start(["docproc.cli", "serve", "--web-only"], ctx.settings)
        kiosks = Kiosks(f"http://127.0.0.1:{port}", secrets)
        try:
            with workers(ctx, {f"reader-{turn}": READER_QUEUES for turn in range(readers)}):
                until(partial(is_ready, port))
                yield ctx, kiosks
        finally:
            kiosks.close()
            stop([web])


def _send(kiosks: Kiosks, data: bytes, watch: _Watch) -> str:
    """Send a file; the last byte is as good as sent when it begins, for it goes over loopback."""
    begun = time.monotonic()
    answer = kiosks.post(data).raise_for_status().json()
    watch.sent[str(answer["id"])] = begun
    return str(answer["id"])


@contextmanager
def _watching(ctx: Context) -> Iterator[_Watch]:
    watch = _Watch(ctx)
    looking = threading.Thread(target=watch.look)
    looking.start()
    try:
        yield watch
        until(lambda: all(item in watch.read and item in watch.worded for item in list(watch.sent)))
    finally:
        watch.stopping.set()
        looking.join()


def _idle(ctx: Context, kiosks: Kiosks, make: Callable[[], bytes], files: int, tell: Tell) -> dict[str, Any]:
    with _watching(ctx) as watch:
        for done in range(files):
            page = _send(kiosks, make(), watch)
            until(lambda page=page: page in watch.read and page in watch.worded)  # type: ignore[misc]
            tell("one at a time", done + 1, files)
    return watch.figures()


def _capacity(ctx: Context, kiosks: Kiosks, make: Callable[[], bytes]) -> float:
    """Files a second that the readers do when they have no pause."""
    begun = time.monotonic()
    for _ in range(_BURST):
        _send(kiosks, make(), _Watch(ctx))
    until(lambda: count_waiting(ctx) == 0)
    return _BURST / (time.monotonic() - begun)


def _loaded(
    ctx: Context,
    kiosks: Kiosks,
    make: Callable[[], bytes],
    rate: float,
    seconds: float,
    tell: Callable[[int, int], None],
) -> dict[str, Any]:
    """Send files at random moments, as people do, at a mean rate."""
    moments, at, rng = [], 0.0, random.Random(1)
    while (at := at + rng.expovariate(rate)) < seconds:
        moments.append(at)
    with _watching(ctx) as watch, ThreadPoolExecutor(KIOSKS) as at_once:
        begun = time.monotonic()
        for done, moment in enumerate(moments, 1):
            time.sleep(max(0.0, begun + moment - time.monotonic()))
            at_once.submit(_send, kiosks, make(), watch)
            tell(done, len(moments))
    return {"per_second": round(rate, 2), **watch.figures()}


def _shares(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times) or [0.0]
    last = ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]
    return {"p50": round(median(ordered), 3), "p95": round(last, 3)}
