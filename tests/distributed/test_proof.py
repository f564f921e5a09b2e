"""The proof that nothing is missing or changed, and what a backup brings back, over PostgreSQL and MinIO."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from minio import Minio
from minio.error import S3Error

from docproc.errors import InputError, SetupError
from docproc.flow.audit.proof import Proof, prove, stamp_head
from docproc.flow.core.context import Context, open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.flow.seals.timestamps import stamp
from docproc.flow.upkeep.backup import back_up, restore
from docproc.licence.devpki.pki import make_dev_pki
from docproc.licence.pki.trust import TrustList
from docproc.settings import Settings
from docproc.store.audit import audit
from docproc.store.audit.chain import line_hash
from docproc.store.blobs.minio_blobs import MinioBlobs
from docproc.store.db import open_database
from docproc.store.tables.applications import ApplicationRow, PageRow, ReadingRow
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.licences import LicenceRow, StatusListRow
from tests.api.group import checked, open_application, upload_all, view
from tests.cases import TRADER
from tests.distributed.deployment import Deployment, issue
from tests.flow.people import trader_papers, until
from tests.flow.small_stages import paper

SECRET = "样例保密地址九百号"


@pytest.fixture(scope="module")
def settings(deployed: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    certs = tmp_path_factory.mktemp("proof") / "certs"
    make_dev_pki(certs, at=datetime.now(UTC))
    return deployed.settings.model_copy(update={"certs_dir": certs, "trust_dir": certs / "trust"})


@pytest.fixture(scope="module")
def issued(deployed: Deployment, staff: dict[str, httpx.Client]) -> str:
    """An application whose licence is issued."""
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number)
    checked(staff["kiosk"], number)
    issue(staff, number)
    return number


@pytest.fixture(scope="module")
def saved(
    deployed: Deployment, settings: Settings, issued: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, int]:
    """A backup made while files come in and are read, after the log was time-stamped; and the line it tells."""
    folder = tmp_path_factory.mktemp("backup")
    ctx = open_context(settings)
    assert stamp_head(ctx, partial(stamp, settings))
    assert not stamp_head(ctx, partial(stamp, settings)), "once a day is enough"
    with busy(deployed) as handed_in:
        made = back_up(ctx, folder / "busy")
        between = len(handed_in)
        until(lambda: len(handed_in) > between)  # work went on during all of it
    with deployed.client(deployed.new_key("busy-2", "reviewer")) as reviewer:
        for number in handed_in:
            until(lambda: view(reviewer, number)["checked"])  # noqa: B023  (called at once)
    assert back_up(ctx, folder / "quiet").copied > 0 and back_up(ctx, folder / "quiet").copied == 0
    ctx.close()
    assert made.copied > 0 and between > 0
    return folder / "busy", made.line


@contextmanager
def busy(deployed: Deployment) -> Iterator[list[str]]:
    """Applications that are handed in one after the other until the block ends; their numbers."""
    stopping, numbers = threading.Event(), list[str]()

    def hand_in() -> None:
        with deployed.client(deployed.new_key("busy-1", "kiosk")) as kiosk:
            while not stopping.is_set():
                number = open_application(kiosk)
                upload_all(kiosk, number, trader_papers(turn=f"busy-{number}"))
                numbers.append(number)

    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(hand_in)
        try:
            until(lambda: numbers or work.done())
            yield numbers
        finally:
            stopping.set()
    work.result()


@pytest.fixture(scope="module")
def copy(deployed: Deployment, settings: Settings, saved: tuple[Path, int]) -> Iterator[Context]:
    """The backup, restored beside the deployment."""
    name = f"restored_{uuid4().hex[:8]}"
    url = sa.make_url(settings.database_url)
    admin = open_database(settings.database)
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.close()
    update = {
        "database_url": url.set(database=name).render_as_string(hide_password=False),
        "blobs": settings.blobs.replace("/papers", "/restored"),
    }
    other = settings.model_copy(update=update)
    assert restore(other, saved[0]).ok
    with pytest.raises(SetupError, match="not empty"):
        restore(other, saved[0])
    ctx = open_context(other)
    with ctx.database.write() as session:
        session.execute(sa.delete(StatusListRow))  # small stages give lists in clear
    yield ctx
    ctx.close()


def proof_of(ctx: Context) -> Proof:
    return prove(ctx, TrustList.from_folder(ctx.settings.trust_dir))


@contextmanager
def tampered(ctx: Context, change: sa.Executable, back: sa.Executable) -> Iterator[None]:
    with ctx.database.write() as session:
        session.execute(change)
    yield
    with ctx.database.write() as session:
        session.execute(back)


def test_a_restored_copy_has_everything_and_proves_it(copy: Context, saved: tuple[Path, int], issued: str) -> None:
    proof = proof_of(copy)
    assert proof.ok, proof.problems
    assert proof.lines >= saved[1] and proof.stamps == 1
    assert proof.originals >= 3 and proof.sealed >= 1 and proof.approvals >= 1
    with copy.database.read() as session:
        row = session.get(ApplicationRow, issued)
        assert row is not None and row.status == "issued"
    copy.jobs.waiting()  # the queues came along
    database = open_database(copy.settings.database)
    migrate_all(database)  # and are those of this version
    database.close()


def test_a_changed_row_is_found(copy: Context, issued: str) -> None:
    with copy.database.read() as session:
        page = session.scalars(sa.select(PageRow).where(PageRow.application == issued).limit(1)).one()
        licence = session.scalars(sa.select(LicenceRow).where(LicenceRow.application == issued)).one()
        body = session.scalars(sa.select(ReadingRow.body).where(ReadingRow.page_id == page.id)).one()
    mine = sa.update(PageRow).where(PageRow.id == page.id)
    with tampered(copy, mine.values(sha256="0" * 64), mine.values(sha256=page.sha256)):
        assert any(page.id in problem for problem in proof_of(copy).problems)
    text = json.dumps(body, ensure_ascii=False)
    name = next(iter(body["fields"]))
    changed = json.loads(text)
    changed["fields"][name]["value"] = "somebody else"
    reading = sa.update(ReadingRow).where(ReadingRow.page_id == page.id)
    with tampered(copy, reading.values(body=changed), reading.values(body=body)):
        assert proof_of(copy).problems == [f"application {issued}: is not what was approved"]
    line = sa.update(AuditRow).where(AuditRow.subject == licence.number, AuditRow.action == "licence.issued")
    with tampered(copy, line.values(actor="nobody"), line.values(actor="system")):
        assert any("does not fit the chain" in problem for problem in proof_of(copy).problems)
    assert proof_of(copy).ok


def test_a_chain_that_was_written_anew_contradicts_its_signatures_and_its_time_stamp(copy: Context) -> None:
    """Whoever has the database and this program can make hashes that fit, but nothing that is signed."""
    with copy.database.read() as session:
        before = {row.seq: (row.actor, row.previous, row.sha256) for row in audit.lines(session, limit=100_000)}
    with copy.database.write() as session:
        previous = audit.FIRST
        for row in audit.lines(session, limit=100_000):
            row.actor = "nobody" if row.seq == 1 else row.actor
            row.previous = previous
            previous = row.sha256 = line_hash(row)
    found = proof_of(copy)
    assert any("rewritten without the key" in problem for problem in found.problems)
    assert any("time-stamp" in problem for problem in found.problems)
    with copy.database.write() as session:
        for row in audit.lines(session, limit=100_000):
            row.actor, row.previous, row.sha256 = before[row.seq]
    assert proof_of(copy).ok


def test_a_line_that_was_noted_elsewhere_shows_a_log_cut_short(copy: Context) -> None:
    proof = proof_of(copy)
    assert prove(copy, None, known=(proof.lines, proof.head)).ok
    last = sa.delete(AuditRow).where(AuditRow.seq == proof.lines)
    with copy.database.read() as session:
        row = audit.last(session)
        assert row is not None
        values = {column.name: getattr(row, name) for name, column in sa.inspect(AuditRow).columns.items()}
    with tampered(copy, last, sa.insert(AuditRow.__table__).values(**values)):
        assert prove(copy, None, known=(proof.lines, proof.head)).problems != []


def test_originals_and_licences_cannot_be_deleted_for_years(copy: Context, issued: str) -> None:
    blobs = copy.blobs
    assert isinstance(blobs, MinioBlobs)
    with copy.database.read() as session:
        licence = session.scalars(sa.select(LicenceRow).where(LicenceRow.application == issued)).one()
        page = session.scalars(sa.select(PageRow).where(PageRow.application == issued).limit(1)).one()
    client: Minio = blobs.client
    for key in (str(licence.sha256), page.sha256):
        until_when = blobs.kept_until(key)
        assert until_when is not None and until_when.year >= datetime.now(UTC).year + 29
        version = client.stat_object(bucket_name=blobs.bucket, object_name=key).version_id
        with pytest.raises(S3Error, match=r"WORM|retention|lock|Access"):
            client.remove_object(bucket_name=blobs.bucket, object_name=key, version_id=version)
    # Hiding it behind a delete marker works, is found, and does not destroy it.
    client.remove_object(bucket_name=blobs.bucket, object_name=page.sha256)
    assert any("missing" in problem for problem in proof_of(copy).problems)
    marker = [
        item
        for item in client.list_objects(bucket_name=blobs.bucket, prefix=page.sha256, include_version=True)
        if item.is_delete_marker
    ]
    client.remove_object(bucket_name=blobs.bucket, object_name=page.sha256, version_id=marker[0].version_id)
    assert proof_of(copy).ok


def test_a_folder_without_a_backup_is_refused(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no backup"):
        restore(settings, tmp_path)


def test_logs_are_json_with_ids_and_never_hold_a_value(
    deployed: Deployment, staff: dict[str, httpx.Client], issued: str
) -> None:
    number = open_application(staff["kiosk"])
    upload_all(staff["kiosk"], number, [paper([], fail=SECRET)])
    until(lambda: view(staff["kiosk"], number)["checked"])
    lines = []
    for log in [*deployed.settings.data_dir.glob("log-*"), deployed.settings.data_dir / "web.log"]:
        text = log.read_text()
        values = {str(value) for fields in TRADER.values() for value in fields.values() if len(str(value)) > 5}
        assert [value for value in {*values, SECRET} if value in text] == []
        lines += [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    mine = [line for line in lines if line.get("application") == number]
    failure = next(line for line in mine if "RuntimeError" in str(line.get("error")))
    assert failure["job"] == f"read:{failure['page']}" and failure["step"] == "read_and_store"
    done = [line for line in lines if line["message"].startswith("done in")]
    assert {"read_and_store", "check_and_store", "allocate", "seal_and_keep", "register"} <= {d["step"] for d in done}
    assert all(line["application"] for line in done if line["step"] in ("read_and_store", "register"))
