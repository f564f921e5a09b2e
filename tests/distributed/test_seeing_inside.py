"""What an operator sees: measurements of web and workers, and the checkup of the deployment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa

from docproc.flow.audit.proof import STAMPED
from docproc.flow.core.context import Context, open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.flow.jobs.fair_queue import BATCH_LANE
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.devpki.pki_server import serving
from docproc.licence.devpki.responder import DevPki
from docproc.ops.checkup import checkup
from docproc.ops.doctor import Check
from docproc.settings import Settings
from docproc.store.audit import audit
from docproc.store.db import create_database, drop_database, open_database
from docproc.store.migrate import downgrade
from docproc.store.tables.applications import PageRow
from docproc.store.upkeep.filling import fill
from tests.api.group import checked, open_application, upload_all, view
from tests.cases import TRADER, pages
from tests.distributed.deployment import READER_QUEUES, Deployment, issue
from tests.flow.people import trader_papers, until
from tests.flow.small_stages import paper
from tests.servers.disk import disk
from tests.servers.processes import free_port


@pytest.fixture(scope="module")
def settings(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    certs = tmp_path_factory.mktemp("seeing") / "certs"
    make_dev_pki(certs, at=datetime.now(UTC))
    return deployed.settings.model_copy(update={"certs_dir": certs, "trust_dir": certs / "trust"})


def web_metrics(deployed: Deployment) -> str:
    with deployed.client() as anybody:
        assert anybody.get("/metrics").status_code == 404, "not where everybody can ask"
    return httpx.get(deployed.measured, timeout=10).text


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
    before = web_metrics(deployed)
    assert f"docproc_files_waiting {len(trader_papers())}.0" in before
    waiting = '{lane="person",queue="read"}'
    assert float(line(before, f"docproc_jobs_waiting{waiting}").split()[-1]) == len(trader_papers())
    for name in ("docproc_oldest_file_seconds ", f"docproc_oldest_job_seconds{waiting}"):
        assert float(line(before, name).split()[-1]) > 0
    deployed.workers.start("reader-1", READER_QUEUES)
    del deployed.workers.env["DOCPROC_METRICS_PORT"]
    checked(staff["kiosk"], number)
    unsure = open_application(staff["kiosk"])
    reading = pages("sole_trader", TRADER)[0]
    fields = {name: replace(field, value=None) for name, field in reading.fields.items()}
    upload_all(staff["kiosk"], unsure, [paper([replace(reading, fields=fields)]), paper([], fail=True)])
    checked(staff["kiosk"], unsure)
    deployed.workers.start("reader-2", READER_QUEUES)
    issue(staff, number)
    after = web_metrics(deployed)
    assert "docproc_files_waiting 0.0" in after
    assert 'docproc_application_verdicts{verdict="pass"}' in after and 'docproc_licences{status="valid"}' in after
    assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    worker = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    assert 'docproc_step_seconds_count{step="' in worker
    for start in (
        "docproc_step_cpu_seconds_total",
        'docproc_fields_total{material="application",outcome="abstained"}',
        'docproc_fields_total{material="application",outcome="read"}',
        'docproc_verdicts_total{matter="sole_trader",verdict="pass"}',
        "docproc_pages_total",
    ):
        line(worker, start)


def line(text: str, start: str) -> str:
    return next(item for item in text.splitlines() if item.startswith(start))


def test_a_healthy_deployment_is_found_healthy(deployed: Deployment, settings: Settings) -> None:
    checks = found(settings)
    wrong = {check.name for check in checks.values() if check.needed and not check.ok} - {"disk"}
    assert wrong == {"process keys apart"}  # one user runs all of it here, and can read every key
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


def test_a_file_that_waits_for_too_long_is_found(
    deployed: Deployment, settings: Settings, staff: dict[str, httpx.Client]
) -> None:
    for name in ("reader-1", "reader-2"):
        deployed.workers.stop(name)
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number, [paper([], mark="stuck")])
    assert found(settings)["queue"].ok
    ctx = deployed.context()
    with ctx.database.write() as session:
        old = datetime.now(UTC) - timedelta(minutes=11)
        session.execute(sa.update(PageRow).where(PageRow.application == number).values(uploaded_at=old))
    queue = found(settings)["queue"]
    assert not queue.ok and "1 files wait" in queue.detail and "start more workers" in queue.remedy
    for name in ("reader-1", "reader-2"):
        deployed.workers.start(name, READER_QUEUES, wait=False)
    until(lambda: view(staff["kiosk"], number)["checked"])
    ctx.close()
    assert found(settings)["queue"].ok


def test_jobs_that_were_given_up_are_counted(deployed: Deployment, settings: Settings) -> None:
    ctx = deployed.context()
    before = ctx.jobs.given_up()
    with ctx.database.write() as session:
        ctx.jobs.enqueue(session, "check_application", "check:none:1", "none", 1)  # no such application
    until(lambda: ctx.jobs.given_up() == before + 1)
    ctx.close()
    check = found(settings)["given up"]
    assert not check.ok and check.detail.startswith(f"{before + 1} jobs") and not check.needed


def test_a_certificate_near_its_end_is_found(settings: Settings, tmp_path: Path) -> None:
    make_dev_pki(tmp_path / "new", at=datetime.now(UTC))
    days = int(found(_with_certs(settings, tmp_path / "new"))["certificate seal-rsa.p12"].detail.split()[2])
    make_dev_pki(tmp_path / "old", at=datetime.now(UTC) - timedelta(days=days - 20))
    checks = found(_with_certs(settings, tmp_path / "old"))
    seal = checks["certificate seal-rsa.p12"]
    assert not seal.ok and seal.detail in ("ends in 20 days", "ends in 19 days") and "order a new" in seal.remedy
    assert checks["certificate root.crt"].ok


def test_a_time_stamping_service_with_another_time_or_away_is_found(settings: Settings) -> None:
    assert found(settings)["clock of the TSA"].ok
    pki = DevPki(settings.certs_dir)
    with serving(pki, lambda: datetime.now(UTC) + timedelta(seconds=60)) as base:
        skewed = found(settings.model_copy(update={"tsa_url": f"{base}/tsa"}))["clock of the TSA"]
    assert not skewed.ok and skewed.detail[:4] in ("-60.", "-59.", "-58."), skewed
    away = found(settings.model_copy(update={"tsa_url": f"http://127.0.0.1:{free_port()}/tsa"}))["clock of the TSA"]
    assert not away.ok and "DOCPROC_TSA_URL" in away.remedy


def test_a_disk_with_little_room_is_found(settings: Settings) -> None:
    with disk(64) as small:
        check = found(settings.model_copy(update={"data_dir": small.folder}))["disk"]
    assert not check.ok and str(small.folder) in check.detail


@pytest.fixture
def apart(settings: Settings) -> Iterator[Context]:
    """A deployment whose database is another one, migrated and without workers."""
    name = f"doctor_{uuid4().hex[:8]}"
    other = settings.model_copy(update={"database_url": create_database(settings.database_url, name)})
    database = open_database(other.database)
    migrate_all(database)
    database.close()
    ctx = open_context(other)
    yield ctx
    ctx.close()
    drop_database(settings.database_url, name)


def test_a_schema_of_another_version_is_found(apart: Context) -> None:
    assert found(apart.settings)["schema"].ok
    downgrade(apart.database, "base")
    checks = found(apart.settings)
    assert not checks["schema"].ok and checks["schema"].remedy == "docproc migrate"
    assert checks["clock"].ok and "queue" not in checks


def test_a_log_that_was_not_time_stamped_for_more_than_a_day_is_found(apart: Context) -> None:
    def after(hours: int, action: str = "x") -> Check:
        with apart.database.write() as session:
            audit.append(session, datetime.now(UTC) - timedelta(hours=hours), "system", action, "audit")
        return found(apart.settings)["audit log"]

    assert found(apart.settings)["audit log"].ok  # nothing happened yet
    never = after(30)
    assert not never.ok and never.detail == "never time-stamped" and never.remedy.startswith("docproc audit stamp")
    assert not after(0).ok  # what happens later does not make the first line younger
    assert after(29, STAMPED).ok  # and on a quiet week-end nothing is left to be stamped
    assert not after(28).ok
    assert after(27, STAMPED).ok and after(20).ok


def test_queues_that_stand_still_are_found_but_not_a_batch_that_waits(apart: Context) -> None:
    with apart.database.write() as session:
        apart.jobs.enqueue(session, "check_application", "check:x:1", "x", 1)
        apart.jobs.enqueue(session, "read_page", "read:x", "x", priority=BATCH_LANE)
    assert found(apart.settings)["jobs"].ok
    with apart.database.write() as session:
        session.execute(sa.text("UPDATE dbos.workflow_status SET created_at = created_at - 700000"))
    jobs = found(apart.settings)["jobs"]
    assert not jobs.ok and jobs.detail.startswith("check: 1, the oldest for 70") and "read" not in jobs.detail


def test_licences_that_wait_for_a_seal_for_too_long_are_found(apart: Context) -> None:
    fill(apart.database, 50)
    assert found(apart.settings)["sealing"].detail == "0 licences wait, the oldest for 0 s"
    with apart.database.write() as session:
        session.execute(sa.text("UPDATE applications SET seal_state = 'waiting' WHERE number = 'A000000010'"))
    sealing = found(apart.settings)["sealing"]
    assert (
        not sealing.ok and sealing.detail.startswith("1 licences wait, the oldest for 12") and "TSA" in sealing.remedy
    )


def _with_certs(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"certs_dir": folder, "trust_dir": folder / "trust"})


def test_stores_that_are_away_are_named(settings: Settings) -> None:
    nowhere = f"postgresql+psycopg://docproc:x@127.0.0.1:{free_port()}/docproc"
    checks = found(settings.model_copy(update={"database_url": nowhere}))
    assert [check.name for check in checks.values() if not check.ok] == ["stores"]
    checks = found(settings.model_copy(update={"blobs": f"s3://127.0.0.1:{free_port()}/papers"}))
    assert [check.name for check in checks.values() if not check.ok] == ["stores"]
