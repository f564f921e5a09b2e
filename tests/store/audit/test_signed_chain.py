"""Whoever has the whole database, and no key of a process, cannot change the audit log unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import AuditError, SetupError
from docproc.process_keys import NO_KEYS, ProcessKey, ensure_key, known_keys, make_key
from docproc.store.audit import audit, chain, memory
from docproc.store.audit.chain import Walk, line_hash, sign_line, walk
from docproc.store.audit.writing import begin_signing
from docproc.store.db import Database
from docproc.store.tables.audit import AuditRow
from docproc.store.tables.running_numbers import CounterRow
from tests.store.conftest import as_role

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def without_keys(database: Database) -> Database:
    """The database as a process of the version before has it."""
    return replace(database, keys=NO_KEYS, memory={})


def add(database: Database, *subjects: str, actor: str = "li", action: str = "did") -> None:
    for turn, subject in enumerate(subjects):
        with database.write() as session:
            audit.append(session, AT + timedelta(seconds=turn), actor, action, subject, 文字="值")


def checked(database: Database, folder: Path) -> Walk:
    with database.read() as session:
        return walk(session, known_keys(folder))


@pytest.fixture
def signed(web: Database) -> Database:
    """A log of six signed lines."""
    add(web, *(f"thing-{number}" for number in range(1, 7)))
    return web


def rewrite(session: Session, change: Callable[[list[AuditRow]], list[AuditRow]]) -> None:
    """Change lines and make all hashes fit, as whoever has the program and the database can."""
    rows = change(list(session.scalars(sa.select(AuditRow).order_by(AuditRow.seq))))
    fresh = [
        {name: getattr(row, name) for name in ("at", "actor", "action", "subject", "detail", "signature")}
        for row in rows
    ]
    session.execute(sa.delete(AuditRow))
    session.expunge_all()
    previous = chain.FIRST
    for seq, values in enumerate(fresh, 1):
        row = AuditRow(seq=seq, previous=previous, sha256="", **values)
        previous = row.sha256 = line_hash(row)
        session.add(row)
    session.flush()


def test_a_log_that_our_processes_wrote_is_whole_and_each_line_names_its_key(signed: Database, keys: Path) -> None:
    sealer = as_role(signed, keys, "sealer")
    add(sealer, "L-1", actor="system", action="licence.issued")
    found = checked(signed, keys)
    assert found.ok and found.head.line == 7 and found.head.signed
    assert found.keys == {signed.keys.own.id: 6, sealer.keys.own.id: 7}  # type: ignore[union-attr]


def test_a_log_written_anew_with_hashes_that_fit_is_found(signed: Database, keys: Path) -> None:
    def change(rows: list[AuditRow]) -> list[AuditRow]:
        rows[2].actor = "wang"
        return rows

    with signed.write() as session:
        rewrite(session, change)
    found = checked(signed, keys)
    assert found.broken == 3
    assert "audit line 3: does not fit the chain: its signature" in found.problems[0]
    assert "rewritten without the key" in found.problems[0]


def test_an_inserted_line_is_found(signed: Database, keys: Path) -> None:
    def change(rows: list[AuditRow]) -> list[AuditRow]:
        more = AuditRow(at=AT, actor="li", action="application.approved", subject="A-1", detail={}, signature="")
        return [*rows[:3], more, *rows[3:]]

    with signed.write() as session:
        rewrite(session, change)
    assert "audit line 4: does not fit the chain: it is not signed" in checked(signed, keys).problems[0]


def test_a_line_put_in_with_the_signature_of_another_is_found(signed: Database, keys: Path) -> None:
    def change(rows: list[AuditRow]) -> list[AuditRow]:
        rows[4].signature = rows[3].signature
        return rows

    with signed.write() as session:
        rewrite(session, change)
    assert checked(signed, keys).broken == 5


def test_a_changed_line_a_removed_line_and_a_gap_are_named_apart(signed: Database, keys: Path) -> None:
    with signed.write() as session:
        session.execute(sa.update(AuditRow).where(AuditRow.seq == 2).values(actor="wang"))
        session.execute(sa.delete(AuditRow).where(AuditRow.seq.in_((4, 5))))
    assert checked(signed, keys).problems == [
        "audit line 2: does not fit the chain: its content was changed: it does not have its hash",
        "audit line 6: does not fit the chain: lines 4 to 5 were removed before it",
    ]


def test_a_cut_end_is_found_by_whoever_noted_a_later_line(signed: Database, keys: Path) -> None:
    head = checked(signed, keys).head
    with signed.write() as session:
        session.execute(sa.delete(AuditRow).where(AuditRow.seq > 4))
        session.execute(sa.update(CounterRow).where(CounterRow.name == "audit").values(value=4))
    with signed.read() as session:
        assert walk(session, known_keys(keys)).ok, "what is left fits by itself"
        problem = chain.missing(session, head)
    assert problem == "audit line 6: is gone: the log ends at line 4, its end was cut off or it is an older copy"


def test_a_readers_key_signs_nothing_about_people(signed: Database, keys: Path) -> None:
    reader = as_role(signed, keys, "reader")
    with pytest.raises(SetupError, match="for a web process"):
        add(reader, "A-1", action="application.approved")
    with pytest.raises(SetupError, match="for a web process"):
        add(reader, "wang", actor="system", action="user.added")
    add(reader, "A-2", actor="system", action="application.erased")
    assert checked(signed, keys).ok


@pytest.mark.parametrize(("actor", "action"), [("li", "application.approved"), ("system", "key.created")])
def test_a_line_that_a_stolen_readers_key_signed_is_found(
    signed: Database, keys: Path, actor: str, action: str
) -> None:
    stolen = ensure_key(keys, "reader")
    forge(signed, stolen, actor, action)
    problem = checked(signed, keys).problems[0]
    assert problem.startswith("audit line 7: does not fit the chain: says that")
    assert f"but a reader's key signed it ({stolen.id})" in problem


def test_a_line_that_a_key_of_somebody_else_signed_is_found(signed: Database, keys: Path, tmp_path: Path) -> None:
    own = make_key(tmp_path / "elsewhere", "web")
    forge(signed, own, "li", "application.approved")
    assert f"signed by {own.id}, which is not a known key of ours" in checked(signed, keys).problems[0]


def forge(database: Database, key: ProcessKey, actor: str, action: str) -> None:
    """Add a line with another key than that of the process whose line it is."""
    with database.write() as session:
        last = audit.last(session)
        assert last is not None
        row = AuditRow(
            seq=last.seq + 1,
            at=AT,
            actor=actor,
            action=action,
            subject="A-1",
            detail={},
            previous=last.sha256,
            sha256="",
            signature="",
        )
        row.sha256 = line_hash(row)
        row.signature = sign_line(key, row.sha256)
        session.add(row)


def test_lines_of_the_version_before_are_taken_up_by_one_signed_line(database: Database, keys: Path) -> None:
    add(without_keys(database), "old-1", "old-2")
    web = as_role(database, keys, "web")
    add(web, "new-1")
    found = checked(web, keys)
    assert found.ok and found.head.line == 4 and found.head.signed
    with web.read() as session:
        keyed = audit.lines(session, after=2)[0]
        assert (keyed.action, keyed.detail["line"], keyed.detail["head"]) == ("audit.keyed", 2, keyed.previous)


def test_a_process_starts_the_signed_part_once(database: Database, keys: Path) -> None:
    add(without_keys(database), "old-1", "old-2")
    web = as_role(database, keys, "web")
    for _ in range(2):
        with web.write() as session:
            begin_signing(session, AT)
    with web.read() as session:
        assert [line.action for line in audit.lines(session)] == ["did", "did", "audit.keyed"]


def test_only_a_web_process_begins_the_signed_part(database: Database, keys: Path) -> None:
    add(without_keys(database), "old-1")
    sealer = as_role(database, keys, "sealer")
    with pytest.raises(AuditError, match="start the web process"):
        add(sealer, "L-1", actor="system", action="licence.issued")


def test_a_changed_line_of_the_version_before_is_found_from_the_signed_line_on(database: Database, keys: Path) -> None:
    add(without_keys(database), "old-1", "old-2")
    web = as_role(database, keys, "web")
    add(web, "new-1")

    def change(rows: list[AuditRow]) -> list[AuditRow]:
        rows[0].actor = "wang"
        return rows

    with web.write() as session:
        rewrite(session, change)
    assert checked(web, keys).broken == 3


def test_a_log_is_not_taken_up_a_second_time_by_who_took_it_up(database: Database, keys: Path) -> None:
    """All signed lines are removed, so that the log looks like one of the version before."""
    add(without_keys(database), "old-1", "old-2")
    add(as_role(database, keys, "web"), "new-1")
    with database.write() as session:
        session.execute(sa.delete(AuditRow).where(AuditRow.seq > 2))
        session.execute(sa.update(CounterRow).where(CounterRow.name == "audit").values(value=2))
    with pytest.raises(AuditError, match="signed part of the audit log, from line 3 on, is gone"):
        add(as_role(database, keys, "web"), "new-2")


def test_a_second_beginning_is_found(database: Database, keys: Path) -> None:
    add(without_keys(database), "old-1")
    web = as_role(database, keys, "web")
    add(web, "new-1")
    add(web, "audit", actor="system", action="audit.keyed")
    assert "begins the signed part a second time" in checked(web, keys).problems[0]


def test_an_unsigned_line_after_signed_ones_is_refused_and_found(signed: Database, keys: Path) -> None:
    with pytest.raises(SetupError, match="has no key"):
        add(without_keys(signed), "late")
    with signed.write() as session:
        session.execute(sa.update(AuditRow).where(AuditRow.seq == 6).values(signature=""))
    assert "audit line 6: does not fit the chain: it is not signed" in checked(signed, keys).problems[0]


def test_a_process_adds_nothing_to_a_log_that_lost_what_it_wrote(signed: Database) -> None:
    with signed.write() as session:
        session.execute(sa.delete(AuditRow).where(AuditRow.seq > 4))
        session.execute(sa.update(CounterRow).where(CounterRow.name == "audit").values(value=4))
    with pytest.raises(AuditError, match="lost line 6, which this process wrote"):
        add(signed, "more")


def test_a_process_adds_nothing_behind_a_hole(signed: Database, keys: Path) -> None:
    with signed.write() as session:
        session.execute(sa.delete(AuditRow).where(AuditRow.seq > 4))
    with pytest.raises(AuditError, match="has no line 6"):
        add(as_role(signed, keys, "web"), "more")


def test_what_was_rolled_back_is_not_missed(signed: Database, keys: Path) -> None:
    with pytest.raises(RuntimeError), signed.write() as session:
        audit.append(session, AT, "li", "did", "never")
        audit.append(session, AT, "li", "did", "never again")
        raise RuntimeError
    add(signed, "after")
    assert checked(signed, keys).ok


def test_two_processes_add_in_turn(signed: Database, keys: Path) -> None:
    other = as_role(signed, keys, "web")
    for turn in range(3):
        add(signed, f"here-{turn}")
        add(other, f"there-{turn}", "again")
    assert checked(signed, keys).ok


def test_only_lines_after_a_known_one_are_looked_at_where_that_is_asked(signed: Database, keys: Path) -> None:
    head = checked(signed, keys).head
    add(signed, "more-1", "more-2")
    looked: list[int] = []
    with signed.read() as session:
        found = walk(session, known_keys(keys), head, each=lambda row: looked.append(row.seq))
        some = walk(session, known_keys(keys), most=3)
    assert looked == [7, 8] and found.ok and found.head.line == 8
    assert some.head.line == 3 and some.ok


def test_a_damaged_memory_is_told_and_not_taken_for_none(keys: Path) -> None:
    ensure_key(keys, "web")
    assert memory.load(keys, "web") == memory.Memory()
    known = memory.Memory(chain.Head(7, "a" * 64, True), chain.Head(3, "b" * 64, True))
    memory.save(keys, "web", known)
    assert memory.load(keys, "web") == known
    assert memory.memory_file(keys, "web").stat().st_mode & 0o777 == 0o600
    memory.memory_file(keys, "web").write_text("{")
    with pytest.raises(SetupError, match="cannot be read"):
        memory.load(keys, "web")
