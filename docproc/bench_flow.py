"""Measure the whole flow: ``docproc bench flow``.

For each number of readers a fresh service gets the same applications; its workers
are started, and the clock runs from the moment that every reader has read a page
(its engine is loaded) until the last page is read. Then all are approved, and one
sealer works them off. Stage times come from the workers' own measurements.
"""

from __future__ import annotations

import json
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
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from docproc.errors import SetupError
from docproc.flow import service
from docproc.flow.engine import migrate_all
from docproc.flow.service import Caller, Context, Seen
from docproc.settings import Settings
from docproc.store import applications, pages
from docproc.store.db import open_database

READER_QUEUES = "read,check,notify"
STALLED_SECONDS = 300.0
"""Time without any progress after which a run is given up."""
Tell = Callable[[str, int, int], None]
"""Told what is going on, how much of it is done, and of how much."""
KIOSK = Caller("bench-k", "bench-kiosk", "bench", frozenset({"kiosk"}))
APPROVER = Caller("bench-a", "bench-approver", "bench", frozenset({"approver"}))
SEALER = Caller("bench-s", "bench-sealer", "bench", frozenset({"sealer"}))
_SAMPLE = re.compile(r'^docproc_step_(seconds_sum|cpu_seconds_total|seconds_count)\{step="(\w+)"\} (\S+)$', re.M)


def run(
    sample: Path, workers: Sequence[int], applications: int, tell: Tell = lambda what, done, total: None
) -> dict[str, Any]:
    """Measure with each number of readers.

    Args:
        sample: folder of a sample application that passes.
        workers: numbers of readers.
        applications: copies of the sample in each run.
        tell: told of the progress.

    Raises:
        SetupError: no such sample, or the work does not get done.
    """
    if not (sample / "expected.json").is_file():
        raise SetupError(f"no sample in {sample}: make some with `python -m samples.make --out samples/scans`")
    expected = json.loads((sample / "expected.json").read_text(encoding="utf-8"))
    return {"runs": [_run(sample, expected, number, applications, tell) for number in workers]}


def _run(sample: Path, expected: Mapping[str, Any], workers: int, copies: int, tell: Tell) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="docproc-bench-") as folder, _service(Path(folder)) as ctx:
        numbers = [_hand_in(ctx, sample, expected) for _ in range(copies)]
        total = len(numbers) * len(expected["files"])
        stages: dict[str, dict[str, float]] = defaultdict(lambda: {"cpu_s": 0.0, "wall_s": 0.0, "times": 0.0})
        tell_run = partial(tell, f"pages read by {workers}")
        with _workers(ctx, {f"reader-{turn}": READER_QUEUES for turn in range(workers)}) as ports:
            pages_per_second = _rate(lambda: _read(ctx, total), workers, total, tell_run)
            for number in numbers:
                _until(partial(_is_checked, ctx, number))
                _approve(ctx, number, expected["truth"])
            _add(stages, ports)
        with _workers(ctx, {"sealer": "seal"}) as ports:
            seals_per_second = _rate(lambda: _issued(ctx), 1, len(numbers), partial(tell, "licences sealed"))
            _add(stages, ports)
    reading = sum(stages[name]["cpu_s"] for name in ("draw_and_store", "read_and_store"))
    return {
        "workers": workers,
        "stages": {name: {k: round(v, 3) for k, v in item.items()} for name, item in stages.items()},
        "pages": total,
        "cpu_s_page": round(reading / total, 3),
        "pages_per_second": round(pages_per_second, 3),
        "seals_per_second": round(seals_per_second, 3),
    }


def _rate(count: Callable[[], int], warm: int, total: int, tell: Callable[[int, int], None]) -> float:
    """How many a second, from the moment that ``warm`` are done until ``total`` are; a few pages tell little."""
    seen, moved, first, begun = -1, time.monotonic(), 0, 0.0
    while True:
        done, now = count(), time.monotonic()
        if done != seen:
            seen, moved = done, now
            tell(done, total)
        if not begun and done >= warm:
            first, begun = done, now
        if done >= total:
            return (total - first) / max(0.001, now - begun)
        if now - moved > STALLED_SECONDS:
            raise SetupError(f"{done} of {total} done, and nothing more within {STALLED_SECONDS:.0f} s: see the log")
        time.sleep(0.1)


@contextmanager
def _service(folder: Path) -> Iterator[Context]:
    settings = Settings().model_copy(update={"data_dir": folder, "database_url": "", "blobs": ""})
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    ctx = service.open_context(settings)
    try:
        yield ctx
    finally:
        ctx.close()


@contextmanager
def _workers(ctx: Context, queues: Mapping[str, str]) -> Iterator[list[int]]:
    """Run workers; gives the ports of their measurements."""
    env = {**os.environ, "DOCPROC_DATA_DIR": str(ctx.settings.data_dir), "DOCPROC_LOG_LEVEL": "ERROR"}
    env |= {"DOCPROC_DATABASE_URL": "", "DOCPROC_BLOBS": ""}
    ports, running = [], []
    for name, wanted in queues.items():
        port = _free_port()
        command = [sys.executable, "-m", "docproc.flow.worker", name, wanted]
        running.append(subprocess.Popen(command, env={**env, "DOCPROC_METRICS_PORT": str(port)}))
        ports.append(port)
    try:
        yield ports
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=60)


def _hand_in(ctx: Context, sample: Path, expected: Mapping[str, Any]) -> str:
    number = str(service.create_application(ctx, KIOSK, expected["matter"], "kiosk")["number"])
    for name in expected["files"]:
        service.add_page(ctx, KIOSK, number, (sample / name).read_bytes(), filename=name)
    return number


def _approve(ctx: Context, number: str, truth: Sequence[Mapping[str, Any]]) -> None:
    """As a reviewer who enters what the machine left open, and a sealer who releases."""
    written = {(t["material"], t["page"], name): v for t in truth for name, v in t["fields"].items()}
    view = service.submit(ctx, KIOSK, number)
    for page in view["pages"]:
        for reading in page["readings"]:
            for item in reading["fields"]:
                value = written.get((reading["material"], reading["page"], item["name"]))
                if item["value"] is None and value:
                    service.correct_field(ctx, APPROVER, number, page["id"], reading["index"], item["name"], value)
    _until(partial(_is_checked, ctx, number))
    view = service.view_application(ctx, APPROVER, number)
    aside = sorted({item["code"] for item in view["findings"] if item["severity"] == "fix"})
    seen = Seen(view["version"], view["content_sha256"])
    reason = "测速" if aside else ""
    view = service.decide(ctx, APPROVER, number, "approve", seen, reason=reason, set_aside=aside)
    if view["seal"]["state"] == "awaiting_release":
        service.release(ctx, SEALER, number, view["version"])


def _read(ctx: Context, total: int) -> int:
    with ctx.database.read() as session:
        return total - pages.count_waiting(session)


def _issued(ctx: Context) -> int:
    with ctx.database.read() as session:
        return applications.count_by_status(session).get("issued", 0)


def _is_checked(ctx: Context, number: str) -> bool:
    return bool(service.view_application(ctx, KIOSK, number)["checked"])


def _add(stages: dict[str, dict[str, float]], ports: Sequence[int]) -> None:
    names = {"seconds_sum": "wall_s", "cpu_seconds_total": "cpu_s", "seconds_count": "times"}
    for port in ports:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
        for kind, step, value in _SAMPLE.findall(text):
            stages[step][names[kind]] += float(value)


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + STALLED_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise SetupError(f"nothing more happened within {STALLED_SECONDS:.0f} s: see the log")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
