"""What an operator sees: measurements of web and workers, and the checkup of the deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from docproc.checkup import checkup
from docproc.doctor import Check
from docproc.licence.pki import make_dev_pki
from docproc.settings import Settings
from tests.api.group import checked, open_application, upload_all, view
from tests.distributed.deployment import READER_QUEUES, Deployment
from tests.distributed.test_workers import issue
from tests.flow.people import trader_papers, until
from tests.flow.small_stages import paper
from tests.servers.processes import free_port


@pytest.fixture(scope="module")
def settings(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    certs = tmp_path_factory.mktemp("seeing") / "certs"
    make_dev_pki(certs, at=datetime.now(UTC))
    return deployed.settings.model_copy(update={"certs_dir": certs, "trust_dir": certs / "trust"})


def found(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in checkup(settings)}


def test_web_and_worker_tell_queues_stages_verdicts_and_licences(
    deployed: Deployment, staff: dict[str, httpx.Client]
) -> None:
    port = free_port()
    deployed.workers.env["DOCPROC_METRICS_PORT"] = str(port)
    for name in ("reader-1", "reader-2"):
        deployed.workers.stop(name)
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number, trader_papers(turn="metrics"))
    before = staff["nobody"].get("/metrics").text
    assert f"docproc_files_waiting {len(trader_papers())}.0" in before
    assert float(line(before, "docproc_oldest_file_seconds ").split()[-1]) > 0
    deployed.workers.start("reader-1", READER_QUEUES)
    del deployed.workers.env["DOCPROC_METRICS_PORT"]
    deployed.workers.start("reader-2", READER_QUEUES)
    checked(staff["kiosk"], number)
    issue(staff, number)
    after = staff["nobody"].get("/metrics").text
    assert "docproc_files_waiting 0.0" in after
    assert 'docproc_application_verdicts{verdict="pass"}' in after and 'docproc_licences{status="valid"}' in after
    worker = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    assert 'docproc_step_seconds_count{step="' in worker
    line(worker, "docproc_step_cpu_seconds_total")


def line(text: str, start: str) -> str:
    return next(item for item in text.splitlines() if item.startswith(start))


def test_a_healthy_deployment_is_found_healthy(deployed: Deployment, settings: Settings) -> None:
    checks = found(settings)
    wrong = [check for check in checks.values() if check.needed and not check.ok and check.name != "disk"]
    assert wrong == []
    assert {"schema", "version", "queue", "workers", "clock", "blobs", "certificate seal-rsa.p12"} <= set(checks)


def test_workers_of_an_older_version_and_old_certificates_are_found(
    deployed: Deployment, settings: Settings, tmp_path: Path
) -> None:
    make_dev_pki(tmp_path / "old", at=datetime(2015, 1, 1, tzinfo=UTC))
    update = {"application_version": "0", "certs_dir": tmp_path / "old", "trust_dir": tmp_path / "old" / "trust"}
    checks = found(settings.model_copy(update=update))
    assert not checks["version"].ok and "DOCPROC_APPLICATION_VERSION=1" in checks["version"].remedy
    assert not checks["certificate seal-rsa.p12"].ok
    assert checks["queue"].ok


def test_a_dead_worker_with_jobs_is_found(
    deployed: Deployment, settings: Settings, staff: dict[str, httpx.Client]
) -> None:
    deployed.workers.stop("reader-2")
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number, [paper([], sleep=2, mark="dead")])
    ctx = deployed.context()
    until(lambda: "reader-1" in ctx.jobs.busy_workers())
    ctx.close()
    deployed.workers.kill("reader-1")
    deployed.workers.stop("sealer")  # nobody is left to take over
    checks = found(settings)
    assert not checks["workers"].ok and "reader-1" in checks["workers"].detail
    for name, queues in (("reader-1", READER_QUEUES), ("reader-2", READER_QUEUES), ("sealer", "seal")):
        deployed.workers.start(name, queues, wait=False)
    until(lambda: view(staff["kiosk"], number)["checked"], 180)
    until(lambda: all((deployed.settings.data_dir / f"ready-{name}").exists() for name in ("reader-2", "sealer")), 180)
    assert found(settings)["workers"].ok


def test_stores_that_are_away_are_named(settings: Settings) -> None:
    nowhere = f"postgresql+psycopg://docproc:x@127.0.0.1:{free_port()}/docproc"
    checks = found(settings.model_copy(update={"database_url": nowhere}))
    assert [check.name for check in checks.values() if not check.ok] == ["stores"]
