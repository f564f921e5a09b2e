"""Whatever is killed whenever: each approval ends in exactly one licence and no accepted page is lost."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from docproc.store.blobs.blobs import FileBlobs
from docproc.store.db import open_database
from docproc.store.tables.licences import LicenceFileRow, LicenceRow
from tests.api.group import Group, group, spawn, wait_ready
from tests.flow.people import trader_papers, until

KILLS = 10
SEED = 20261123


class Client:
    """Repeats each request under its Idempotency-Key until it is answered, as a kiosk does."""

    def __init__(self, running: Group, key: str) -> None:
        self.running, self.key, self.turn = running, key, 0

    def call(self, method: str, path: str, **send: Any) -> Any:
        self.turn += 1
        headers = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": f"{self.turn}"}
        until(lambda: (answer := self._try(method, path, headers, send)) is not None and self._keep(answer), 300)
        assert self.answer.status_code < 300, self.answer.text
        return self.answer.json()

    def _keep(self, answer: httpx.Response) -> bool:
        self.answer = answer
        return True

    def _try(self, method: str, path: str, headers: dict[str, str], send: dict[str, Any]) -> httpx.Response | None:
        try:
            answer = httpx.request(method, self.running.base + path, headers=headers, timeout=10, **send)
        except httpx.TransportError:
            return None
        return None if answer.status_code >= 500 else answer


def main_path(kiosk: Client, reviewer: Client, sealer: Client) -> dict[str, Any]:
    """One application from its opening to its licence; returns the last view."""
    number = kiosk.call("POST", "/v1/applications", json={"matter": "sole_trader", "channel": "kiosk"})["number"]
    base = f"/v1/applications/{number}"
    for place, data in enumerate(trader_papers(sleep=0.2)):
        kiosk.call("POST", f"{base}/pages?filename={place}.png", content=data)
    until(lambda: kiosk.call("GET", base)["checked"], 300)
    seen = kiosk.call("POST", f"{base}/submit")
    body = {"action": "approve", "version": seen["version"], "content_sha256": seen["content_sha256"]}
    approved = reviewer.call("POST", f"{base}/decisions", json=body)
    sealer.call("POST", f"{base}/release", json={"version": approved["version"]})
    return dict(until(lambda: (v := kiosk.call("GET", base))["licence"] and v, 300))


def essence(view: dict[str, Any]) -> dict[str, Any]:
    """What must be the same in every run: all but numbers, ids, hashes of them, and times."""
    kept = {key: view[key] for key in ("matter", "status", "version", "verdict", "checked", "seal", "findings")}
    pages = [{k: v for k, v in p.items() if k not in ("id", "uploaded_at")} for p in view["pages"]]
    decisions = [{k: d[k] for k in ("action", "by", "on_version", "released_by")} for d in view["decisions"]]
    return {**kept, "pages": pages, "decisions": decisions}


def children(group_id: int) -> list[int]:
    """Process ids of the group's workers."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes().split(b"\0")
            if b"tests.flow.small_stages" in command and os.getpgid(int(path.name)) == group_id:
                found.append(int(path.name))
        except OSError:
            continue
    return found


def kill_at_random(running: Group, rng: random.Random, done: Callable[[], None]) -> None:
    for turn in range(KILLS):
        time.sleep(rng.uniform(0.2, 2.5))
        if turn % 3 == 2:
            running.kill()
            running.process, _ = spawn(running.folder, "tests.flow.small_stages")
            running.base, _ = wait_ready(running.process)
        elif workers := children(running.process.pid):
            os.kill(rng.choice(workers), signal.SIGKILL)
    done()


def test_killing_at_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with group(tmp_path / "var") as running:
        people = [Client(running, running.new_key(f"{role}-1", role)) for role in ("kiosk", "reviewer", "sealer")]
        undisturbed = essence(main_path(*people))
        over = threading.Event()
        killer = threading.Thread(target=kill_at_random, args=(running, random.Random(SEED), over.set))
        killer.start()
        views = []
        try:
            while not over.is_set() or len(views) < 3:
                views.append(main_path(*people))
        finally:
            killer.join()
        auditor = Client(running, running.new_key("auditor-1", "auditor"))
        assert auditor.call("GET", "/v1/audit/check")["ok"]
    assert [essence(view) for view in views] == [undisturbed] * len(views)
    check_register(tmp_path / "var", len(views) + 1)


def check_register(folder: Path, count: int) -> None:
    """One licence for each approval, numbered without a gap, each with the very file that was registered."""
    database = open_database(f"sqlite:///{folder / 'docproc.db'}")
    blobs = FileBlobs(folder / "blobs")
    with database.read() as session:
        rows = session.query(LicenceRow).all()
        files = session.query(LicenceFileRow).count()
    database.close()
    assert len(rows) == files == count
    assert len({row.decision for row in rows}) == len({row.application for row in rows}) == count
    for row in rows:
        assert row.sha256 is not None and row.number.encode() in blobs.get(row.sha256)
