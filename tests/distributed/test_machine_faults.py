"""Cables pulled, clocks that jump and full disks under a running deployment: what each part does about it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from api.kit.deps import CLOCK_SECONDS
from docproc.store.tables.applications import PageRow
from tests.api.group import checked, decision, open_application, upload_all, view
from tests.distributed.deployment import (
    MINIO,
    POSTGRES,
    READER_QUEUES,
    SEALER,
    WEB,
    Deployment,
    Machine,
    a_machine,
    deployment,
    environment,
)
from tests.flow.people import until
from tests.flow.small_stages import paper

DAY = 86_400


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with a_machine(tmp_path_factory.mktemp("machine")) as made:
        yield made


@pytest.fixture(scope="module")
def disturbed(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("disturbed"), machine=machine) as running:
        running.start_workers()
        yield running


@pytest.fixture(scope="module")
def staff(disturbed: Deployment) -> Iterator[dict[str, httpx.Client]]:
    people = disturbed.people()
    yield people
    for client in people.values():
        client.close()


def doctor(running: Deployment, clock: dict[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """What ``docproc doctor --deployment`` finds, on a machine whose clock may be another."""
    command = [sys.executable, "-m", "docproc.cli", "doctor", "--deployment", "--json"]
    env = {"PATH": "/usr/bin:/bin", **environment(running.settings), **(clock or {})}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    return {check["name"]: check for check in json.loads(done.stdout)}


def test_work_of_a_worker_that_is_cut_off_is_done_by_another_within_ten_seconds(
    disturbed: Deployment, machine: Machine, staff: dict[str, httpx.Client]
) -> None:
    """Nobody is told that a cable was pulled: both ends must notice the silence."""
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number, [paper([], sleep=4, mark=turn) for turn in range(2)])
    ctx = disturbed.context()
    until(lambda: {"reader-1", "reader-2"} <= ctx.jobs.busy_workers())
    machine.network.cut(machine.hosts["reader-1"])
    cut = time.monotonic()
    until(lambda: "reader-1" not in ctx.jobs.busy_workers())
    taken_over = time.monotonic() - cut
    assert disturbed.workers.running["reader-1"].wait(20) == 1, "it lost its name and stopped at once"
    machine.network.mend(machine.hosts["reader-1"])
    disturbed.workers.start("reader-1", READER_QUEUES)
    until(lambda: view(staff["kiosk"], number)["checked"])
    with ctx.database.read() as session:
        pages = session.scalars(sa.select(PageRow).where(PageRow.application == number)).all()
    ctx.close()
    assert [page.state for page in pages] == ["failed", "failed"]  # read, and found empty
    print(f"work of a worker that was cut off taken over after {taken_over:.1f} s")
    assert taken_over < 10


@pytest.mark.parametrize("server", [POSTGRES, MINIO])
def test_a_web_process_parted_from_a_server_says_later_and_keeps_nothing(
    disturbed: Deployment, machine: Machine, staff: dict[str, httpx.Client], server: str
) -> None:
    number = open_application(staff["kiosk"])
    pair = machine.hosts[WEB], machine.hosts[server]
    data = paper([], mark=f"parted from {server}")
    machine.network.part(*pair)
    try:
        started = time.monotonic()
        answer = staff["kiosk"].post(f"/v1/applications/{number}/pages", content=data)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
        assert time.monotonic() - started < 25
        assert staff["nobody"].get("/healthz").status_code == 200
        assert staff["nobody"].get("/readyz").status_code == 503
    finally:
        machine.network.mend(*pair)
    assert view(staff["kiosk"], number)["pages"] == []
    assert staff["kiosk"].post(f"/v1/applications/{number}/pages", content=data).status_code == 201
    checked(staff["kiosk"], number)


def test_a_sealer_whose_clock_is_a_day_ahead_waits_and_then_issues_with_the_right_date(
    disturbed: Deployment, machine: Machine, staff: dict[str, httpx.Client]
) -> None:
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number)
    checked(staff["kiosk"], number)
    assert staff["kiosk"].post(f"/v1/applications/{number}/submit").status_code == 200
    machine.clocks[SEALER].set(DAY)
    try:
        body = decision(view(staff["reviewer"], number))
        approved = staff["reviewer"].post(f"/v1/applications/{number}/decisions", json=body).json()
        released = {"version": approved["version"]}
        assert staff["sealer"].post(f"/v1/applications/{number}/release", json=released).status_code == 200
        time.sleep(4)  # it has taken the job and tried
        assert view(staff["kiosk"], number)["licence"] is None
    finally:
        machine.clocks[SEALER].set(0)
    licence = until(lambda: view(staff["kiosk"], number)["licence"])
    told = staff["reviewer"].get(f"/v1/licences/{licence}").json()
    ctx = disturbed.context()
    assert told["issued_on"] == ctx.today().isoformat()
    ctx.close()


def test_a_web_process_whose_clock_is_wrong_takes_nothing_in_and_shows_what_there_is(
    disturbed: Deployment, machine: Machine, staff: dict[str, httpx.Client]
) -> None:
    kiosk, number = staff["kiosk"], open_application(staff["kiosk"])
    pages, data = f"/v1/applications/{number}/pages", paper([], mark="at the wrong time")
    assert staff["nobody"].get("/readyz").json()["checks"]["clock"] is True
    machine.clocks[WEB].set(-DAY)
    try:
        answer = staff["nobody"].get("/readyz")
        assert answer.status_code == 503 and answer.json()["checks"]["clock"] is False
        time.sleep(CLOCK_SECONDS)
        answer = kiosk.post(pages, content=data)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
        assert view(kiosk, number)["pages"] == []
    finally:
        machine.clocks[WEB].set(0)
    assert staff["nobody"].get("/readyz").status_code == 200
    assert kiosk.post(pages, content=data).status_code == 201
    checked(kiosk, number)


def test_a_web_process_that_starts_while_the_blob_store_is_away_does_what_needs_no_blobs(
    disturbed: Deployment, staff: dict[str, httpx.Client]
) -> None:
    kiosk, number = staff["kiosk"], open_application(staff["kiosk"])
    pages, data = f"/v1/applications/{number}/pages", paper([], mark="while the store was away")
    disturbed.minio.stop()
    disturbed.kill_web()
    try:
        until(lambda: answers(staff["nobody"], "/healthz"))
        assert view(kiosk, number)["status"] == "draft"
        checks = staff["nobody"].get("/readyz").json()["checks"]
        assert [name for name, good in checks.items() if not good] == ["blobs"]
        answer = kiosk.post(pages, content=data)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
    finally:
        disturbed.minio.start()
    until(lambda: kiosk.post(pages, content=data).status_code == 201)
    checked(kiosk, number)


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def test_the_doctor_finds_a_clock_that_is_wrong(disturbed: Deployment, machine: Machine) -> None:
    assert doctor(disturbed)["clock"]["ok"]
    clock = machine.clocks[WEB]  # also the one of this doctor
    clock.set(3 * DAY)
    checks = doctor(disturbed, clock.env)
    clock.set(0)
    found = checks["clock"]
    assert not found["ok"] and f"+{3 * DAY}." in found["detail"] and "chrony" in found["remedy"]
    assert not checks["stores"]["ok"], "the S3 service takes requests of such a time for forged ones"


@pytest.mark.parametrize("server", [POSTGRES, MINIO])
def test_a_full_disk_of_a_server_is_a_pause(
    disturbed: Deployment, machine: Machine, staff: dict[str, httpx.Client], server: str
) -> None:
    kiosk = staff["kiosk"]
    body = {"matter": "sole_trader", "channel": "kiosk"}
    kept: list[tuple[str, str]] = []
    machine.disks[server].fill()
    try:
        for turn in range(400):
            answer = kiosk.post("/v1/applications", json=body)
            if answer.status_code == 201:
                number, data = answer.json()["number"], paper([], mark=f"{server}-{turn}", ballast="x" * 40_000)
                answer = kiosk.post(f"/v1/applications/{number}/pages?filename={'n' * 180}", content=data)
            if answer.status_code != 201:
                break
            kept.append((number, answer.json()["sha256"]))
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0, answer.text
    finally:
        machine.disks[server].free()
    disturbed.tend()
    until(lambda: staff["nobody"].get("/readyz").status_code == 200)
    for number, sha256 in kept:
        assert [page["sha256"] for page in view(kiosk, number)["pages"]] == [sha256]
    number = open_application(kiosk)
    upload_all(kiosk, number)
    assert until(lambda: (v := view(kiosk, number))["checked"] and v)["verdict"] == "pass"
