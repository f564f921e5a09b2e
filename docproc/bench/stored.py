"""Measure the cost of a page with few and with many stored applications: ``docproc bench stored``.

One service for each number, all running at the same time, each with its own reader. The
same application is submitted to each in turn, so that other load on the machine affects
all of them equally. A first round, in which engines are loaded, does not count.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from docproc.bench.flow import SampleApplication, hand_in, is_checked, load_sample
from docproc.bench.machine import cpu_seconds
from docproc.bench.service import READER_QUEUES, Tell, costs, fresh_service, until, workers
from docproc.flow.core.context import Context
from docproc.store.upkeep.filling import fill
from docproc.store.upkeep.health import backends


@dataclass(slots=True)
class _Service:
    """One of the services compared."""

    stored: int
    ctx: Context
    ports: Sequence[int]
    cpu: dict[str, float] = field(default_factory=dict)
    """CPU seconds of worker and database before the first round that counts, then in the rounds that do."""
    hand_in: list[tuple[float, float]] = field(default_factory=list)
    """CPU and wall seconds of each."""


def run(
    folder: Path, numbers: Sequence[int], rounds: int, seed: int = 1, tell: Tell = lambda what, done, total: None
) -> dict[str, Any]:
    """Measure with each number of stored applications.

    Args:
        folder: of a sample application that passes.
        numbers: of stored applications.
        rounds: applications that are submitted to each service and count.
        seed: of the stored data.
        tell: called with the progress.

    Raises:
        SetupError: no such sample, no servers, or the work makes no progress.
    """
    sample = load_sample(folder)
    with ExitStack() as stack:
        services = [_prepared(stack, number, seed, tell) for number in numbers]
        for turn in range(rounds + 1):
            tell("applications", turn, rounds + 1)
            for service in services:
                _round(service, sample)
                if not turn:
                    service.cpu, service.hand_in = _spent(service), []
        sizes = [_figures(service, rounds * len(sample.files)) for service in services]
    return {"sizes": sizes, "ratio": round(sizes[-1]["cpu_s_page"] / sizes[0]["cpu_s_page"], 3)}


def _prepared(stack: ExitStack, stored: int, seed: int, tell: Tell) -> _Service:
    ctx = stack.enter_context(fresh_service("distributed"))
    fill(ctx.database, stored, seed, partial(tell, f"storing {stored} applications"))
    ports = stack.enter_context(workers(ctx, {f"reader-{stored}": READER_QUEUES}))
    return _Service(stored, ctx, ports)


def _round(service: _Service, sample: SampleApplication) -> None:
    cpu, wall = time.process_time(), time.perf_counter()
    number = hand_in(service.ctx, sample)
    service.hand_in.append((time.process_time() - cpu, time.perf_counter() - wall))
    until(partial(is_checked, service.ctx, number))


def _spent(service: _Service) -> dict[str, float]:
    with service.ctx.database.read() as session:
        processes = backends(session)
    worker = sum(item["cpu_s"] for item in costs(service.ports).values())
    return {"worker": worker, "database": sum(map(cpu_seconds, processes))}


def _figures(service: _Service, pages: int) -> dict[str, Any]:
    now = _spent(service)
    parts = {name: (now[name] - service.cpu[name]) / pages for name in now}
    parts["hand_in"] = sum(cpu for cpu, _ in service.hand_in) / pages
    files = pages / len(service.hand_in)
    return {
        "stored": service.stored,
        "pages": pages,
        "cpu_s_page": round(sum(parts.values()), 4),
        **{name: round(value, 4) for name, value in parts.items()},
        "hand_in_ms": round(1000 * median(wall for _, wall in service.hand_in) / files, 1),
    }
