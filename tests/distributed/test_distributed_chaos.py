"""Faults of every kind while applications are in flight: nothing is lost, nothing happens twice.

``DOCPROC_CHAOS_APPLICATIONS`` and ``DOCPROC_CHAOS_FAULTS`` make it larger, ``DOCPROC_CHAOS_SEED`` another one. Faults
of network, disks and clocks need root; elsewhere they are left out.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from docproc.flow.audit.proof import prove
from docproc.store.licences import licences
from tests.distributed.deployment import Deployment, a_machine, deployment
from tests.distributed.faults import Chaos
from tests.flow.people import trader_papers, until
from tests.servers.network import may_rule_the_machine

APPLICATIONS = int(os.environ.get("DOCPROC_CHAOS_APPLICATIONS", "12"))
FAULTS = int(os.environ.get("DOCPROC_CHAOS_FAULTS", "16"))
SEED = int(os.environ.get("DOCPROC_CHAOS_SEED", "20261123"))
OUTAGE_SECONDS = float(os.environ.get("DOCPROC_CHAOS_OUTAGE", "5"))
SECONDS = 600 + 2 * APPLICATIONS
AT_ONCE = 6 if APPLICATIONS < 100 else 24
"""Kiosks at work; all applications are in flight together."""
PAUSE = 0.5 if APPLICATIONS < 100 else 4.0
"""Seconds between two looks at an application: those who ask must not take the machine from what is tested."""
BETWEEN = 1.25 if APPLICATIONS < 100 else 0.06 * APPLICATIONS
"""Seconds between two faults."""
IN_CI = os.environ.get("CI") == "true"


class Patient:
    """A client that repeats each request under its Idempotency-Key until it is answered, as a kiosk does."""

    turns = count()

    def __init__(self, base: str, key: str) -> None:
        limits = httpx.Limits(max_connections=200, keepalive_expiry=5)
        headers = {"Authorization": f"Bearer {key}"}
        self.client = httpx.Client(base_url=base, headers=headers, timeout=20, limits=limits)

    def call(self, method: str, path: str, **send: Any) -> httpx.Response:
        headers = {"Idempotency-Key": f"turn-{next(self.turns)}"}
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                answer = self.client.request(method, path, headers=headers, **send)
            except httpx.TransportError:
                time.sleep(0.3)
                continue
            if answer.status_code < 500:
                return answer
            time.sleep(0.3)
        raise AssertionError(f"{method} {path} was never answered")

    def view(self, number: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/v1/applications/{number}").json())


class Case:
    """One application from its opening to its licence, with every request sent as often as people do."""

    def __init__(self, turn: int, kiosk: Patient, reviewers: tuple[Patient, Patient], sealer: Patient) -> None:
        self.turn, self.kiosk, self.reviewers, self.sealer = turn, kiosk, reviewers, sealer
        self.accepted: set[str] = set()
        self.decisions: Counter[int] = Counter()
        self.number = ""

    def hand_in(self) -> None:
        body = {"matter": "sole_trader", "channel": "kiosk"}
        self.number = str(self.kiosk.call("POST", "/v1/applications", json=body).json()["number"])
        base = f"/v1/applications/{self.number}"
        for place, data in enumerate(trader_papers(sleep=0.1, turn=self.turn)):
            for _ in range(2):  # an impatient finger
                answer = self.kiosk.call("POST", f"{base}/pages?filename={place}.png", content=data)
                assert answer.status_code == 201, answer.text
                assert answer.json()["sha256"] == hashlib.sha256(data).hexdigest()
            self.accepted.add(answer.json()["sha256"])
        until(lambda: self.kiosk.view(self.number)["checked"] or time.sleep(PAUSE), SECONDS)
        assert self.kiosk.call("POST", f"{base}/submit").status_code == 200

    def decide(self) -> None:
        base = f"/v1/applications/{self.number}"
        seen = self.reviewers[0].view(self.number)
        body = {"action": "approve", "version": seen["version"], "content_sha256": seen["content_sha256"]}
        with ThreadPoolExecutor(2) as both:
            asked = [both.submit(who.call, "POST", f"{base}/decisions", json=body) for who in self.reviewers]
            self.decisions.update(answer.result().status_code for answer in asked)
        version = self.kiosk.view(self.number)["version"]
        released = self.sealer.call("POST", f"{base}/release", json={"version": version})
        assert released.status_code == 200, released.text

    def licence(self) -> str:
        return str(until(lambda: self.kiosk.view(self.number)["licence"] or time.sleep(PAUSE), SECONDS))


def everywhere(work: Callable[[Case], Any], cases: list[Case]) -> list[Any]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, cases))


def test_nothing_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    with ExitStack() as stack:
        machine = stack.enter_context(a_machine(tmp_path)) if may_rule_the_machine() or IN_CI else None
        running = stack.enter_context(deployment(tmp_path, machine=machine))
        running.start_workers()
        keys = {name: running.new_key(name, name.split("-")[0]) for name in ("kiosk-1", "kiosk-2", "sealer-1")}
        keys |= {name: running.new_key(name, "reviewer") for name in ("reviewer-1", "reviewer-2")}
        people = {name: Patient(running.base, key) for name, key in keys.items()}
        for person in people.values():
            stack.callback(person.client.close)
        reviewers = people["reviewer-1"], people["reviewer-2"]
        cases = [
            Case(turn, people[f"kiosk-{turn % 2 + 1}"], reviewers, people["sealer-1"]) for turn in range(APPLICATIONS)
        ]
        chaos = Chaos(running, SEED, FAULTS, OUTAGE_SECONDS, BETWEEN)
        faults = threading.Thread(target=chaos.run)
        faults.start()
        started = time.monotonic()
        try:  # all are in flight at once: none is decided before the last one is handed in
            everywhere(Case.hand_in, cases)
            everywhere(Case.decide, cases)
            issued = everywhere(Case.licence, cases)
        finally:
            chaos.stopping.set()
            faults.join(300)
        seconds = time.monotonic() - started
        lost, doubled = losses(running, cases, issued)
        figures = f"{APPLICATIONS} applications, {sum(chaos.done.values())} faults ({dict(chaos.done)})"
        print(f"{figures}: lost {lost}, doubled {doubled}, in {seconds:.0f} s")
        assert sum(chaos.done.values()) == len(chaos.plan)
        assert (lost, doubled) == (0, 0)


def losses(running: Deployment, cases: list[Case], issued: list[str]) -> tuple[int, int]:
    """Pages, licences and lines that are missing; licences, pages and decisions too many."""
    ctx = running.context()
    lost = doubled = 0
    for case in cases:
        view = case.kiosk.view(case.number)
        kept = [page["sha256"] for page in view["pages"]]
        lost += len(case.accepted - set(kept)) + (view["status"] != "issued")
        doubled += len(kept) - len(set(kept)) + len(view["decisions"]) - 1
        doubled += case.decisions[201] - 1 + case.decisions.total() - case.decisions[201] - case.decisions[409]
    doubled += len(issued) - len(set(issued))
    with ctx.database.read() as session:
        for number in issued:
            assert len([line for line in licences.history(session, number) if line.status == "valid"]) == 1
    proof = prove(ctx, None)
    ctx.close()
    assert proof.problems == []
    assert proof.originals == sum(len(case.accepted) for case in cases)
    assert proof.sealed == proof.approvals == len(cases)
    return lost, doubled
