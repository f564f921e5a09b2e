"""核对: a citizen sees what was read beside the ink, says what is wrong, and an official settles it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from docproc.flow.core.context import open_context
from docproc.store.tables.applications import ApplicationRow
from tests.api.group import Group, group, settings_of, view
from tests.api.pages.officials import Person, person, sign_in_browser
from tests.api.pages.watching import KIOSK, PHONE, Watched, shot, watched
from tests.cases import TRADER, pages
from tests.flow.people import until
from tests.flow.small_stages import paper

DESK = {"width": 1440, "height": 900}
PHONE_READ = TRADER["application/1"]["phone"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("read") / "var"
    with group(folder, "tests.api.pages.drawn_stages", DOCPROC_RATE_LIMIT_PER_MINUTE="5000") as running:
        yield running


@pytest.fixture(scope="module")
def looker(drawn: Group) -> Iterator[httpx.Client]:
    with drawn.client(drawn.new_key("looker-1", "reviewer")) as made:
        yield made


@pytest.fixture(scope="module")
def wang(drawn: Group) -> Person:
    return person(drawn, "wang", "reviewer")


def papers(*, without: str = "", blank: str = "") -> list[bytes]:
    readings = [r for r in pages("sole_trader", TRADER) if f"{r.material}/{r.page}" != without]
    if blank:
        first = readings[0].fields
        readings[0] = replace(readings[0], fields={**first, blank: replace(first[blank], value="")})
    return [paper([reading]) for reading in readings]


def at_kiosk(seen: Watched, drawn: Group, name: str, files: list[bytes], folder: Path) -> str:
    """A citizen at a kiosk whose papers have been read; gives the number of the application."""
    paths = [folder / f"{place}.png" for place in range(len(files))]
    for path, data in zip(paths, files, strict=True):
        path.write_bytes(data)
    seen.sign_kiosk_in(drawn.new_key(name, "kiosk"))
    seen.page.click("a[href='/kiosk/matters/sole_trader']")
    seen.page.click("text=材料准备好了")
    seen.page.wait_for_url("**/kiosk/case")
    seen.page.set_input_files("input[type=file][multiple]", [str(path) for path in paths])
    expect(seen.page.locator("#case a[href='/kiosk/case/review']")).to_be_visible(timeout=60_000)
    expect(seen.page.locator("#case .pages .thumb svg")).to_have_count(len(files), timeout=60_000)
    ctx = open_context(settings_of(drawn.env))
    with ctx.database.read() as session:
        number = session.scalars(select(ApplicationRow.number).order_by(ApplicationRow.created_at.desc())).first()
    ctx.close()
    return str(number)


def test_a_citizen_sees_what_was_read_and_says_what_is_wrong(
    drawn: Group, looker: httpx.Client, wang: Person, browser: Browser, tmp_path: Path
) -> None:
    with watched(browser, drawn.base, KIOSK) as seen:
        number = at_kiosk(seen, drawn, "kiosk-read", papers(), tmp_path)
        seen.open("/kiosk/case/review")
        page = seen.page
        item = page.locator("[id^='r-'][id$='-phone']")
        item.scroll_into_view_if_needed()
        expect(item.locator("svg.crop")).to_have_count(1)
        assert PHONE_READ is not None
        expect(item).to_contain_text(PHONE_READ)
        expect(item).to_contain_text("已识别")
        page.wait_for_load_state("networkidle")
        seen.check_open_to_all()
        shot(seen, "kiosk-read")
        item.locator("summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("13900000000")
        page.keyboard.press("Enter")
        expect(item).to_contain_text("您已指出有误")
        expect(item).to_contain_text("您说纸上写的是： 13900000000")
        expect(item).to_contain_text(PHONE_READ)
        assert page.evaluate("document.activeElement.matches('[data-focus]')"), "a reader of the screen hears it"
        expect(page.locator("form[action$='/submit'] button")).to_have_count(1)
        expect(page.locator("#review")).to_contain_text("由工作人员核对")
        page.wait_for_load_state("networkidle")
        seen.check_open_to_all()
        shot(seen, "kiosk-read-wrong")
        now = view(looker, number)
        assert now["verdict"] == "look" and [r["said"] for r in now["remarks"]] == ["13900000000"]
        page.click("form[action$='/submit'] button")
        page.wait_for_url("**/kiosk/case/done")
    with watched(browser, drawn.base, DESK) as desk:
        sign_in_browser(desk, wang)
        desk.open(f"/office/cases/{number}")
        row = desk.page.locator('.field.look[id$="-phone"]')
        row.locator(".pick").click()
        told = row.locator(".more").inner_text()
        assert "申请人指出识别有误" in told and "13900000000" in told
        expect(row.locator("svg.crop")).to_be_visible()
        desk.check_open_to_all()
        shot(desk, "bench-remark")
        desk.page.keyboard.press("y")
        settled = desk.page.locator('.field.person[id$="-phone"]')
        settled.wait_for()
        assert "人工核对无误" in settled.inner_text()
    now = view(looker, number)
    assert [r["settled"] for r in now["remarks"]] == [True]


def test_a_remark_is_taken_back(drawn: Group, looker: httpx.Client, browser: Browser, tmp_path: Path) -> None:
    with watched(browser, drawn.base, PHONE) as seen:
        number = at_kiosk(seen, drawn, "kiosk-back", papers(), tmp_path)
        seen.open("/kiosk/case/review")
        item = seen.page.locator("[id^='r-'][id$='-employees']")
        item.scroll_into_view_if_needed()
        expect(item.locator("svg.crop")).to_have_count(1)
        item.locator("summary").click()
        item.get_by_role("button", name="告诉工作人员").click()
        item.get_by_role("button", name="撤回").click()
        expect(item).to_contain_text("已识别")
        wide = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, "nothing sticks out at the side"
        until(lambda: view(looker, number)["checked"])
        assert view(looker, number)["remarks"] == [] and view(looker, number)["verdict"] == "pass"


def test_a_page_with_a_problem_is_not_called_recognised(drawn: Group, browser: Browser, tmp_path: Path) -> None:
    with watched(browser, drawn.base, KIOSK) as seen:
        at_kiosk(seen, drawn, "kiosk-cards", papers(without="idcard/2", blank="scope"), tmp_path)
        seen.open("/kiosk/case")
        badges = seen.page.locator(".page .badge").all_inner_texts()
        cards = dict(zip(seen.page.locator(".page strong").all_inner_texts(), badges, strict=False))
        assert badges[0] == "有问题，请看下一步", badges
        assert cards["经营者身份证"] != "已识别", "its other side is missing"
        assert "已识别" in badges, "the others are fine"
        seen.check_open_to_all()
        shot(seen, "kiosk-cards")
