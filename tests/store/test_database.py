"""Schema, units of work and the register's constraints, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from docproc.errors import NotFoundError, SetupError, UnstorableError
from docproc.store import idempotency, running_numbers
from docproc.store.accounts import api_keys
from docproc.store.applications import applications
from docproc.store.audit import audit
from docproc.store.db import Database, open_database
from docproc.store.messages import outbox
from docproc.store.migrate import downgrade, is_current, migrate
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.base import Base
from docproc.store.tables.messages import OutboxRow

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


def test_migrations_lead_to_the_tables_and_back(empty_database: Database) -> None:
    assert not is_current(empty_database)
    migrate(empty_database)
    assert is_current(empty_database)
    with empty_database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    downgrade(empty_database, "base")
    assert set(sa.inspect(empty_database.engine).get_table_names()) <= {"alembic_version"}


def test_a_database_that_was_not_migrated_says_what_to_run(empty_database: Database) -> None:
    with pytest.raises(SetupError, match="docproc migrate"), empty_database.read() as session:
        outbox.events(session, org=None)
    migrate(empty_database)
    with empty_database.write() as session:
        session.execute(sa.text("ALTER TABLE outbox RENAME COLUMN topic TO theme"))
    with pytest.raises(SetupError, match="docproc migrate"), empty_database.read() as session:
        outbox.events(session, org=None)
    with pytest.raises(SetupError, match="docproc migrate"), empty_database.write() as session:
        outbox.add_event(session, AT, "topic", "subject", "office")


def test_several_processes_may_migrate_at_once(empty_database: Database) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            migrate(empty_database)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and is_current(empty_database)


def test_a_unit_of_work_commits_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as session:
        outbox.add_event(session, AT, "topic", "subject", "office")
        raise RuntimeError("half way")
    with database.read() as session:
        assert outbox.events(session, org=None) == []


def test_times_come_back_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    china = datetime(2026, 11, 23, 17, 30, tzinfo=timezone(timedelta(hours=8)))
    with database.write() as session:
        outbox.add_event(session, china, "topic", "subject", "office")
    with database.read() as session:
        assert outbox.events(session, org=None)[0].created_at == AT
    with pytest.raises(sa.exc.StatementError, match="without zone"), database.write() as session:
        outbox.add_event(session, datetime(2026, 11, 23), "topic", "subject", "office")


def test_running_numbers_have_no_gaps_and_no_twins_under_competition(database: Database) -> None:
    given: list[int] = []
    lock = threading.Lock()

    def take() -> None:
        for turn in range(10):
            try:
                with database.write() as session:
                    value = running_numbers.next_value(session, "series")
                    if turn % 5 == 4:
                        raise RuntimeError("rolled back")
            except RuntimeError:
                continue
            with lock:
                given.append(value)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 33))


def test_application_numbers_tell_place_matter_and_day(database: Database) -> None:
    with database.write() as session:
        first = applications.next_number(session, "510116", "FL", date(2026, 11, 23))
        second = applications.next_number(session, "510116", "FL", date(2026, 11, 23))
        next_day = applications.next_number(session, "510116", "FL", date(2026, 11, 24))
    assert [first, second, next_day] == [
        "510116-FL-20261123-000001",
        "510116-FL-20261123-000002",
        "510116-FL-20261124-000001",
    ]


def test_a_key_works_until_it_is_revoked_and_only_its_hash_is_kept(web: Database) -> None:
    with web.write() as session:
        row, key = api_keys.create_key(
            session, subject="li", org="office", roles=["admin"], by="test", owner="test", at=AT
        )
    secret = key.rsplit("_", 1)[1]
    with web.read() as session:
        found = api_keys.find_key(session, key, AT, "")
        assert found is not None and found.subject == "li"
        wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
        assert api_keys.find_key(session, wrong, AT, "") is None and api_keys.find_key(session, "dp_x", AT, "") is None
        assert secret not in str(session.execute(sa.text("SELECT * FROM api_keys")).all())
    with web.write() as session:
        api_keys.revoke_key(session, row.id, AT)
        assert api_keys.find_key(session, key, AT, "") is None
        with pytest.raises(NotFoundError):
            api_keys.revoke_key(session, "unknown", AT)


def _event(body: dict[str, object], topic: str = "test") -> OutboxRow:
    return OutboxRow(topic=topic, subject="s", org="office", body=body, created_at=AT)


def test_many_rows_go_in_at_once_and_each_value_is_looked_at(database: Database) -> None:
    with database.write() as session:
        session.add_all([_event({"number": 2**53}), _event({"name": "样例"}), _event({})])
    with database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(OutboxRow)) == 3
    for bad in (_event({"name": "a\0b"}), _event({}, topic="a\0b"), _event({}, topic="\ud800")):
        with pytest.raises(UnstorableError), database.write() as session:
            session.add_all([_event({}), bad, _event({})])


def _three_lines(database: Database) -> None:
    for turn in range(3):
        with database.write() as session:
            audit.append(session, AT + timedelta(seconds=turn), "li", "did", f"thing-{turn}", nummer=turn, 文字="值")


def test_the_audit_chain_is_whole_as_written(database: Database) -> None:
    _three_lines(database)
    with database.read() as session:
        assert audit.first_broken(session) is None
        assert [row.subject for row in audit.lines(session, after=1)] == ["thing-1", "thing-2"]
        assert [row.seq for row in audit.lines(session, subject="thing-1")] == [2]


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (sa.update(AuditRow).where(AuditRow.seq == 2).values(actor="somebody"), 2),
        (sa.update(AuditRow).where(AuditRow.seq == 1).values(detail={"nummer": 9}), 1),
        (sa.delete(AuditRow).where(AuditRow.seq == 2), 2),
        (sa.update(AuditRow).where(AuditRow.seq == 3).values(at=AT - timedelta(days=1)), 3),
    ],
)
def test_a_changed_or_removed_audit_line_breaks_the_chain_at_its_place(
    database: Database, change: sa.Executable, broken: int
) -> None:
    _three_lines(database)
    with database.write() as session:
        session.execute(change)
    with database.read() as session:
        assert audit.first_broken(session) == broken


def test_kept_answers_are_forgotten_when_old(database: Database) -> None:
    with database.write() as session:
        idempotency.keep_answer(session, "key", "old", "0" * 64, {"a": 1}, AT - timedelta(days=8))
        idempotency.keep_answer(session, "key", "new", "0" * 64, {"a": 2}, AT)
    with database.write() as session:
        assert idempotency.forget_answers(session, AT - timedelta(days=7)) == 1
        assert idempotency.find_answer(session, "key", "old") is None
        assert idempotency.find_answer(session, "key", "new") is not None


def test_another_database_than_the_two_is_refused() -> None:
    with pytest.raises(SetupError, match="sqlite"):
        open_database("mysql://host/db")
