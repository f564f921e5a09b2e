"""Twice as many files as can be read: kiosks get quick answers, none that was accepted is lost, memory stays flat.

``DOCPROC_LOAD_SECONDS`` makes it longer.
"""

from __future__ import annotations

import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.api.group import open_application, view
from tests.distributed.deployment import Deployment
from tests.flow.people import until
from tests.flow.small_stages import paper

SECONDS = float(os.environ.get("DOCPROC_LOAD_SECONDS", "8"))
READING = 1.0
"""Seconds that each file keeps a reader busy; two readers read at most two a second."""
KIOSKS = 4
PER_SECOND = 4.0
"""Files that come in: twice what can be read."""


def hand_in(deployed: Deployment, key: str, kiosk: int) -> tuple[list[str], list[float], int, str]:
    """Post files at a steady rate; gives the accepted ones, times of answers, refusals, and the application."""
    accepted, times, refused = [], [], 0
    with deployed.client(key) as client:
        number = open_application(client)
        end, turn = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            started = time.monotonic()
            data = paper([], sleep=READING, mark=f"load-{kiosk}-{turn}")
            answer = client.post(f"/v1/applications/{number}/pages", content=data)
            times.append(time.monotonic() - started)
            if answer.status_code == 201:
                accepted.append(answer.json()["id"])
            else:
                assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
                refused += 1
            turn += 1
            time.sleep(max(0.0, KIOSKS / PER_SECOND - (time.monotonic() - started)))
    return accepted, times, refused, number


def memory(deployed: Deployment) -> int:
    """Resident memory of the process that answers, MiB."""
    assert deployed.web.process is not None
    found = subprocess.run(["pgrep", "-P", str(deployed.web.process.pid)], capture_output=True, text=True, check=True)
    status = Path(f"/proc/{found.stdout.split()[0]}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


def test_more_than_can_be_read_is_kept_or_refused_but_never_lost(
    deployed: Deployment, staff: dict[str, httpx.Client]
) -> None:
    keys = [deployed.new_key(f"load-{kiosk}", "kiosk") for kiosk in range(KIOSKS)]
    before = memory(deployed)
    with ThreadPoolExecutor(KIOSKS) as pool:
        ended = list(pool.map(lambda kiosk: hand_in(deployed, keys[kiosk], kiosk), range(KIOSKS)))
    times = sorted(seconds for _, found, _, _ in ended for seconds in found)
    for key, (accepted, _, _, number) in zip(keys, ended, strict=True):
        with deployed.client(key) as client:
            until(lambda: view(client, number)["checked"], 60 + 4 * SECONDS)  # noqa: B023  (called at once)
            kept = {page["id"]: page["state"] for page in view(client, number)["pages"]}
        assert set(kept) == set(accepted) and "queued" not in kept.values()
    grown = memory(deployed) - before
    p50, p95, p99 = (times[min(len(times) - 1, int(len(times) * part))] for part in (0.5, 0.95, 0.99))
    refused = sum(count for _, _, count, _ in ended)
    print(
        f"{len(times)} files in {SECONDS:.0f} s, {refused} refused; p50 {p50:.3f} s, p95 {p95:.3f} s, p99 {p99:.3f} s"
    )
    assert grown < 100, f"the web process grew by {grown} MiB"
