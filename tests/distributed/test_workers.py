"""Workers as processes over PostgreSQL and MinIO: the way of a scan, a dead worker, one name, draining, priorities."""

from __future__ import annotations

import time

import httpx

from tests.api.group import checked, open_application, upload_all, view
from tests.distributed.deployment import READER_QUEUES, Deployment, issue
from tests.flow.people import trader_papers, until
from tests.flow.small_stages import paper


def test_papers_become_a_licence_over_real_servers(deployed: Deployment, staff: dict[str, httpx.Client]) -> None:
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number)
    assert checked(staff["kiosk"], number)["verdict"] == "pass"
    licence = issue(staff, number)
    assert staff["nobody"].get(f"/v1/licences/{licence}").json()["status"] == "valid"
    ctx = deployed.context()
    page = view(staff["kiosk"], number)["pages"][0]
    file = staff["reviewer"].get(f"/v1/applications/{number}/pages/{page['id']}/file").content
    assert ctx.blobs.get(page["sha256"]) == file
    ctx.close()


def test_the_work_of_a_killed_worker_is_done_within_ten_seconds_without_a_restart(
    deployed: Deployment, staff: dict[str, httpx.Client]
) -> None:
    number = open_application(staff["kiosk"])
    slow = [paper([], sleep=2, mark=turn) for turn in range(2)]
    upload_all(staff["kiosk"], number, slow)
    ctx = deployed.context()
    until(lambda: {"reader-1", "reader-2"} <= ctx.jobs.busy_workers())
    deployed.workers.kill("reader-1")
    killed = time.monotonic()
    until(lambda: "reader-1" not in ctx.jobs.busy_workers(), 20)
    taken_over = time.monotonic() - killed
    until(lambda: view(staff["kiosk"], number)["checked"], 30)
    ctx.close()
    deployed.workers.start("reader-1", READER_QUEUES)
    print(f"work of a killed worker taken over after {taken_over:.1f} s")
    assert taken_over < 10
    assert {page["state"] for page in view(staff["kiosk"], number)["pages"]} == {"failed"}  # read, and found empty


def test_a_second_worker_of_one_name_refuses_to_start(deployed: Deployment) -> None:
    first = deployed.workers.running["reader-2"]
    second = deployed.workers.start("reader-2", READER_QUEUES, wait=False)
    try:
        assert second.wait(60) != 0
        assert "reader-2" in (deployed.settings.data_dir / "log-reader-2").read_text()
        assert first.poll() is None
    finally:
        deployed.workers.running["reader-2"] = first


def test_a_worker_told_to_end_finishes_what_it_reads(deployed: Deployment, staff: dict[str, httpx.Client]) -> None:
    number = open_application(staff["kiosk"])
    for name in ("reader-1", "reader-2"):
        if name == "reader-1":
            assert deployed.workers.stop(name) == 0
    upload_all(staff["kiosk"], number, [paper([], sleep=3, mark="drain")])
    ctx = deployed.context()
    until(lambda: "reader-2" in ctx.jobs.busy_workers())
    assert deployed.workers.stop("reader-2") == 0
    assert view(staff["kiosk"], number)["pages"][0]["state"] == "failed"  # its end was stored before the worker ended
    ctx.close()
    for name in ("reader-1", "reader-2"):
        deployed.workers.start(name, READER_QUEUES)


def test_a_full_queue_refuses_before_anything_is_kept_and_says_when_to_come_back(
    deployed: Deployment, staff: dict[str, httpx.Client]
) -> None:
    for name in ("reader-1", "reader-2"):
        deployed.workers.stop(name)
    answer = staff["kiosk"].post("/v1/applications", json={"matter": "sole_trader", "channel": "batch"})
    batch, live = answer.json()["number"], open_application(staff["kiosk"])
    ctx = deployed.context()
    stored = set(ctx.blobs.iterate())
    codes = [
        staff["kiosk"].post(f"/v1/applications/{batch}/pages", content=paper([], mark=turn)).status_code
        for turn in range(21)
    ]
    assert codes == [201] * 20 + [503]  # half of the room is kept for persons
    assert len(set(ctx.blobs.iterate()) - stored) == 20
    upload_all(staff["kiosk"], live, trader_papers())
    refused = staff["kiosk"].post(f"/v1/applications/{batch}/pages", content=paper([], mark="late"))
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
    deployed.workers.start("reader-1", READER_QUEUES)
    until(lambda: view(staff["kiosk"], live)["checked"], 60)
    waiting = [page["state"] for page in view(staff["kiosk"], batch)["pages"]].count("queued")
    assert waiting >= 15, "the person was served before the batch that came first"
    deployed.workers.start("reader-2", READER_QUEUES)
    until(lambda: view(staff["kiosk"], batch)["checked"], 60)
    ctx.close()


def test_minio_away_is_a_pause_for_kiosk_and_worker(deployed: Deployment, staff: dict[str, httpx.Client]) -> None:
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number, [paper([], sleep=1, mark="before")])
    late = paper([], mark="during")
    deployed.minio.stop()
    try:
        answer = staff["kiosk"].post(f"/v1/applications/{number}/pages", content=late)
        assert answer.status_code == 503 and "Retry-After" in answer.headers, answer.text
        assert staff["kiosk"].get(f"/v1/applications/{number}").status_code == 200
    finally:
        deployed.minio.start()
    assert staff["kiosk"].post(f"/v1/applications/{number}/pages", content=late).status_code == 201
    until(lambda: view(staff["kiosk"], number)["checked"], 60)
