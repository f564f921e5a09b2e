"""Measure sealing a batch through the real queue: ``docproc bench batch``.

One sample is read and approved; its rows are copied to as many approved applications as requested. All are released
as ``docproc seal batch`` does, and a sealer process renders, seals at B-LTA, verifies and registers each. In the middle
that process is killed with SIGKILL and restarted. At the end every application has one licence and one file.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

from docproc.bench.flow import SampleApplication, approve, hand_in, is_checked, load_sample
from docproc.bench.service import (
    APPROVER,
    KIOSK,
    READER_QUEUES,
    SEALER,
    STALLED_SECONDS,
    WORKER,
    Costs,
    Tell,
    costs,
    free_port,
    fresh_service,
    start,
    stop,
    until,
    workers,
)
from docproc.errors import SetupError
from docproc.flow.applications import views
from docproc.flow.core.acts import sign_act
from docproc.flow.core.context import Context
from docproc.flow.review.batch_release import batch_progress, release_batch
from docproc.store.applications import applications as cases
from docproc.store.upkeep import copying

CHUNK = 500


def run(sample: Path, applications: int, seconds: float, tell: Tell = lambda what, done, total: None) -> dict[str, Any]:
    """Measure a batch and return the figures as JSON values.

    Args:
        sample: folder of a sample application that passes.
        applications: approved applications to seal.
        seconds: time limit for the sealer; what is left by then is reported.
        tell: called with the progress.

    Raises:
        SetupError: no such sample, or the work makes no progress.
    """
    found = load_sample(sample)
    with fresh_service("embedded") as ctx:
        _approved(ctx, found, applications, tell)
        begin = time.monotonic()
        numbers = release_batch(
            ctx, SEALER, limit=applications, progress=lambda done: tell("released", done, applications)
        ).numbers
        released = time.monotonic() - begin
        begin = time.monotonic()
        first, _ = _work(ctx, numbers, len(numbers) // 2, begin + seconds, tell, kill=True)
        done, spent = _work(ctx, numbers, len(numbers), begin + seconds, tell)
        taken = time.monotonic() - begin
        with ctx.database.read() as session:
            doubled = copying.count_doubled(session)
        return {
            "applications": len(numbers),
            "released_per_second": round(len(numbers) / released, 1),
            "sealed": done,
            "killed_after": first,
            "failed": len(batch_progress(ctx, numbers).failed),
            "doubled": doubled,
            "seconds": round(taken, 1),
            "seals_per_second": round(done / taken, 2),
            "cpu_ms": {name: round(1000 * item["cpu_s"] / item["times"], 1) for name, item in spent.items()},
        }


def _approved(ctx: Context, sample: SampleApplication, copies: int, tell: Tell) -> None:
    """Have one application read and approved, and copy it."""
    tell("reading the sample", 0, 1)
    number = hand_in(ctx, sample)
    with workers(ctx, {"reader": READER_QUEUES}):
        until(partial(is_checked, ctx, number))
        approve(ctx, number, sample)
    for first in range(1, copies, CHUNK):
        with ctx.database.write() as session:
            for place in range(first, min(copies, first + CHUNK)):
                to = f"{number[:-6]}{500_000 + place:06d}"
                decision = copying.copy_application(session, number, to)
                row = cases.find_application(session, to)
                decision.seen_sha256 = views.application(session, row)["content_sha256"]
                sign_act(session, KIOSK, row)
                said = {name: value for name, value in (decision.signed or {})["said"].items() if name != "person"}
                sign_act(session, APPROVER, decision, **said)
        tell("approved", min(copies, first + CHUNK), copies)


def _work(
    ctx: Context, numbers: tuple[str, ...], enough: int, end: float, tell: Tell, *, kill: bool = False
) -> tuple[int, Costs]:
    """Run a sealer until enough are sealed, nothing waits, or the time is up; returns the number sealed, and costs."""
    port = free_port()
    process = start([WORKER, "sealer", "seal,notify"], ctx.settings.model_copy(update={"metrics_port": port}))
    try:
        done, moved = -1, time.monotonic()
        while True:
            state, now = batch_progress(ctx, numbers), time.monotonic()
            if state.sealed != done:
                done, moved = state.sealed, now
                tell("sealed", done, len(numbers))
            if done >= enough or not state.pending or now > end:
                break
            if now - moved > STALLED_SECONDS:
                raise SetupError(f"{done} sealed, and nothing more within {STALLED_SECONDS:.0f} s: see the log")
            time.sleep(2)
        spent = costs([port])
        if kill:
            process.kill()
        return done, spent
    finally:
        stop([process])
