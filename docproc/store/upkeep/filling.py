"""Fill a database with many made-up applications, finished long ago, before a measurement begins.

PostgreSQL generates the rows itself, in tables without indexes and in several sessions, so that no rows need to be
sent to it. Everything is determined by the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import sqlalchemy as sa

from docproc.errors import InputError
from docproc.store.db import Database
from docproc.store.upkeep.bare import bare, tables, together

FILES = 3
"""Number of files of each application."""
LINES = 4
"""Number of audit log lines for each application."""
OPEN = 300
"""Maximum number of undecided applications, the newest."""
JOBS = 5
"""Number of finished jobs still listed, for each application of the last month."""
RECENT = 200_000
"""Maximum number of applications with jobs still listed and answers to requests still stored."""
READING = (
    '{"file": "x.jpg", "index": 0, "material": "idcard", "how": "free", "page": 1, "quality": {"verdict": "good", '
    '"findings": []}, "cpu_seconds": 0.8, "fields": {"name": {"name": "name", "value": "样例", "raw": "样例", '
    '"confidence": 0.98, "box": [412.5, 310.0, 640.0, 362.5], "page": 1, "source": "ocr"}, "address": {"name": '
    '"address", "value": "样例省样例市样例区样例街道100号", "raw": "样例省样例市样例区样例街道100号", '
    '"confidence": 0.93, '
    '"box": [412.5, 510.0, 1040.0, 602.5], "page": 1, "source": "ocr"}}}'
)
Chain = tuple[str, ...]
"""Statements that run in order; chains do not wait for one another."""
NUMBER = "'A' || lpad(n::text, 9, '0')"
APPLICATIONS: Chain = (
    f"""INSERT INTO applications (number, matter, org, channel, created_by, created_at, updated_at, submitted_at,
           status, version, revision, checked_revision, verdict, seal_state, seal_note, seal_attempt)
       SELECT {NUMBER}, 'sole_trader', 'org-' || n % 20, 'kiosk', 'kiosk-' || n % 200, at, at, at,
           CASE WHEN n > :rows - :open THEN 'submitted' ELSE 'issued' END, 4, 3, 3, 'pass', 'sealed', '', 1
       FROM (SELECT n, now() - interval '30 seconds' * (:rows - n) AS at FROM generate_series(1, :rows) n) numbered""",
    """INSERT INTO follow_codes (application, code) SELECT number, md5(:seed || 'f' || number) FROM applications""",
    """INSERT INTO findings (application, code, severity, message, basis)
       SELECT number, 'x', 'warn', 'x', '' FROM applications""",
    """INSERT INTO decisions (id, application, on_version, action, decided_by, decided_at, reason, basis, seen_sha256,
           set_aside)
       SELECT md5(:seed || number), number, 3, 'approve', 'reviewer', created_at, '', '', '', '[]'
       FROM applications""",
    """INSERT INTO notices (decision, application, number, body, state, note, attempt, sha256, created_at)
       SELECT id, application, 'N' || application, '{}', 'sealed', '', 1, md5(:seed || 'n' || id) || md5('m' || id),
           decided_at
       FROM decisions""",
    """INSERT INTO licences (number, decision, application, code, matter, kind, version, org, holder, title, authority,
           issued_on, valid_from, status, body, sha256)
       SELECT 'L' || a.number, d.id, a.number, md5(:seed || 'l' || a.number), a.matter, 'x', 1, a.org, '样例', '', '',
           now(), now(), 'valid', '{}', md5(:seed || a.number) || md5('d' || a.number)
       FROM applications a JOIN decisions d ON d.application = a.number""",
    """INSERT INTO licence_files (sha256, licence, registered_at, reason, good_until)
       SELECT sha256, number, now(), 'issued', CASE WHEN row_number() OVER () > 50 THEN
           now() + interval '1 day' * (('x' || left(md5(number), 6))::bit(24)::int % 2190) END FROM licences""",
    """INSERT INTO licence_holders (licence, holder_code) SELECT number, left(md5(number), 18) FROM licences""",
    """INSERT INTO licence_events (licence, status, changed_by, changed_at, reason)
       SELECT number, 'valid', 'system', now(), '签发' FROM licences""",
    """INSERT INTO outbox (topic, subject, org, body, created_at, delivered_at)
       SELECT 'application.issued', number, org, '{}', created_at, created_at FROM applications""",
)
PAGES: Chain = (
    f"""INSERT INTO pages (id, application, position, filename, media_type, size, sha256, material_hint, state,
           error_code, uploaded_at, uploaded_by, read_at)
       SELECT md5(:seed || n || '-' || p), {NUMBER}, p, 'x.jpg', 'image/jpeg', 300000,
           md5(:seed || 'a' || n || p) || md5('b' || n || p), '', 'read', '', at, 'kiosk-' || n % 200, at
       FROM (SELECT n, p, now() - interval '30 seconds' * (:rows - n) AS at
             FROM generate_series(1, :rows) n, generate_series(1, :files) p) numbered""",
    """INSERT INTO readings (page_id, page_index, material, body)
       SELECT id, 0, 'idcard', CAST(:reading AS jsonb) FROM pages""",
    """INSERT INTO corrections (page_id, page_index, field, value, corrected_by, corrected_at)
       SELECT id, 0, 'name', '样例', 'reviewer', uploaded_at FROM pages WHERE position = 1""",
    """INSERT INTO remarks (page_id, page_index, field, said, remarked_by, remarked_at)
       SELECT id, 0, 'address', '', 'kiosk', uploaded_at FROM pages WHERE position = 1""",
    """INSERT INTO previews (page_id, page_index, view_sha256, thumb_sha256, width, height)
       SELECT id, 0, md5('v' || id) || md5('w' || id), md5('t' || id) || md5('u' || id), 1600, 1131 FROM pages""",
)
LOG: Chain = (
    f"""INSERT INTO audit_log (seq, happened_at, actor, action, subject, detail, previous, sha256, signature)
       SELECT :lines * (n - 1) + line, now() - interval '30 seconds' * (:rows - n), 'kiosk-' || n % 200,
           (ARRAY['application.created', 'page.added', 'application.submitted', 'application.approved'])[line],
           {NUMBER}, '{{}}', '', md5(:seed || n || line) || md5(n || '.' || line), ''
       FROM generate_series(1, :rows) n, generate_series(1, :lines) line""",
    """INSERT INTO idempotency_keys (key_id, key, request_sha256, answer, created_at)
       SELECT 'filled', md5(:seed || n), md5('q' || n) || md5('r' || n), '{}', now()
       FROM generate_series(1, :recent) n""",
    """INSERT INTO access_log (id, given_at, actor, credential, roles, org, kind, subject, item, purpose, stated,
           address, batch)
       SELECT lpad(to_hex((extract(epoch FROM created_at) * 1000000)::bigint * 1000), 16, '0')
           || md5(:seed || 'c' || number || look)::char(16), created_at, 'reviewer-' || look, '', 'reviewer', org,
           'case', number, '', 'review', '', '10.0.0.1', CASE WHEN row_number() OVER () > 50 THEN 1 END
       FROM applications, generate_series(1, :lines) look""",
    "INSERT INTO counters (name, value) VALUES ('audit', :lines * :rows)",
)
FINISHED_JOBS = """INSERT INTO dbos.workflow_status (workflow_uuid, status, name, queue_name, application_name,
       priority, created_at, started_at_epoch_ms, completed_at)
   SELECT 'read:' || md5(:seed || n || '.' || job), 'SUCCESS', 'read_page', 'read', 'docproc', 1, ms, ms, ms
   FROM generate_series(1, :recent) n, generate_series(1, :jobs) job,
       LATERAL (SELECT (extract(epoch FROM now()) * 1000 - n * 10000)::bigint AS ms) at"""
"""Inserts into the job engine's table, if it exists."""


