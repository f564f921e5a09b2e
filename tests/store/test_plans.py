"""Queries of the service stay quick as the register grows: no hot one reads a whole table, or much of one.

``DOCPROC_PLAN_ROWS`` sets the number of stored applications; a million takes a few minutes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from docproc.flow.jobs import engine
from docproc.flow.jobs.engine import migrate_all
from docproc.store import idempotency
from docproc.store.applications import applications, pages
from docproc.store.audit import access_log, audit
from docproc.store.audit.access_log import Wanted
from docproc.store.db import Database, create_database, drop_database, open_database
from docproc.store.licences import licences
from docproc.store.messages import outbox
from docproc.store.review import figures
from docproc.store.upkeep import health, retention
from docproc.store.upkeep.filling import fill
from docproc.store.wallet import shares

ROWS = int(os.environ.get("DOCPROC_PLAN_ROWS", "30000"))
AT = datetime(2020, 11, 23, 9, 30, tzinfo=UTC)
MOST_BLOCKS = 1000
"""Blocks of 8 KiB that a query may look at: fifty scattered rows with their index are about a hundred."""
Query = Callable[[Session], Any]


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(days=60)


HOT: dict[str, Query] = {
    "the applications of an office": lambda s: applications.list_applications(s, org="org-7"),
    "the next page of them": lambda s: applications.list_applications(s, org="org-7", after="A000020000"),
    "those that wait for an official": lambda s: applications.list_applications(s, org="org-0", status="submitted"),
    "those of a kiosk": lambda s: applications.list_applications(s, org="org-7", created_by="kiosk-7"),
    "what is to be sealed": applications.sealing,
    "the decisions on an application": lambda s: applications.decisions_of(s, "A000000042"),
    "the files of an application": lambda s: pages.live_pages(s, "A000000042"),
    "what they say": lambda s: pages.readings_of(s, "B000000042"),
    "what is wrong with it": lambda s: pages.findings_of(s, "A000000042"),
    "how many files wait": pages.count_waiting,
    "how many of them are a kiosk's": lambda s: pages.count_waiting(s, by="kiosk-7"),
    "the next place in the queue": lambda s: pages.places(s, "kiosk-7", 1, 999_999),
    "the oldest one that waits": health.waiting_files,
    "files that wait too long": lambda s: pages.waiting_since(s, AT),
    "the licence of an application": lambda s: licences.licence_of_application(s, "A000000042"),
    "a licence by its file": lambda s: licences.find_by_sha256(s, "0" * 64),
    "licences to be renewed": lambda s: licences.due(s, soon(), soon(), 100),
    "the next of them": lambda s: licences.due(s, soon(), soon(), 100, (soon() - timedelta(days=9), "0" * 64)),
    "files whose end nobody has looked up": lambda s: licences.unlooked(s, 100),
    "the log of an application": lambda s: audit.lines(s, subject="A000000042"),
    "the newest line of the log": audit.last,
    "events of an office": lambda s: outbox.events(s, org="org-7", after=ROWS // 2),
    "the official's queue": lambda s: applications.waiting(s, ["submitted"], org="org-0", limit=50),
    "an office's list in a joint approval": lambda s: applications.list_applications(
        s, org="x", matters=["sole_trader"]
    ),
    "a file that came before": lambda s: pages.find_same(s, "A000000042", "0" * 64, ""),
    "whether bytes are named anywhere": lambda s: retention.is_named(s, "0" * 64),
    "drafts to be erased": lambda s: retention.due_content(s, "sole_trader", ["draft"], AT, handed_in=None, limit=100),
    "the application behind a word": lambda s: shares.follow_code(s, "A000000042"),
    "the licences of an enterprise": lambda s: shares.licences_of_holder(s, "0" * 18),
    "the history of a licence": lambda s: licences.history(s, "LA000000042"),
    "the licence of an approval": lambda s: licences.licence_of_decision(s, "x"),
    "what somebody did": lambda s: audit.search(s, text="kiosk-77"),
    "what happened to something": lambda s: audit.search(s, text="A000000042"),
    "whether it happened": lambda s: audit.did(s, "kiosk-7", "x", "A000000042", since=AT),
    "an answer that was given": lambda s: idempotency.find_answer(s, "k", "k"),
    "whether somebody was told": lambda s: outbox.was_announced(s, "x", "A000000042", AT),
    "applications by status": health.statuses,
    "applications by verdict": health.verdicts,
    "licences by status": health.licences_by_status,
    "licences on their way to a seal": health.waiting_seals,
    "what waits in the queues": engine.waiting,
    "who looked at an application": lambda s: access_log.search(s, Wanted(subject="A000000042")),
    "what somebody looked at": lambda s: access_log.search(s, Wanted(actor="reviewer-1")),
    "the newest readings": lambda s: access_log.search(s, Wanted()),
    "readings of a time": lambda s: access_log.search(s, Wanted(since=datetime.now(UTC) - timedelta(hours=1))),
    "the oldest reading that is not closed": access_log.oldest_open,
    "how many are not closed": lambda s: access_log.count_open(s, 1000),
    "those that are closed next": lambda s: access_log.open_rows(s, 100),
    "what a kiosk's key has open": lambda s: applications.list_applications(
        s, org="org-7", created_by="kiosk-7", open_at=AT
    ),
    "decisions of a time": lambda s: figures.decided(s, "org-7", datetime.now(UTC)),
}


@pytest.fixture(scope="module")
def filled(postgres_url: str) -> Iterator[Database]:
    name = f"plans_{uuid4().hex[:8]}"
    database = open_database(create_database(postgres_url, name))
    migrate_all(database)
    fill(database, ROWS)
    yield database
    database.close()
    drop_database(postgres_url, name)


def plans(database: Database, query: Query) -> list[str]:
    """The plan of every statement that a query sends."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.read() as session:
            query(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert sent, "the query sent nothing"
    explain = "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF)"
    with database.engine.connect() as connection:
        return ["\n".join(connection.exec_driver_sql(f"{explain} {text}", values).scalars()) for text, values in sent]


def blocks(plan: str) -> int:
    """Blocks that the whole plan looked at; those of its root, which come first, hold all."""
    found = re.search(r"Buffers: shared (?:hit=(\d+))? ?(?:read=(\d+))?", plan)
    return sum(int(number or 0) for number in found.groups()) if found else 0


@pytest.mark.parametrize("name", HOT)
def test_no_hot_query_reads_a_whole_table(filled: Database, name: str) -> None:
    for plan in plans(filled, HOT[name]):
        assert not re.search("Seq Scan on (?!pg_)", plan), plan
        assert blocks(plan) <= MOST_BLOCKS, plan


def test_what_is_not_counted_is_known_well_enough(filled: Database) -> None:
    with filled.read() as session:
        found = health.statuses(session)
        assert health.verdicts(session)["pass"] == pytest.approx(ROWS, rel=0.05)
    assert found["submitted"] == 300 and found["issued"] == pytest.approx(ROWS - 300, rel=0.05)


def test_reading_a_whole_table_or_index_is_noticed(filled: Database) -> None:
    (plan,) = plans(filled, lambda s: s.execute(sa.text("SELECT count(*) FROM applications WHERE seal_note = 'x'")))
    assert "Seq Scan on" in plan
    (plan,) = plans(filled, lambda s: s.execute(sa.text("SELECT sum(length(subject)) FROM audit_log WHERE seq > 1")))
    assert blocks(plan) > MOST_BLOCKS
