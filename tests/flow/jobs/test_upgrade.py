"""A rolling upgrade with work in flight: the old version finishes what it began, or the new one begins it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from docproc.flow.applications.applications import submit, view_application
from docproc.flow.core.context import Context
from docproc.flow.review.decisions import decide, release
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.flow.conftest import opened
from tests.flow.people import ALL_QUEUES, KIOSK, REVIEWER, SEALER, Workers, hand_in, seen, trader_papers, until

SLOW = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def ctx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
        admin, name = open_database(url), f"upgrade_{uuid4().hex[:8]}"
        with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        admin.close()
        url = sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    yield from opened(Settings(data_dir=tmp_path, database_url=url, _env_file=None))


@pytest.fixture
def workers(ctx: Context) -> Iterator[Workers]:
    running = Workers(ctx.settings)
    yield running
    running.stop_all()


def start(workers: Workers, name: str, version: str, wait: bool = True) -> None:
    workers.env["DOCPROC_APPLICATION_VERSION"] = version
    workers.start(name, ALL_QUEUES, wait=wait)


def pages(ctx: Context, number: str) -> list[str]:
    return [page["state"] for page in view_application(ctx, KIOSK, number)["pages"]]


def issued(ctx: Context, number: str) -> dict[str, object]:
    until(lambda: view_application(ctx, KIOSK, number)["checked"])
    decided = decide(ctx, REVIEWER, number, "approve", seen(submit(ctx, KIOSK, number)))
    release(ctx, SEALER, number, decided["version"])
    return dict(until(lambda: (v := view_application(ctx, KIOSK, number))["licence"] and v))


def version_of(ctx: Context, number: str) -> set[str]:
    """Versions under which the pages of an application were read."""
    table = "workflow_status" if ctx.database.is_sqlite else "dbos.workflow_status"
    query = sa.text(f"SELECT workflow_uuid, application_version FROM {table}")
    with ctx.database.read() as session:
        ids = {f"read:{page['id']}" for page in view_application(ctx, KIOSK, number)["pages"]}
        return {row[1] for row in session.execute(query) if row[0] in ids}


def test_an_old_worker_finishes_what_it_reads_and_a_new_one_takes_what_waits(ctx: Context, workers: Workers) -> None:
    start(workers, "old", "1")
    number = hand_in(ctx, papers=trader_papers(sleep=1))
    until(lambda: "old" in ctx.jobs.busy_workers())
    start(workers, "new", "2")
    late = hand_in(ctx, papers=trader_papers(turn="late"))
    assert workers.stop("old") == 0
    assert issued(ctx, number)["status"] == issued(ctx, late)["status"] == "issued"
    assert version_of(ctx, number) >= {"1"} and version_of(ctx, late) == {"2"}
    assert ctx.jobs.given_up() == 0


def test_what_old_workers_left_is_begun_again_by_the_new_version(ctx: Context, workers: Workers) -> None:
    for name in ("old-1", "old-2"):
        start(workers, name, "1", wait=False)
    number = hand_in(ctx, papers=trader_papers(sleep=SLOW))
    until(lambda: {"old-1", "old-2"} <= ctx.jobs.busy_workers())
    workers.kill("old-1")
    until(lambda: "old-1" not in ctx.jobs.busy_workers())  # its job waits for another of version 1
    workers.kill("old-2")
    start(workers, "old-2", "2")  # the same name, as a supervisor gives it
    assert issued(ctx, number)["status"] == "issued"
    assert set(pages(ctx, number)) == {"read"} and "2" in version_of(ctx, number)
    assert ctx.jobs.given_up() == 0


def test_a_step_back_takes_nothing_until_a_newer_version_comes(ctx: Context, workers: Workers) -> None:
    start(workers, "old", "1")
    assert workers.stop("old") == 0
    start(workers, "new", "2")
    number = hand_in(ctx, papers=trader_papers(sleep=1))
    until(lambda: "new" in ctx.jobs.busy_workers())
    workers.kill("new")
    before = pages(ctx, number).count("queued")
    start(workers, "old", "1")
    time.sleep(3)
    assert pages(ctx, number).count("queued") == before and ctx.jobs.latest_version() == "2"
    start(workers, "newer", "3")
    assert issued(ctx, number)["status"] == "issued"
