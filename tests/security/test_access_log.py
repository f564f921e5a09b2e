"""Every reading of content stands in the access log before it is given, and nobody can take it out again."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from docproc.flow.accounts import api_keys
from docproc.flow.audit import accesses
from docproc.flow.audit.proof import prove
from docproc.flow.core.context import Context, utc_now
from docproc.flow.review import workbench
from docproc.store.audit import access_log
from docproc.store.audit.access_log import Wanted
from docproc.store.tables.audit import AccessRow, AuditRow
from tests.api.pages.filled import Filled, fill, folder_with_neighbour
from tests.api.pages.inside import PAGE, running, word
from tests.flow.people import AUDITOR, REVIEWER


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("filled")
    certs = folder_with_neighbour(folder)
    with running(folder / "var", certs_dir=certs, trust_dir=certs / "trust") as (app, ctx):
        yield fill(app, ctx)


def rows(ctx: Context) -> list[AccessRow]:
    with ctx.database.read() as session:
        return list(session.scalars(sa.select(AccessRow).order_by(AccessRow.id)))


def new_rows(ctx: Context, before: int) -> list[AccessRow]:
    return rows(ctx)[before:]


def with_role(filled: Filled, role: str, org: str = "office", name: str = "") -> TestClient:
    key = api_keys.create_key(filled.ctx, None, name or f"{role}-key", org, [role])["key"]
    return TestClient(filled.app, headers={"Authorization": f"Bearer {key}"}, follow_redirects=False)


CONTENT: tuple[tuple[str, str, str, str, str], ...] = (
    # who, address, kind, what it is about, purpose
    ("reviewer", "/v1/applications/{number}", "case", "{number}", "unstated"),
    ("auditor", "/v1/applications/{number}", "case", "{number}", "supervision"),
    ("clerk", "/v1/applications/{number}/pages/{page_id}/file", "page_file", "{number}", "counter"),
    ("reviewer", "/v1/applications/{number}/pages/{page_id}/previews/0", "page_picture", "{number}", "unstated"),
    ("clerk", "/v1/applications/{number}/custody", "custody", "{number}", "counter"),
    ("clerk", "/v1/applications/{number}/forms/application.pdf", "form", "{number}", "counter"),
    ("sealer", "/v1/licences/{licence}/details", "licence", "{licence}", "sealing"),
    ("approver", "/v1/licences/{licence}/file", "licence_file", "{licence}", "unstated"),
    ("", "/v1/licences/by-code/{code}/file", "licence_file", "{licence}", "public"),
    ("", "/v/{code}/file", "licence_file", "{licence}", "public"),
    ("", "/p/{follow}", "progress", "{returned}", "own"),
    ("", "/s/{share}", "licence", "{licence}", "share"),
    ("", "/s/{share}/file", "licence_file", "{licence}", "share"),
    ("enterprise", "/v1/wallet", "wallet", "{licence}", "own"),
    ("enterprise", "/v1/wallet/{licence}", "licence", "{licence}", "own"),
    ("enterprise", "/v1/wallet/{licence}/file", "licence_file", "{licence}", "own"),
    ("auditor", "/v1/accesses", "access_log", "", "supervision"),
    ("auditor", "/v1/applications/{number}/readers", "access_log", "{number}", "supervision"),
)
PAGES: tuple[tuple[str, str, str, str, str], ...] = (
    ("citizen", "/kiosk/case", "case", "{draft}", "submission"),
    ("citizen", "/kiosk/case/review", "case", "{draft}", "submission"),
    ("citizen", "/kiosk/case/read/{draft_page}/0", "case", "{draft}", "submission"),
    ("citizen", "/kiosk/case/pages/{draft_page}/0.webp", "page_picture", "{draft}", "submission"),
    ("citizen", "/kiosk/case/forms/application.pdf", "form", "{draft}", "submission"),
    ("wallet", "/wallet", "wallet", "{licence}", "own"),
    ("wallet", "/wallet/licences/{licence}", "licence", "{licence}", "own"),
    ("wallet", "/wallet/licences/{licence}/file", "licence_file", "{licence}", "own"),
    ("reviewer", "/office/cases/{number}", "case", "{number}", "review"),
    ("reviewer", "/office/cases/{number}/judged", "case", "{number}", "review"),
    ("reviewer", "/office/cases/{number}/pages/{page_id}/0.webp", "page_picture", "{number}", "review"),
    ("clerk", "/office/counter/{counter}", "case", "{counter}", "counter"),
    ("auditor", "/office/accesses", "access_log", "", "supervision"),
    ("approver", "/office/cases/{number}/readers", "access_log", "{number}", "unstated"),
)


def test_every_reading_stands_in_the_log_once_its_answer_is_there(filled: Filled) -> None:
    clients: dict[str, TestClient] = {"": TestClient(filled.app, headers=PAGE)}
    wrong = []
    for group, visitors in ((CONTENT, clients), (PAGES, filled.visitors)):
        for who, address, kind, about, purpose in group:
            if who not in visitors:
                org = filled.values["licence"] if who == "enterprise" else "office"
                visitors[who] = with_role(filled, who, org)
            before = len(rows(filled.ctx))
            answer = visitors[who].get(address.format(**filled.values))
            found = new_rows(filled.ctx, before)
            told = {(row.kind, row.subject, row.purpose) for row in found}
            wanted = (kind, about.format(**filled.values), purpose)
            if answer.status_code != 200 or wanted not in told or answer.headers["cache-control"] != "no-store":
                wrong.append(f"{who} {address}: {answer.status_code} {told} {answer.headers.get('cache-control')}")
            assert all(row.address for row in found)
    assert not wrong, "\n".join(wrong)


def test_a_row_says_who_with_which_key_in_which_role(filled: Filled) -> None:
    client = with_role(filled, "clerk", name="zhang.wei")
    before = len(rows(filled.ctx))
    client.get(f"/v1/applications/{filled.values['number']}")
    (row,) = new_rows(filled.ctx, before)
    key = client.headers["Authorization"].split("_")[1]
    assert (row.actor, row.credential, row.roles, row.org) == ("zhang.wei", key, "clerk", "office")


def test_one_request_is_one_insert(filled: Filled) -> None:
    sent: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    sa.event.listen(filled.ctx.database.engine, "before_cursor_execute", note)
    try:
        filled.visitors["citizen"].get("/kiosk/case")
    finally:
        sa.event.remove(filled.ctx.database.engine, "before_cursor_execute", note)
    assert sum("INSERT INTO access_log" in text for text in sent) == 1


def test_what_for_is_asked_of_who_does_not_work_on_it_and_stands_in_the_log(filled: Filled) -> None:
    """A reviewer looks at what another one works on."""
    ctx, number = filled.ctx, filled.values["number"]
    other = filled.visitors["reviewer"]
    assert workbench.claim(ctx, REVIEWER, filled.values["returned"]) is False
    ctx_number = filled.values["issued"]
    page = other.get(f"/office/cases/{ctx_number}").text
    assert 'name="purpose"' in page
    csrf = word(other, f"/office/cases/{ctx_number}")
    refused = other.post(f"/office/cases/{ctx_number}/show", data={"csrf": csrf, "purpose": " "})
    assert refused.status_code == 422 and "查阅事由" in refused.text
    other.post(f"/office/cases/{ctx_number}/show", data={"csrf": csrf, "purpose": "信访核查"})
    row = rows(ctx)[-1]
    assert (row.subject, row.purpose, row.stated) == (ctx_number, "stated", "信访核查")
    program = with_role(filled, "reviewer", name="program-1")
    program.get(f"/v1/applications/{number}", headers={"Purpose": "%E7%BB%9F%E8%AE%A1"})
    assert (rows(ctx)[-1].purpose, rows(ctx)[-1].stated) == ("stated", "统计")


def test_what_cannot_be_logged_is_not_given(filled: Filled) -> None:
    number = filled.values["number"]
    client = with_role(filled, "clerk", name="clerk-full")
    assert client.get(f"/v1/applications/{number}").status_code == 200
    with filled.ctx.database.write() as session:
        trigger = "CREATE TRIGGER full BEFORE INSERT ON access_log BEGIN SELECT RAISE(ABORT, 'full'); END"
        session.execute(sa.text(trigger))
    try:
        answers = [
            client.get(f"/v1/applications/{number}"),
            client.get(f"/v1/applications/{number}/pages/{filled.values['page_id']}/file"),
            filled.visitors["citizen"].get("/kiosk/case"),
        ]
        listed = client.get("/v1/matters")
    finally:
        with filled.ctx.database.write() as session:
            session.execute(sa.text("DROP TRIGGER full"))
    assert [answer.status_code for answer in answers] == [503, 503, 503]
    assert all("样例" not in answer.text for answer in answers)
    assert listed.status_code == 200, "what is nobody's is given"
    assert client.get(f"/v1/applications/{number}").status_code == 200


def test_readers_do_not_wait_in_a_row(filled: Filled) -> None:
    """Sixteen at once: every answer is logged, in fewer transactions than there are readers."""
    client = with_role(filled, "clerk", name="clerk-many")
    path = f"/v1/applications/{filled.values['number']}"
    before, commits, answers = len(rows(filled.ctx)), [], []
    sa.event.listen(filled.ctx.database.engine, "commit", lambda _: commits.append(1))

    def read() -> None:
        answers.append(client.get(path).status_code)

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 16
    mine = [row for row in new_rows(filled.ctx, before) if row.actor == "clerk-many"]
    assert len(mine) == 16


@pytest.fixture
def closed(filled: Filled) -> Context:
    """All readings so far are closed, and a copy of the log is put back after the test."""
    client = with_role(filled, "clerk", name="clerk-closed")
    for _ in range(3):
        client.get(f"/v1/applications/{filled.values['number']}")
    later = replace(filled.ctx, clock=lambda: utc_now() + accesses.CLOSE_AFTER)
    accesses.close_due(later)
    assert all(row.batch for row in rows(filled.ctx))
    assert log_problems(filled.ctx) == []
    return filled.ctx


def log_problems(ctx: Context) -> list[str]:
    """What `docproc audit verify` says of the access log, without the rest of it."""
    with ctx.database.snapshot() as session:
        return list(access_log.problems(session))


def undone(ctx: Context, statement: str, **values: Any) -> list[str]:
    """What the proof says after a statement that is taken back then."""
    with ctx.database.write() as session:
        copied = [dict(row) for row in session.execute(sa.text("SELECT * FROM access_log")).mappings()]
        session.execute(sa.text(statement), values)
    try:
        return log_problems(ctx)
    finally:
        with ctx.database.write() as session:
            session.execute(sa.text("DELETE FROM access_log"))
            names = ", ".join(copied[0])
            places = ", ".join(f":{name}" for name in copied[0])
            session.execute(sa.text(f"INSERT INTO access_log ({names}) VALUES ({places})"), copied)


def test_a_line_of_the_audit_log_closes_each_batch(closed: Context) -> None:
    with closed.database.read() as session:
        lines = session.scalars(sa.select(AuditRow).where(AuditRow.action == access_log.CLOSED)).all()
        kept = session.scalars(sa.select(AccessRow).order_by(AccessRow.batch, AccessRow.id)).all()
        for line in lines:
            mine = [row for row in kept if row.batch == line.detail["batch"]]
            assert (line.detail["rows"], line.detail["sha256"]) == (len(mine), access_log.digest(mine))
            assert line.signature
    assert sum(line.detail["rows"] for line in lines) == len(kept)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM access_log WHERE id = :id",
        "UPDATE access_log SET actor = 'somebody-else' WHERE id = :id",
        "UPDATE access_log SET address = '10.0.0.1' WHERE id = :id",
        "UPDATE access_log SET batch = NULL, actor = 'somebody-else' WHERE id = :id",
        "UPDATE access_log SET batch = 999 WHERE id = :id",
        "DELETE FROM access_log",
        "INSERT INTO access_log SELECT :new, given_at, 'somebody-else', credential, roles, org, kind, subject, item, "
        "purpose, stated, address, batch, signed FROM access_log WHERE id = :id",
        "INSERT INTO access_log SELECT :new, given_at, 'somebody-else', credential, roles, org, kind, subject, item, "
        "purpose, stated, address, NULL, signed FROM access_log WHERE id = :id",
    ],
)
def test_a_row_that_was_removed_changed_or_added_is_told(closed: Context, statement: str) -> None:
    row = rows(closed)[-2]
    values = {"id": row.id, "new": f"{row.id[:16]}{'f' * 16}"}
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    assert undone(closed, statement, **used)
    assert log_problems(closed) == []


def test_a_row_written_past_the_service_is_told_also_once_it_is_closed(filled: Filled, closed: Context) -> None:
    row = rows(closed)[-1]
    with closed.database.write() as session:
        session.execute(
            sa.text(
                "INSERT INTO access_log SELECT :new, given_at, 'framed', credential, roles, org, kind, subject, item, "
                "purpose, stated, address, NULL, signed FROM access_log WHERE id = :id"
            ),
            {"new": f"{row.id[:16]}{'0' * 16}", "id": row.id},
        )
    assert any("past the service" in item for item in log_problems(closed))
    later = replace(closed, clock=lambda: utc_now() + timedelta(minutes=1))
    accesses.close_due(later)
    assert any("past the service" in item for item in log_problems(closed)), "the worker did not vouch for it"


def test_old_readings_are_erased_in_whole_batches_and_the_proof_holds(tmp_path: Path) -> None:
    with running(tmp_path / "var") as (app, ctx):
        key = api_keys.create_key(ctx, None, "clerk-1", "office", ["clerk"])["key"]
        client = TestClient(app, headers={"Authorization": f"Bearer {key}"})
        number = client.post("/v1/applications", json={"matter": "sole_trader"}).json()["number"]
        client.get(f"/v1/applications/{number}")
        later = replace(ctx, clock=lambda: utc_now() + timedelta(minutes=1))
        accesses.close_due(later)
        client.get(f"/v1/applications/{number}")
        much_later = replace(ctx, clock=lambda: utc_now() + timedelta(days=ctx.settings.access_log_days + 1))
        assert accesses.erase_old(later) == 0
        assert accesses.erase_old(much_later) == 2 and accesses.erase_old(much_later) == 0
        assert len(rows(ctx)) == 1, "what no batch has closed stays"
        assert log_problems(ctx) == []
        assert prove(ctx, None).problems == [] and prove(ctx, None).readings == 1
        with ctx.database.write() as session:
            session.execute(sa.text("UPDATE access_log SET actor = 'somebody-else'"))
        assert any("access log" in item for item in prove(ctx, None).problems)


def test_an_auditor_takes_the_log_along_and_no_cell_is_a_formula(filled: Filled) -> None:
    client = with_role(filled, "reviewer", name="program-2")
    client.get(f"/v1/applications/{filled.values['number']}", headers={"Purpose": "=HYPERLINK(1)"})
    auditor = with_role(filled, "auditor")
    answer = auditor.get("/v1/accesses.csv")
    assert answer.status_code == 200
    table = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert any(line["stated"] == "'=HYPERLINK(1)" for line in table)
    assert filled.visitors["auditor"].get("/office/accesses.csv").status_code == 200
    found = auditor.get("/v1/accesses?actor=program-2&purpose=stated").json()
    assert found and all(line["actor"] == "program-2" for line in found)


def test_a_case_shows_its_readers_to_an_official_with_that_right(filled: Filled) -> None:
    number = filled.values["number"]
    seen = filled.visitors["approver"].get(f"/office/cases/{number}/readers")
    assert seen.status_code == 200 and "reviewer-9" in seen.text
    assert f"/office/cases/{number}/readers" in filled.visitors["approver"].get(f"/office/cases/{number}").text
    assert filled.visitors["reviewer"].get(f"/office/cases/{number}/readers").status_code == 403
    far = with_role(filled, "approver", "elsewhere", "approver-far")
    assert far.get(f"/v1/applications/{number}/readers").status_code == 404


def test_the_search_filters_by_time_and_pages(filled: Filled) -> None:
    whole = accesses.search(filled.ctx, AUDITOR, Wanted(limit=1000))
    first = accesses.search(filled.ctx, AUDITOR, Wanted(limit=2))
    then = accesses.search(filled.ctx, AUDITOR, Wanted(limit=2, before=first[-1]["id"]))
    assert [line["id"] for line in whole[:4]] == [line["id"] for line in (*first, *then)]
    assert accesses.search(filled.ctx, AUDITOR, Wanted(since=utc_now() + timedelta(minutes=1))) == []
    assert len(accesses.search(filled.ctx, AUDITOR, Wanted(until=utc_now() + timedelta(minutes=1), limit=1000))) == len(
        whole
    )
