"""Measure the whole flow: ``docproc bench flow``.

For each store and number of workers a fresh service gets the same applications. Its
readers are started, and the clock runs from the moment that each of them has read a page
(its engine is loaded) until fewer files are left than there are readers. Then all are
approved, and the same number of sealers seals them. Costs come from the workers' own
measurements; those of a page are taken over the same period.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from docproc.bench.service import (
    APPROVER,
    KIOSK,
    READER_QUEUES,
    SEALER,
    Costs,
    Store,
    Tell,
    answers,
    costs,
    fresh_service,
    steady_rate,
    until,
    workers,
)
from docproc.errors import SetupError
from docproc.flow.applications.applications import add_page, correct_field, create_application, submit, view_application
from docproc.flow.core.context import Context
from docproc.flow.review import decisions
from docproc.flow.review.decisions import Seen
from docproc.store.applications import applications, pages

PAGE_STEPS = ("draw_and_store", "read_and_store")


@dataclass(frozen=True, slots=True)
class SampleApplication:
    """A sample application that passes its check; it is submitted as many times as needed."""

    folder: Path
    matter: str
    files: tuple[str, ...]
    truth: Mapping[tuple[str | None, int, str], Any]
    """Values by material, page and field, for fields that the machine leaves open."""


def load_sample(folder: Path) -> SampleApplication:
    """Raises SetupError: there is none."""
    if not (folder / "expected.json").is_file():
        raise SetupError(f"no sample in {folder}: make some with `python -m samples.make --out samples/scans`")
    body = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    truth = {(t["material"], t["page"], name): v for t in body["truth"] for name, v in t["fields"].items()}
    return SampleApplication(folder, body["matter"], tuple(body["files"]), truth)


def run(
    folder: Path,
    numbers: Sequence[int],
    copies: int,
    stores: Sequence[Store] = ("embedded",),
    tell: Tell = lambda what, done, total: None,
) -> dict[str, Any]:
    """Measure with each store and each number of workers.

    Args:
        folder: of a sample application that passes.
        numbers: of readers, and then of sealers.
        copies: applications in each run.
        stores: where the service keeps its data.
        tell: called with the progress.

    Raises:
        SetupError: no such sample, no servers, or the work makes no progress.
    """
    sample = load_sample(folder)
    runs = [_run(store, sample, number, copies, tell) for store in stores for number in numbers]
    return {"runs": runs, "ratios": ratios(runs)}


def _run(store: Store, sample: SampleApplication, number: int, copies: int, tell: Tell) -> dict[str, Any]:
    with fresh_service(store) as ctx:
        handed_in = [hand_in(ctx, sample) for _ in range(copies)]
        total = copies * len(sample.files)
        with workers(ctx, {f"reader-{turn}": READER_QUEUES for turn in range(number)}) as ports:
            warm = _Warm(ports, "read_and_store")
            read, seconds = steady_rate(
                partial(_read, ctx, total), warm, number, total, partial(tell, f"pages, {number} readers, {store}")
            )
            spent = costs(ports)
            for application in handed_in:
                until(partial(is_checked, ctx, application))
                approve(ctx, application, sample)
            stages = costs(ports)
        with workers(ctx, {f"sealer-{turn}": "seal" for turn in range(number)}) as ports:
            until(lambda: all(map(answers, ports)))  # so that none is still starting when the others have done all
            since = time.monotonic()
            for application in handed_in:
                _release(ctx, application)
            sealed, took = steady_rate(
                partial(_sealed, ctx, handed_in),
                _Warm(ports, "seal_and_keep"),
                number,
                copies,
                partial(tell, f"licences, {number} sealers, {store}"),
                since,
            )
            until(lambda: costs(ports)["register"]["times"] >= copies)
            stages |= costs(ports)
    return {
        "store": store,
        "workers": number,
        "stages": {name: {k: round(v, 3) for k, v in item.items()} for name, item in stages.items()},
        "pages": total,
        "cpu_s_page": round(warm.cost_since(spent, PAGE_STEPS), 3),
        "pages_per_second": round(read / seconds, 3),
        "seals_per_second": round(sealed / took, 3),
    }


class _Warm:
    """Whether each of the workers has done a step once, and the total costs at that moment."""

    def __init__(self, ports: Sequence[int], step: str) -> None:
        self.ports, self.step = ports, step
        self.before: Costs = {}

    def __call__(self) -> bool:
        each = [costs([port]) for port in self.ports]
        if not all(item[self.step]["times"] for item in each):
            return False
        self.before = costs(self.ports)
        return True

    def cost_since(self, now: Costs, steps: Sequence[str]) -> float:
        """Total CPU seconds of the steps since, divided by the number of times that the step itself was done."""
        times = now[self.step]["times"] - self.before[self.step]["times"]
        return sum(now[name]["cpu_s"] - self.before[name]["cpu_s"] for name in steps) / times


def ratios(runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Throughput of each run relative to the one with the fewest workers on the same store."""
    found = []
    for item in runs:
        beside = [other for other in runs if other["store"] == item["store"]]
        base = min(beside, key=lambda other: int(other["workers"]))
        if item is not base:
            of = {"store": item["store"], "workers": [base["workers"], item["workers"]]}
            rates = ("pages_per_second", "seals_per_second")
            found.append({**of, **{name: round(item[name] / base[name], 3) for name in rates}})
    return found


def hand_in(ctx: Context, sample: SampleApplication) -> str:
    """Open an application with the files of a sample; returns its number."""
    number = str(create_application(ctx, KIOSK, sample.matter, "kiosk")["number"])
    for name in sample.files:
        add_page(ctx, KIOSK, number, (sample.folder / name).read_bytes(), filename=name)
    return number


def approve(ctx: Context, number: str, sample: SampleApplication) -> None:
    """Approve as a reviewer does who enters the fields that the machine left open."""
    view = submit(ctx, KIOSK, number)
    for page in view["pages"]:
        for reading in page["readings"]:
            for item in reading["fields"]:
                value = sample.truth.get((reading["material"], reading["page"], item["name"]))
                if item["value"] is None and value:
                    correct_field(ctx, APPROVER, number, page["id"], reading["index"], item["name"], value)
    until(partial(is_checked, ctx, number))
    view = view_application(ctx, APPROVER, number)
    aside = sorted({item["code"] for item in view["findings"] if item["severity"] == "fix" or item["look"]})
    seen = Seen(view["version"], view["content_sha256"])
    reason = "测速" if aside else ""
    decisions.decide(ctx, APPROVER, number, "approve", seen, reason=reason, set_aside=aside)


def _release(ctx: Context, number: str) -> None:
    view = view_application(ctx, SEALER, number)
    if view["seal"]["state"] == "awaiting_release":
        decisions.release(ctx, SEALER, number, view["version"])


def _read(ctx: Context, total: int) -> int:
    with ctx.database.read() as session:
        return total - pages.count_waiting(session)


def _sealed(ctx: Context, numbers: Sequence[str]) -> int:
    with ctx.database.read() as session:
        return [state for _, state, _ in applications.seal_states(session, numbers)].count("sealed")


def is_checked(ctx: Context, number: str) -> bool:
    """Whether an application was read and checked."""
    return bool(view_application(ctx, KIOSK, number)["checked"])
