"""A reviewer enters another value than was read for certain: misread, changed, or the applicant's to mend."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from docproc.matter.load import MATTERS_DIR
from tests.api.group import Group, group, upload_all, view
from tests.api.pages.officials import Person, person, sign_in_browser
from tests.api.pages.watching import PHONE, shot, watched
from tests.cases import TRADER
from tests.flow.people import until

DESK = {"width": 1440, "height": 1000}
EMPLOYEES = str(TRADER["application/1"]["employees"])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """An office whose officials may change the number of employees and nothing else."""
    folder = tmp_path_factory.mktemp("changes") / "var"
    with group(folder, "tests.api.pages.drawn_stages", DOCPROC_RATE_LIMIT_PER_MINUTE="5000") as running:
        text = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8")
        lax = text.replace('name = "employees"\n', 'name = "employees"\nmendable = true\n', 1)
        with running.client(running.admin_key) as admin:
            sent = {"files": ("sole_trader.toml", lax.encode())}
            asked = admin.post("/v1/catalogue/changes", params={"reason": "试点"}, files=sent)
            assert asked.status_code == 202, asked.text
        with running.client(running.new_key("approver-9", "approver")) as other:
            change = asked.json()["id"]
            done = other.post(f"/v1/catalogue/changes/{change}", json={"confirm": True})
            assert done.status_code == 200, done.text
        yield running


@pytest.fixture(scope="module")
def wang(drawn: Group) -> Person:
    return person(drawn, "wang", "reviewer")


@pytest.fixture(scope="module")
def kiosk(drawn: Group) -> Iterator[httpx.Client]:
    with drawn.client(drawn.new_key("kiosk-1", "kiosk")) as client:
        yield client


def handed_in(kiosk: httpx.Client) -> str:
    number = str(kiosk.post("/v1/applications", json={"matter": "sole_trader", "channel": "kiosk"}).json()["number"])
    upload_all(kiosk, number)
    until(lambda: view(kiosk, number)["checked"])
    assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
    return number


def test_a_change_is_asked_for_marked_listed_and_told(
    drawn: Group, kiosk: httpx.Client, wang: Person, browser: Browser
) -> None:
    number = handed_in(kiosk)
    with watched(browser, drawn.base, DESK) as seen:
        sign_in_browser(seen, wang)
        seen.open(f"/office/cases/{number}")
        row = seen.page.locator('.field[id$="-employees"]')
        row.locator(".pick").click()
        row.locator("input[name=value]").fill("3")
        row.get_by_role("button", name="保存修改").click()
        assert view(kiosk, number)["changes"] == [] and row.locator("input[name=kind]:invalid").count(), "it asks why"
        row.locator("input[value=changed]").check()
        seen.check_open_to_all()
        row.get_by_role("button", name="保存修改").click()
        marked = seen.page.locator('.field.changed[id$="-employees"]')
        marked.wait_for()
        expect(marked.locator(".mark")).to_contain_text("已更改申请人所写")
        seen.page.wait_for_selector("#judged:not([hx-get])")
        seen.page.keyboard.press("g")
        listed = seen.page.locator("#approve .changes")
        expect(listed).to_contain_text("从业人数")
        expect(listed).to_contain_text("wang（样例）")
        expect(listed.locator("del")).to_have_text(f"{EMPLOYEES} 人")
        expect(listed.locator("ins")).to_have_text("3 人")
        seen.check_open_to_all()
        shot(seen, "bench-changed")
        seen.page.keyboard.press("Control+Enter")
        seen.page.wait_for_url("**/office/queue*")
    done = view(kiosk, number)
    assert [item["value"] for item in done["decisions"][-1]["changed"]] == ["3"]
    with watched(browser, drawn.base, PHONE) as phone:
        phone.open(f"/p/{drawn.receipt_code(number)}")
        expect(phone.page.locator("section[aria-labelledby=changed]")).to_contain_text("从业人数")
        phone.check_open_to_all()
        shot(phone, "phone-changed")


def test_what_the_applicant_must_mend_goes_onto_the_notice(
    drawn: Group, kiosk: httpx.Client, wang: Person, browser: Browser
) -> None:
    number = handed_in(kiosk)
    with watched(browser, drawn.base, DESK) as seen:
        sign_in_browser(seen, wang)
        seen.open(f"/office/cases/{number}")
        for name in ("capital", "scope"):
            row = seen.page.locator(f'.field[id$="-{name}"]')
            row.locator(".pick").click()
            assert row.locator("input[value=changed]").count() == 0, "the matter does not let an official change it"
            row.get_by_role("button", name="写入补正告知").click()
            told = seen.page.locator("#return textarea")
            expect(told).to_be_visible()
            seen.check_open_to_all()
            if name == "capital":
                seen.page.keyboard.press("Escape")
        lines = told.input_value().splitlines()
        assert [line[:3] for line in lines] == ["1. ", "2. "] and "资金数额" in lines[0] and "经营范围" in lines[1]
        shot(seen, "bench-notice")
        seen.page.keyboard.press("Control+Enter")
        seen.page.wait_for_url("**/office/queue*")
    told_now = view(kiosk, number)["decisions"][-1]
    assert told_now["action"] == "return" and told_now["reason"].splitlines() == lines
