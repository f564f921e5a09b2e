"""Measure the cost of verifying distinct licences: at the service, in one process, by a command, and by stock pyHanko.

The licences are rendered and sealed for the measurement, each with its own number, at level B-LTA.
"""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx

from docproc.assets.paths import font
from docproc.bench.machine import family_cpu_seconds, machine
from docproc.bench.seal import sample_licence
from docproc.bench.service import free_port, fresh_service, is_ready, start, stop, until
from docproc.bench.stock_verify import stock_verdict
from docproc.errors import SetupError
from docproc.licence.devpki.pki import AUTHORITY, make_dev_pki
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.art import draw
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.seal import seal
from docproc.licence.verify.verify_limited import prepare, verify_limited
from docproc.sandbox.spent import metered

WARM_UP = 4
"""Files, beside those that count, that are verified first."""


def run(files: int = 100, tell: Callable[[str, int, int], None] = lambda what, done, total: None) -> dict[str, Any]:
    """Measure and return the figures as JSON values.

    Args:
        files: distinct licences.
        tell: called with the progress.

    Raises:
        SetupError: fonts are missing, or a good licence was not found good.
    """
    logging.getLogger("pyhanko").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="docproc-bench-") as name:
        folder = Path(name)
        make_dev_pki(folder / "pki", at=_now())
        trust, paths = folder / "pki" / "trust", []
        for number, data in enumerate(_sealed(DevPki(folder / "pki"), files + WARM_UP), 1):
            paths.append(folder / f"{number}.pdf")
            paths[-1].write_bytes(data)
            tell("sealing", number, files + WARM_UP)
        service = _service(trust, [path.read_bytes() for path in paths], tell)
        return {
            "files": files,
            **service,
            "process": _process(trust, [path.read_bytes() for path in paths[WARM_UP:]]),
            "command": _command(trust, paths[WARM_UP:]),
            "command_of_one": _command(trust, paths[:1]),
            "help": _spent([*_DOCPROC, "--help"]),
            "stock": {"cpu_ms": _stock(trust, [path.read_bytes() for path in paths[: max(10, files // 5)]])},
            "machine": machine(),
        }


_DOCPROC = (sys.executable, "-m", "docproc.cli")


def _sealed(pki: DevPki, count: int) -> Iterator[bytes]:
    layout = load_layout("food_business")
    art = draw(AUTHORITY, font(), diameter=layout.seal.diameter)
    signer, stamper, trust = pki.signer(), pki.timestamper(_now), pki.seal_trust()
    for number in range(count):
        pdf = render(replace(sample_licence(), number=f"JY299009{number:08}"), layout)
        yield seal(pdf, signer, stamper, trust, place=layout.seal, art=art, reason="签发", at=_now())


def _service(trust: Path, files: Sequence[bytes], tell: Callable[[str, int, int], None]) -> dict[str, float]:
    """Send every file to a web process, as many at once as there are cores."""
    port, at_once = free_port(), os.cpu_count() or 1
    free = {"rate_limit_per_minute": 1_000_000, "parse_seconds_per_minute": 100_000}
    more = {"port": port, "trust_dir": trust, **free}
    with fresh_service("embedded", **more) as ctx, _web(ctx.settings, port) as web:

        def post(data: bytes) -> float:
            begun = time.monotonic()
            answer = client.post("/v1/licences/verify", content=data, headers={"Content-Type": "application/pdf"})
            _check(answer.raise_for_status().json()["indication"])
            return time.monotonic() - begun

        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
            ThreadPoolExecutor(at_once) as pool,
        ):
            list(pool.map(post, files[:WARM_UP]))
            spent, begun, taken = family_cpu_seconds(web), time.monotonic(), []
            for seconds in pool.map(post, files[WARM_UP:]):
                taken.append(seconds)
                tell("verifying at the service", len(taken), len(files) - WARM_UP)
            wall, cpu = time.monotonic() - begun, family_cpu_seconds(web) - spent
    return {
        "cpu_ms": round(1000 * cpu / len(taken), 1),
        "per_second": round(len(taken) / wall, 1),
        "per_second_core": round(len(taken) / cpu, 1),
        "p95_ms": round(1000 * quantiles(taken, n=20)[-1], 1),
    }


@contextmanager
def _web(settings: Any, port: int) -> Iterator[int]:
    process = start(["docproc.cli", "serve", "--web-only"], settings)
    try:
        until(partial(is_ready, port))
        yield process.pid
    finally:
        stop([process])


def _process(trust: Path, files: Sequence[bytes]) -> dict[str, float]:
    """One file after the other from this process, each in a child of the sandbox."""
    known = TrustList.from_folder(trust)
    prepare(len(files))
    verify_limited(files[0], known, _now())
    own, taken = time.process_time(), []
    with metered() as parsers:
        for data in files:
            begun = time.monotonic()
            _check(verify_limited(data, known, _now()).indication)
            taken.append(time.monotonic() - begun)
    cpu = time.process_time() - own + parsers.cpu_s
    return {"cpu_ms": round(1000 * cpu / len(files), 1), "p95_ms": round(1000 * quantiles(taken, n=20)[-1], 1)}


def _command(trust: Path, paths: Sequence[Path]) -> dict[str, float]:
    return _spent([*_DOCPROC, "verify", "--json", "--trust", str(trust), *map(str, paths)])


def _spent(command: Sequence[str]) -> dict[str, float]:
    """Wall and CPU time of a command, its start and its children included."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SetupError(f"{' '.join(command[:4])} ended with {done.returncode}: {done.stderr[-300:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}


def _stock(trust: Path, files: Sequence[bytes]) -> float:
    """CPU milliseconds of pyHanko's own process, in this one; the first file is not counted."""
    known, taken = TrustList.from_folder(trust), []
    for data in files:
        begun = time.process_time()
        if not stock_verdict(data, known):
            raise SetupError("stock pyHanko does not find a good licence good")
        taken.append(time.process_time() - begun)
    return round(1000 * sum(taken[1:]) / len(taken[1:]), 1)


def _check(indication: str) -> None:
    if indication != "TOTAL-PASSED":
        raise SetupError(f"a good licence was not found good: {indication}")


def _now() -> datetime:
    return datetime.now(UTC)
