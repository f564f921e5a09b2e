"""A reviewer at the bench in Chromium: keyboard only, corrections, two at once, masked data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import Browser

from docproc.domain import Field
from tests.api.group import Group, group, upload_all, view
from tests.api.pages.officials import Person, person, sign_in_browser, signed_in, word
from tests.api.pages.watching import watched
from tests.cases import OWNER, TRADER, pages
from tests.flow.people import until
from tests.flow.small_stages import paper

DESK = {"width": 1440, "height": 900}
RIGHT = "13800138000"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("bench") / "var"
    with group(folder, "tests.api.pages.drawn_stages", DOCPROC_RATE_LIMIT_PER_MINUTE="5000") as running:
        yield running


@pytest.fixture(scope="module")
def kiosk(drawn: Group) -> Iterator[httpx.Client]:
    with drawn.client(drawn.new_key("kiosk-1", "kiosk")) as client:
        yield client


@pytest.fixture(scope="module")
def wang(drawn: Group) -> Person:
    return person(drawn, "wang", "reviewer")


@pytest.fixture(scope="module")
def li(drawn: Group) -> Person:
    return person(drawn, "li", "approver")


def handed_in(kiosk: httpx.Client, phone: str | None = RIGHT, operator: Field | None = None) -> str:
    readings = pages("sole_trader", TRADER)
    changed = replace(readings[0].fields["phone"], value=phone, confidence=0.999 if phone else 0.3)
    first = {**readings[0].fields, "phone": changed}
    readings[0] = replace(readings[0], fields={**first, "operator": operator or first["operator"]})
    number = str(kiosk.post("/v1/applications", json={"matter": "sole_trader", "channel": "kiosk"}).json()["number"])
    upload_all(kiosk, number, [paper([reading]) for reading in readings])
    until(lambda: view(kiosk, number)["checked"])
    assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
    return number


def test_clean_applications_are_approved_by_keyboard_alone_and_the_next_one_opens(
    drawn: Group, kiosk: httpx.Client, wang: Person, browser: Browser
) -> None:
    first, second = handed_in(kiosk), handed_in(kiosk)
    with watched(browser, drawn.base, DESK) as seen:
        sign_in_browser(seen, wang)
        keys = seen.page.keyboard
        seen.page.wait_for_url("**/office/queue")
        keys.press("Enter")
        seen.page.wait_for_url(f"**/office/cases/{first}")
        seen.check_open_to_all()
        assert seen.page.locator(".field.on").count() == 1
        keys.press("j")
        assert seen.page.locator(".box.on").count() == 1, "the page shows the chosen field"
        seen.page.locator('.sheet:not([hidden]) .box[data-row$="-phone"]').click()
        assert "移动电话" in seen.page.locator(".field.on .label").inner_text(), "the list shows the chosen box"
        keys.press("?")
        assert seen.page.locator("#help[open]").is_visible()
        keys.press("Escape")
        keys.press("g")
        keys.press("Enter")
        seen.page.wait_for_url(f"**/office/cases/{second}?done={first}")
        keys.press("g")
        keys.press("Control+Enter")
        seen.page.wait_for_url("**/office/queue?done=*")
    assert {view(kiosk, n)["status"] for n in (first, second)} <= {"approved", "issued"}


def test_a_correction_is_kept_beside_what_was_read_and_the_application_is_checked_again(
    drawn: Group, kiosk: httpx.Client, wang: Person, browser: Browser
) -> None:
    number = handed_in(kiosk, phone=None)
    with watched(browser, drawn.base, DESK) as seen:
        sign_in_browser(seen, wang)
        seen.open(f"/office/cases/{number}")
        keys = seen.page.keyboard
        assert "移动电话" in seen.page.locator(".field.on .label").inner_text(), "the doubtful field is chosen first"
        keys.press("e")
        keys.type("13911112222")
        keys.press("Enter")
        row = seen.page.locator('.field.person[id$="-phone"]')
        row.wait_for()
        assert "13911112222" in row.inner_text()
        seen.page.wait_for_selector("#judged:not([hx-get])")
        row.wait_for()
        row.locator(".pick").click()
        assert "机器识别：未能识别" in row.locator(".more").inner_text()
        keys.press("b")
        seen.page.locator("#return textarea").fill("1. 请补交租赁合同原件")
        keys.press("Control+Enter")
        seen.page.wait_for_url("**/office/queue*")
    now = view(kiosk, number)
    phone = next(f for p in now["pages"] for r in p["readings"] for f in r["fields"] if f["name"] == "phone")
    assert (phone["value"], phone["source"], now["status"]) == ("13911112222", "person", "returned")
    with signed_in(drawn, wang) as client:
        until(lambda: view(kiosk, number)["notice"]["state"] == "sealed")
        assert "一次性告知书" in client.get(f"/office/cases/{number}").text
        notice = client.get(f"/office/cases/{number}/notice.pdf")
        assert notice.content.startswith(b"%PDF-") and "请补交租赁合同原件" in notice.content.decode(errors="ignore")


def test_a_name_that_the_card_tells_says_what_it_rests_on_and_shows_what_stands_on_the_paper(
    drawn: Group, kiosk: httpx.Client, wang: Person, browser: Browser
) -> None:
    near = (("样例田", 0.0), ("样例甲", 0.9))
    number = handed_in(kiosk, operator=Field("operator", None, "样例田", 0.3, None, 1, rivals=near))
    with watched(browser, drawn.base, DESK) as seen:
        sign_in_browser(seen, wang)
        seen.open(f"/office/cases/{number}")
        row = seen.page.locator('.field.good[id$="-operator"]')
        assert "样例甲" in row.locator(".value").inner_text()
        assert "推定" in row.locator(".mark").inner_text()
        row.locator(".pick").click()
        told = row.locator(".more").inner_text()
        assert "推定" in told and "纸面原文：样例田" in told
        seen.check_open_to_all()


def test_of_two_reviewers_the_second_is_told_and_can_change_nothing(
    drawn: Group, kiosk: httpx.Client, wang: Person, li: Person, browser: Browser
) -> None:
    number = handed_in(kiosk)
    with watched(browser, drawn.base, DESK) as one, watched(browser, drawn.base, DESK) as two:
        sign_in_browser(one, wang)
        one.open(f"/office/cases/{number}")
        sign_in_browser(two, li)
        two.open(f"/office/cases/{number}")
        assert "wang 正在办理这个办件" in two.page.locator("[role=alert]").inner_text()
        assert two.page.locator(".actions").count() == 0
        assert OWNER not in two.page.content(), "who does not work on it sees no identity number"
        two.page.get_by_role("button", name="显示个人信息").click()
        assert two.page.locator("input[name=purpose]:invalid").count() == 1, "it asks what for"
        two.page.fill("input[name=purpose]", "答复申请人来电")
        two.page.get_by_role("button", name="显示个人信息").click()
        two.page.wait_for_load_state("networkidle")
        assert OWNER in two.page.content()
        card = two.page.locator(".tab", has_text="身份证").first
        card.click()
        assert two.page.locator(".sheet:not([hidden]) svg").count() == 0, "an identity card is apart"
        two.page.locator(".sheet:not([hidden])").get_by_role("button", name="显示这一页").click()
        two.page.wait_for_load_state("networkidle")
        two.page.locator(".tab", has_text="身份证").first.click()
        assert two.page.locator(".sheet:not([hidden]) svg").count() == 1
        two.check_open_to_all()
        one.page.keyboard.press("q")
        one.page.wait_for_url("**/office/queue")
        two.open(f"/office/cases/{number}")
        assert two.page.locator("#reject").count() == 1
    with drawn.client(drawn.new_key("auditor-1", "auditor")) as auditor:
        lines = auditor.get("/v1/audit", params={"subject": number}).json()
        pages_shown = auditor.get("/v1/audit", params={"limit": 1000}).json()
    assert [line["actor"] for line in lines if line["action"] == "personal.shown"] == ["li"]
    apart = [line for line in pages_shown if line["action"] == "personal.page_shown"]
    assert [(line["actor"], line["subject"].partition("/")[0]) for line in apart] == [("li", number)]


def test_a_decision_on_what_changed_meanwhile_says_so_and_shows_what_is_there_now(
    drawn: Group, kiosk: httpx.Client, wang: Person
) -> None:
    number = handed_in(kiosk)
    with signed_in(drawn, wang) as client:
        path = f"/office/cases/{number}"
        seen = view(kiosk, number)
        sent = {"csrf": word(client, path), "action": "approve", "content_sha256": seen["content_sha256"]}
        assert client.post(f"{path}/accept", data={**sent, "version": seen["version"]}).status_code == 200
        late = client.post(f"{path}/decide", data={**sent, "version": seen["version"]})
        assert late.status_code == 409 and "办件内容已变化" in late.text and 'id="approve"' in late.text
        assert view(kiosk, number)["status"] == "accepted"


def test_the_approver_does_not_seal_and_the_sealer_sees_no_pictures(
    drawn: Group, kiosk: httpx.Client, li: Person
) -> None:
    number, zhao = handed_in(kiosk), person(drawn, "zhao", "sealer")
    with signed_in(drawn, li) as client:
        seen = view(kiosk, number)
        sent = {"csrf": word(client, f"/office/cases/{number}"), "action": "approve", "version": seen["version"]}
        client.post(f"/office/cases/{number}/decide", data={**sent, "content_sha256": seen["content_sha256"]})
        version = {"csrf": sent["csrf"], "version": view(kiosk, number)["version"]}
        assert client.post(f"/office/cases/{number}/release", data=version).status_code == 403
    with signed_in(drawn, zhao) as client:
        assert number in client.get("/office/release").text
        page = client.get(f"/office/cases/{number}").text
        assert OWNER not in page and ".webp" not in page
        sent = {"csrf": word(client, f"/office/cases/{number}"), "version": str(version["version"])}
        assert client.post(f"/office/cases/{number}/release", data=sent).url.path == "/office/release"
    assert view(kiosk, number)["seal"]["state"] in ("queued", "sealed")
