"""Files and submission: what is accepted, what becomes a finding, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from docproc.check.licence_draft import draft_licence
from docproc.domain import Field
from docproc.errors import (
    AccessError,
    BusyError,
    ConflictError,
    InputError,
    LimitError,
    NotFoundError,
    UnknownMaterialError,
    UnsupportedFileError,
)
from docproc.flow.applications.applications import (
    add_page,
    correct_field,
    create_application,
    list_applications,
    page_file,
    remove_page,
    submit,
    view_application,
    withdraw,
)
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, ReusedKeyError
from docproc.flow.review.decisions import Seen, decide
from docproc.matter.load import find_matter
from docproc.settings import Settings
from tests.cases import TODAY, TRADER, pages
from tests.flow.people import AUDITOR, CLERK, KIOSK, REVIEWER, Workers, caller, hand_in, trader_papers, until
from tests.flow.small_stages import MAGIC, paper


def draft(ctx: Context) -> str:
    return str(create_application(ctx, KIOSK, "sole_trader", "kiosk")["number"])


def test_a_file_that_cannot_be_read_becomes_a_finding_and_asks_for_a_new_scan(office: Context) -> None:
    number = hand_in(office, papers=[*trader_papers()[1:], MAGIC + b"not a paper", paper([], fail=True), paper([])])
    view = until(lambda: (v := view_application(office, KIOSK, number))["checked"] and v)
    assert view["verdict"] == "rescan"
    failed = {page["id"]: page["error_code"] for page in view["pages"] if page["state"] == "failed"}
    assert sorted(failed.values()) == ["no_pages", "read_error", "unsupported_file"]
    about_files = {f["page_id"]: f for f in view["findings"] if f["page_id"]}
    assert about_files.keys() == failed.keys()
    assert all(f["severity"] == "fix" and "上传" in f["message"] for f in about_files.values())


def test_a_file_for_a_material_that_the_matter_does_not_have_is_refused(office: Context) -> None:
    number = draft(office)
    with pytest.raises(UnknownMaterialError, match="no material 'bizlic'; it has application, idcard") as caught:
        add_page(office, KIOSK, number, trader_papers()[0], material="bizlic")
    assert "经营者身份证（idcard）" in caught.value.message_zh
    assert not view_application(office, KIOSK, number)["pages"]


def test_a_name_left_open_on_the_form_is_what_the_card_says(office: Context) -> None:
    readings = pages("sole_trader", TRADER)
    rivals = (("样例田", 0.0), ("样例甲", 0.9))
    vague = Field("operator", None, "样例田", 0.3, None, 1, "ocr", ("样例田", "样例甲"), rivals)
    first = replace(readings[0], fields={**readings[0].fields, "operator": vague})
    number = hand_in(office, papers=[paper([reading]) for reading in (first, *readings[1:])])
    view = until(lambda: (v := view_application(office, KIOSK, number))["checked"] and v)
    shown = {item["name"]: item for page in view["pages"] for r in page["readings"] for item in r["fields"]}
    assert (shown["operator"]["value"], shown["operator"]["source"]) == ("样例甲", "repair")
    assert shown["operator"]["raw"] == "样例田"
    assert not any("rivals" in item for item in shown.values())
    assert view["verdict"] == "pass" and not [f for f in view["findings"] if f["field"] == "operator"]
    handed = submit(office, KIOSK, number)
    seen = Seen(handed["version"], handed["content_sha256"])
    decide(office, REVIEWER, number, "approve", seen)
    licence = draft_licence(
        find_matter("sole_trader"),
        [first, *readings[1:]],
        serial=1,
        application=number,
        authority="样例局",
        authority_code="",
        today=TODAY,
        verify_url="",
    )
    assert {name: value for name, _, value in licence.fields}["operator"] == "样例甲"


def test_taking_the_bad_file_back_clears_its_finding_and_checks_again(office: Context) -> None:
    number = hand_in(office, papers=[*trader_papers(), MAGIC + b"not a paper"])
    view = until(lambda: (v := view_application(office, KIOSK, number))["checked"] and v)
    bad = next(page for page in view["pages"] if page["state"] == "failed")
    remove_page(office, KIOSK, number, bad["id"])
    again = until(lambda: (v := view_application(office, KIOSK, number))["checked"] and v)
    assert again["verdict"] == "pass" and len(again["pages"]) == len(view["pages"]) - 1
    assert page_file(office, KIOSK, number, bad["id"])[0].read() == MAGIC + b"not a paper", "they stay for the audit"


def test_a_page_that_kills_its_worker_every_time_is_given_up(ctx: Context, workers: Workers) -> None:
    number = hand_in(ctx, papers=[paper([], crash=True)])
    job = f"read:{view_application(ctx, KIOSK, number)['pages'][0]['id']}"
    while not ctx.jobs.is_dead(job):
        workers.start("w1", wait=False)
        until(lambda: workers.is_dead("w1") or ctx.jobs.is_dead(job))
        if workers.is_dead("w1"):
            workers.running.pop("w1")
    view = until(lambda: (v := view_application(ctx, KIOSK, number))["checked"] and v)
    assert view["pages"][0]["state"] == "failed" and view["verdict"] == "rescan"


def test_the_same_bytes_give_the_file_that_is_there(ctx: Context) -> None:
    number, data = draft(ctx), trader_papers()[0]
    first = add_page(ctx, KIOSK, number, data, filename="a.png")
    assert add_page(ctx, KIOSK, number, data, filename="b.png")["id"] == first["id"]
    other = add_page(ctx, KIOSK, number, data, material="lease")
    assert other["id"] != first["id"], "the same scan may stand for another material"
    remove_page(ctx, KIOSK, number, first["id"])
    assert add_page(ctx, KIOSK, number, data)["id"] != first["id"], "what was taken back can be handed in anew"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"MZ\x90\x00", "unsupported_file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "markup_file"),
        (b"PK\x03\x04", "office_file"),
    ],
)
def test_what_is_no_scan_by_its_first_bytes_is_refused_at_the_door(ctx: Context, data: bytes, code: str) -> None:
    number = draft(ctx)
    with pytest.raises(UnsupportedFileError) as refused:
        add_page(ctx, KIOSK, number, data, filename="scan.jpg")
    assert refused.value.code == code
    assert view_application(ctx, KIOSK, number)["pages"] == [] and list(ctx.blobs.iterate()) == []


def test_a_full_queue_and_an_oversized_file_are_refused(ctx: Context, settings: Settings) -> None:
    number = draft(ctx)
    for turn in range(settings.max_queue):
        add_page(ctx, KIOSK, number, paper([], sleep=turn))
    with pytest.raises(BusyError):
        add_page(ctx, KIOSK, number, paper([], sleep=-1))
    with pytest.raises(LimitError):
        add_page(ctx, KIOSK, number, MAGIC + bytes(settings.max_upload_bytes))


def test_a_file_name_is_only_shown_never_a_path(ctx: Context) -> None:
    page = add_page(ctx, KIOSK, draft(ctx), trader_papers()[0], filename="..\\..\\etc/pass\x00wd\n.jpg")
    assert page["filename"] == "passwd.jpg"


def test_submission_waits_for_reading_and_needs_a_file(office: Context) -> None:
    with pytest.raises(ConflictError, match="nothing"):
        submit(office, KIOSK, draft(office))
    number = hand_in(office)
    with pytest.raises(ConflictError) as early:
        submit(office, KIOSK, number)
    assert early.value.code == "not_checked"
    until(lambda: view_application(office, KIOSK, number)["checked"])
    assert submit(office, KIOSK, number)["status"] == "submitted"
    with pytest.raises(ConflictError):
        add_page(office, KIOSK, number, paper([]))
    with pytest.raises(ConflictError):
        submit(office, KIOSK, number)
    assert withdraw(office, KIOSK, number)["status"] == "withdrawn"


def test_a_correction_counts_as_read_by_a_person_and_is_checked_again(office: Context) -> None:
    values = {key: dict(fields) for key, fields in TRADER.items()}
    values["application/1"]["phone"] = None
    number = hand_in(office, papers=[paper([reading]) for reading in pages("sole_trader", values)])
    view = until(lambda: (v := view_application(office, KIOSK, number))["checked"] and v)
    page = view["pages"][0]
    with pytest.raises(AccessError):
        correct_field(office, KIOSK, number, page["id"], 0, "phone", "13800138000")
    with pytest.raises(InputError):
        correct_field(office, REVIEWER, number, page["id"], 0, "no_such_field", "x")
    with pytest.raises(NotFoundError):
        correct_field(office, REVIEWER, number, page["id"], 7, "phone", "x")
    changed = correct_field(office, REVIEWER, number, page["id"], 0, "phone", "13800138000")
    assert changed["content_sha256"] != view["content_sha256"]
    after = until(lambda: (v := view_application(office, KIOSK, number))["checked"] and v)
    phone = next(f for f in after["pages"][0]["readings"][0]["fields"] if f["name"] == "phone")
    assert phone["value"] == "13800138000" and phone["source"] == "person"
    assert after["verdict"] == "pass"


def test_a_repeated_request_gets_the_first_answer_and_another_one_is_refused(ctx: Context) -> None:
    first = create_application(ctx, KIOSK, "sole_trader", once=Once("k1", "a" * 64))
    assert create_application(ctx, KIOSK, "sole_trader", once=Once("k1", "a" * 64)) == first
    with pytest.raises(ReusedKeyError):
        create_application(ctx, KIOSK, "food_licence", once=Once("k1", "b" * 64))
    other = create_application(ctx, CLERK, "sole_trader", once=Once("k1", "a" * 64))
    assert other["number"] != first["number"], "keys of one caller do not touch another's"


def test_each_sees_only_what_is_theirs(ctx: Context) -> None:
    mine = draft(ctx)
    other_kiosk, stranger = caller("kiosk-2", "kiosk"), caller("clerk-9", "clerk", org="elsewhere")
    for who in (other_kiosk, stranger):
        with pytest.raises(NotFoundError):
            view_application(ctx, who, mine)
        assert list_applications(ctx, who) == []
    for who in (KIOSK, CLERK, AUDITOR):
        assert view_application(ctx, who, mine)["number"] == mine
        assert [row["number"] for row in list_applications(ctx, who)] == [mine]