def fill(
    database: Database, rows: int, seed: int = 1, tell: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Store the given number of applications with files, readings, decisions, licences, log and finished jobs.

    The log's hashes are made up, so a filled database proves nothing (``docproc audit verify``).

    Args:
        database: migrated, on PostgreSQL, without applications.
        rows: number of applications.
        seed: of all generated data.
        tell: called with the progress.

    Raises:
        InputError: it is on SQLite.
    """
    if database.is_sqlite:
        raise InputError("only PostgreSQL makes so many rows: set DOCPROC_DATABASE_URL")
    values = {"rows": rows, "seed": f"{seed}/", "files": FILES, "lines": LINES, "reading": READING, "jobs": JOBS}
    values |= {"recent": min(rows, RECENT), "open": min(rows, OPEN)}
    with database.engine.connect() as connection:
        engine = connection.exec_driver_sql("SELECT to_regclass('dbos.workflow_status')").scalar()
    chains = [PAGES, APPLICATIONS, LOG, *([(FINISHED_JOBS,)] if engine else [])]
    done, total = count(1), len(chains)

    def step() -> None:
        tell(next(done), total)

    with bare(database, step) as later:
        total += later
        together(database, [[_bound(text, values) for text in chain] for chain in chains], step)
    together(database, [[f"VACUUM (ANALYZE) {table}"] for table in tables(database)])


def _bound(text: str, values: Mapping[str, object]) -> sa.TextClause:
    """The statement with its values bound, each with the SQL type of its Python type."""
    statement = sa.text(text)
    named: list[sa.BindParameter[Any]] = [sa.bindparam(name, values[name]) for name in statement.compile().params]
    return statement.bindparams(*named)
