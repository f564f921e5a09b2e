"""Queries of the service stay quick as the register grows: no hot one reads a whole table.

``DOCPROC_PLAN_ROWS`` sets the number of stored applications; a million takes a few minutes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session

from docproc.store import applications, audit, health, licences, outbox, pages
from docproc.store.db import Database, open_database
from docproc.store.migrate import migrate

ROWS = int(os.environ.get("DOCPROC_PLAN_ROWS", "30000"))
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FILL = (
    """INSERT INTO applications (number, matter, org, channel, created_by, created_at, updated_at, submitted_at, status,
           version, revision, checked_revision, verdict, seal_state, seal_note, seal_attempt)
       SELECT 'A' || lpad(n::text, 9, '0'), 'sole_trader', 'org-' || n % 20, 'kiosk', 'kiosk-' || n % 200, now(), now(),
           now(), CASE WHEN n % 1000 = 0 THEN 'submitted' ELSE 'issued' END, 4, 3, 3, 'pass', 'sealed', '', 1
       FROM generate_series(1, :rows) n""",
    """INSERT INTO pages (id, application, position, filename, media_type, size, sha256, material_hint, state,
           error_code, uploaded_at, uploaded_by)
       SELECT md5(n || '-' || p), 'A' || lpad(n::text, 9, '0'), p, 'x.jpg', 'image/jpeg', 300000,
           md5('a' || n || p) || md5('b' || n || p), '', 'read', '', now(), 'kiosk-' || n % 200
       FROM generate_series(1, :rows) n, generate_series(1, 3) p""",
    """INSERT INTO readings (page_id, page_index, material, body) SELECT id, 0, 'idcard', '{}' FROM pages""",
    """INSERT INTO corrections (page_id, page_index, field, value, corrected_by, corrected_at)
       SELECT id, 0, 'name', 'x', 'reviewer', now() FROM pages""",
    """INSERT INTO findings (application, code, severity, message, basis)
       SELECT number, 'x', 'warn', 'x', '' FROM applications""",
    """INSERT INTO decisions (id, application, on_version, action, decided_by, decided_at, reason, basis, seen_sha256,
           set_aside)
       SELECT md5(number), number, 3, 'approve', 'reviewer', now(), '', '', '', '[]' FROM applications""",
    """INSERT INTO licences (number, decision, application, code, matter, kind, version, org, holder, title, authority,
           issued_on, valid_from, status, body, sha256)
       SELECT 'L' || a.number, d.id, a.number, md5(a.number), a.matter, 'x', 1, a.org, '', '', '', now(), now(),
           'valid', '{}', md5('c' || a.number) || md5('d' || a.number)
       FROM applications a JOIN decisions d ON d.application = a.number""",
    """INSERT INTO licence_files (sha256, licence, registered_at, reason)
       SELECT sha256, number, now(), 'issued' FROM licences""",
    """INSERT INTO audit_log (seq, happened_at, actor, action, subject, detail, previous, sha256)
       SELECT n, now(), 'kiosk', 'x', 'A' || lpad((n % :rows + 1)::text, 9, '0'), '{}', '', ''
       FROM generate_series(1, 4 * :rows) n""",
    """INSERT INTO outbox (topic, subject, org, body, created_at)
       SELECT 'x', number, org, '{}', now() FROM applications""",
)
Query = Callable[[Session], Any]
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
    "the oldest one that waits": health.waiting_files,
    "files that wait too long": lambda s: pages.waiting_since(s, AT),
    "the licence of an application": lambda s: licences.licence_of_application(s, "A000000042"),
    "a licence by its file": lambda s: licences.find_by_sha256(s, "0" * 64),
    "the log of an application": lambda s: audit.lines(s, subject="A000000042"),
    "the newest line of the log": audit.last,
    "events of an office": lambda s: outbox.events(s, org="org-7", after=ROWS // 2),
}


@pytest.fixture(scope="module")
def filled(postgres_url: str) -> Iterator[Database]:
    url = sa.make_url(postgres_url)
    name = f"plans_{uuid4().hex[:8]}"
    admin = open_database(postgres_url)
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.close()
    database = open_database(url.set(database=name).render_as_string(hide_password=False))
    migrate(database)
    with database.write() as session:
        for statement in FILL:
            session.execute(sa.text(statement), {"rows": ROWS} if ":rows" in statement else {})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    yield database
    database.close()


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
    with database.engine.connect() as connection:
        return ["\n".join(connection.exec_driver_sql(f"EXPLAIN {text}", values).scalars()) for text, values in sent]


@pytest.mark.parametrize("name", HOT)
def test_no_hot_query_reads_a_whole_table(filled: Database, name: str) -> None:
    for plan in plans(filled, HOT[name]):
        assert "Seq Scan on" not in plan, plan


def test_reading_a_whole_table_is_noticed(filled: Database) -> None:
    plan = plans(filled, lambda s: s.execute(sa.text("SELECT count(*) FROM applications WHERE seal_note = 'x'")))
    assert "Seq Scan on" in plan[0]
