"""Pages that nobody recognised, and papers that differ: never shown as good, named by hand, confirmed by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from docproc.domain import GOOD, PageReading
from tests.api.group import Group, group, upload_all, view
from tests.api.pages.officials import Person, person, sign_in_browser
from tests.api.pages.watching import KIOSK, Watched, shot, watched
from tests.cases import FOOD, TRADER, Values, changed, pages
from tests.flow.people import until
from tests.flow.small_stages import paper

DESK = {"width": 1440, "height": 1000}
NOISE = PageReading("noise.png", 0, None, "free", GOOD)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("unnamed") / "var"
    with group(folder, "tests.api.pages.drawn_stages", DOCPROC_RATE_LIMIT_PER_MINUTE="5000") as running:
        yield running


@pytest.fixture(scope="module")
def wang(drawn: Group) -> Person:
    return person(drawn, "wang", "reviewer")


@pytest.fixture(scope="module")
def client(drawn: Group) -> Iterator[httpx.Client]:
    with drawn.client(drawn.new_key("kiosk-1", "kiosk")) as made:
        yield made


def without(values: Values, *gone: str) -> Values:
    return {key: fields for key, fields in values.items() if key not in gone}


def files(matter: str, values: Values, *more: PageReading) -> list[bytes]:
    return [paper([reading]) for reading in [*pages(matter, values), *more]]


def at_kiosk(seen: Watched, drawn: Group, matter: str, papers: list[bytes], folder: Path) -> None:
    """A citizen opens an application at a kiosk and lays the papers down, one file a page."""
    paths = [folder / f"{place}.png" for place in range(len(papers))]
    for path, data in zip(paths, papers, strict=True):
        path.write_bytes(data)
    seen.sign_kiosk_in(drawn.new_key("kiosk-lobby", "kiosk"))
    seen.page.click(f"a[href='/kiosk/matters/{matter}']")
    seen.page.click("text=材料准备好了")
    seen.page.set_input_files("input[type=file][multiple]", [str(path) for path in paths])
    expect(seen.page.locator("#case a[href='/kiosk/case/review']")).to_be_visible()
    expect(seen.page.locator("#case .pages .thumb svg")).to_have_count(len(papers), timeout=60_000)


def handed_in(client: httpx.Client, matter: str, papers: list[bytes]) -> str:
    number = str(client.post("/v1/applications", json={"matter": matter, "channel": "kiosk"}).json()["number"])
    upload_all(client, number, papers)
    until(lambda: view(client, number)["checked"])
    assert client.post(f"/v1/applications/{number}/submit").status_code == 200
    return number


def test_a_page_of_nothing_is_told_with_every_missing_paper(drawn: Group, browser: Browser, tmp_path: Path) -> None:
    with watched(browser, drawn.base, KIOSK) as seen:
        at_kiosk(seen, drawn, "food_licence", files("food_licence", {}, NOISE), tmp_path)
        expect(seen.page.locator("#case .now")).to_have_text("已核对：有 5 处需要补正")
        seen.page.click("a[href='/kiosk/case/review']")
        main = seen.page.locator("main")
        for name in ("申请书", "身份证", "营业执照", "布局", "规章制度"):
            expect(main).to_contain_text(name)
        expect(main).to_contain_text("有 1 页没有认出")
        assert "没有发现问题" not in main.inner_text() and "齐全" not in main.inner_text()
        assert seen.page.get_by_role("button", name="确认提交").count() == 0
        seen.check_open_to_all()
        shot(seen, "kiosk-unnamed")


def test_a_citizen_says_what_a_page_is_and_it_stays_a_claim(drawn: Group, browser: Browser, tmp_path: Path) -> None:
    with watched(browser, drawn.base, KIOSK) as seen:
        at_kiosk(seen, drawn, "sole_trader", files("sole_trader", without(TRADER, "lease/1"), NOISE), tmp_path)
        expect(seen.page.locator("#case .now")).to_have_text("已核对：有 1 处要先由人确认")
        seen.check_open_to_all()
        seen.page.click("a[href='/kiosk/case/review']")
        assert "没有发现问题" not in seen.page.locator("main").inner_text()
        shot(seen, "kiosk-look")
        seen.page.locator(".page.unknown select").select_option("lease/1")
        seen.page.locator(".page.unknown").get_by_role("button", name="确定").click()
        expect(seen.page.locator("main")).to_contain_text("是人工指明的，系统没有认出")
        expect(seen.page.locator("main")).not_to_contain_text("有 1 页没有认出")
        assert seen.page.get_by_role("button", name="确认提交").count() == 0
        seen.check_open_to_all()
        shot(seen, "kiosk-claimed")
        seen.page.get_by_role("button", name="仍然提交").click()
        seen.page.wait_for_url("**/kiosk/case/done")


def test_a_reviewer_names_a_page_and_confirms_the_paper_by_name(
    drawn: Group, client: httpx.Client, wang: Person, browser: Browser
) -> None:
    number = handed_in(client, "sole_trader", files("sole_trader", without(TRADER, "lease/1"), NOISE))
    with watched(browser, drawn.base, DESK) as seen:
        sign_in_browser(seen, wang)
        seen.page.wait_for_url("**/office/queue")
        row = seen.page.locator("tr", has_text=number)
        expect(row.locator(".badge.warn")).to_have_text("1 处须人工确认")
        assert row.locator(".badge.good").count() == 0
        seen.open(f"/office/cases/{number}")
        judged = seen.page.locator("#judged")
        expect(judged).to_contain_text("缺少必需的材料，不能批准")
        assert seen.page.get_by_role("button", name="批准").first.is_disabled()
        seen.check_open_to_all()
        shot(seen, "bench-unnamed")
        sheet = seen.page.locator(".group", has_text="未识别的材料")
        sheet.locator("select").select_option("lease/1")
        sheet.get_by_role("button", name="确定").click()
        seen.page.wait_for_selector("#judged:not([hx-get])")
        expect(seen.page.locator(".tabs")).not_to_contain_text("未识别的材料")
        expect(seen.page.locator("#panel")).to_contain_text("系统没有认出")
        seen.page.locator("button[data-open=approve]").click()
        dialog = seen.page.locator("#approve")
        expect(dialog).to_contain_text("由人指明，请逐项核对影像后勾选确认")
        seen.check_open_to_all()
        shot(seen, "bench-confirm")
        dialog.locator("button[data-first]").click()
        assert dialog.locator("input[name=confirmed]:invalid").count() == 1, "it must be ticked"
        dialog.locator("input[name=confirmed]").check()
        dialog.locator("button[data-first]").click()
        seen.page.wait_for_url("**/office/**done=*")
    decided = view(client, number)["decisions"][-1]
    assert decided["action"] == "approve" and decided["confirmed"] == ["lease"]


def test_two_licences_that_differ_are_both_shown(
    drawn: Group, client: httpx.Client, wang: Person, browser: Browser, tmp_path: Path
) -> None:
    values = changed(FOOD, ("bizlic/1", "legal_rep", "王样例"))
    other = next(r for r in pages("food_licence", values) if r.material == "bizlic")
    papers = files("food_licence", FOOD, replace(other, file="other.png"))
    with watched(browser, drawn.base, KIOSK) as seen:
        at_kiosk(seen, drawn, "food_licence", papers, tmp_path)
        seen.page.click("a[href='/kiosk/case/review']")
        look = seen.page.locator("ol.look > li")
        expect(look).to_contain_text("“营业执照”交来了2份，内容不一致（法定代表人")
        assert look.locator(".page .thumb svg").count() == 2
        assert look.locator("dd").all_inner_texts() == ["样例甲", "王样例"], "and what differs"
        shot(seen, "kiosk-two-papers")
        seen.check_open_to_all()
    number = handed_in(client, "food_licence", papers)
    with watched(browser, drawn.base, DESK) as seen:
        sign_in_browser(seen, wang)
        seen.open(f"/office/cases/{number}")
        told = seen.page.locator("#judged li", has_text="内容不一致")
        assert told.locator("[data-go]").count() == 2
        told.locator("[data-go]").nth(1).click()
        differs = seen.page.locator(".more", has_text="各份不一致")
        rows = seen.page.locator(".field", has_text="法定代表人").filter(has=differs)
        assert rows.count() == 2, "each of the two papers shows where it differs"
        seen.check_open_to_all()
        shot(seen, "bench-two-papers")
