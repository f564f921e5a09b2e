"""A citizen with a phone and a kiosk: from the empty screen to a licence that verifies, with one page scanned again."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import httpx
import numpy as np
import pymupdf
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.api.group import Group, decision, view
from tests.api.pages.bad_line import bad_line
from tests.api.pages.officials import person, sign_in_browser
from tests.api.pages.watching import KIOSK, PHONE, Watched, shot, watched
from tests.api.real_case import approve
from tests.flow.people import until

SCANS = Path(__file__).parents[3] / "samples" / "scans" / "02-trader-good"
DESK = {"width": 1440, "height": 1100}


def blurred(scan: Path) -> bytes:
    """What a shaky hand makes of a page."""
    image = cv2.imdecode(np.frombuffer(scan.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return cv2.imencode(".jpg", cv2.GaussianBlur(image, (0, 0), 9))[1].tobytes()


def test_from_the_empty_kiosk_to_a_verified_licence(real: Group, browser: Browser, tmp_path: Path) -> None:
    shaky = tmp_path / "01-application-1.jpg"
    shaky.write_bytes(blurred(SCANS / "01-application-1.jpg"))
    scans = [shaky, *sorted(SCANS.glob("0[2-9]*.jpg"))]
    with watched(browser, real.base, KIOSK) as kiosk:
        kiosk.sign_kiosk_in(real.new_key("kiosk-lobby", "kiosk"))
        kiosk.check_open_to_all()
        shot(kiosk, "kiosk-start")
        kiosk.tab_to("a[href='/kiosk/matters/sole_trader']")
        kiosk.page.keyboard.press("Enter")
        kiosk.page.wait_for_url("**/matters/sole_trader")
        kiosk.check_open_to_all()
        shot(kiosk, "kiosk-guide")
        kiosk.tab_to("form[action='/kiosk/open'] button")
        kiosk.page.keyboard.press("Enter")
        kiosk.page.wait_for_url("**/kiosk/case")
        kiosk.tab_to("input[type=file][multiple]")
        kiosk.tab_to("input[type=file][capture]")
        kiosk.check_open_to_all()
        loaded = kiosk.page.evaluate("performance.timeOrigin")
        kiosk.page.wait_for_timeout(3_500)
        assert kiosk.page.evaluate("performance.timeOrigin") == loaded, "the page stays while nothing happens"
        number, address = hand_in(kiosk, scans)
        leave(kiosk)
        with watched(browser, real.base) as phone:
            phone.open(urlsplit(address).path)
            expect(phone.page.locator(".badge").first).to_have_text("已提交，待审核")
            phone.check_open_to_all()
            read_the_notice(real, phone, number, urlsplit(address).path)
        hand_in_again(kiosk, address)
        leave(kiosk)
    look_at_the_bench(browser, real, number)
    with watched(browser, real.base) as phone:
        licence = decide_and_seal(real, number)
        phone.open(urlsplit(address).path)
        expect(phone.page.locator(".badge").first).to_have_text("已发证")
        shot(phone, "phone-progress")
        phone.page.click("[data-show-pickup]")
        expect(phone.page.locator("[data-pickup]")).to_have_text(re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}"))
        phone.check_open_to_all()
        phone.open(urlsplit(address).path)
        expect(phone.page.locator("[data-pickup]")).to_have_count(0)
        with phone.page.expect_download() as loading:
            phone.page.click("text=下载证照")
        file = tmp_path / "licence.pdf"
        loading.value.save_as(file)
        phone.page.click("text=查看登记信息")
        expect(phone.page.locator("main")).to_contain_text(licence)
        phone.check_open_to_all()
    verify(browser, real, file, tmp_path)
    over_the_counter(browser, real, number, urlsplit(address).path, tmp_path)


def test_a_card_laid_down_first_fills_the_form_and_leaving_forgets_it(real: Group, browser: Browser) -> None:
    truth = json.loads((SCANS / "expected.json").read_text("utf-8"))["truth"]
    card = next(page["fields"] for page in truth if (page["material"], page["page"]) == ("idcard", 1))
    with watched(browser, real.base, KIOSK) as kiosk:
        page = kiosk.page
        kiosk.sign_kiosk_in(real.new_key("kiosk-card", "kiosk"))
        page.click("a[href='/kiosk/matters/sole_trader']")
        page.click("text=材料准备好了")
        page.set_input_files("input[type=file][multiple]", [str(file) for file in sorted(SCANS.glob("*idcard*.jpg"))])
        known = page.locator("#known-application ~ dl")
        expect(known).to_contain_text(card["name"], timeout=60_000)
        expect(known).to_contain_text(card["cid"])
        kiosk.check_open_to_all()
        kiosk.tab_to("a[href='/kiosk/case/forms/application.pdf']")
        shot(kiosk, "kiosk-known")
        with page.expect_popup():
            page.keyboard.press("Enter")
        said = words_of_form(page, real)
        assert card["name"] in said and all(digit in said for digit in card["cid"])
        leave(kiosk, "footer form[action='/kiosk/leave'] button")
        page.click("a[href='/kiosk/matters/sole_trader']")
        page.click("text=材料准备好了")
        page.wait_for_load_state("networkidle")
        assert not page.locator("#known-application").count()
        assert card["name"] not in words_of_form(page, real)
        leave(kiosk, "footer form[action='/kiosk/leave'] button")


def words_of_form(page: Page, real: Group) -> str:
    """What stands on the form that this kiosk prints now."""
    printed = page.request.get(f"{real.base}/kiosk/case/forms/application.pdf")
    with pymupdf.open(stream=printed.body()) as form:
        return "".join(sheet.get_text() for sheet in form)


def test_scans_outlive_a_cut_line_and_a_reload_and_leaving_wipes_them(
    real: Group, browser: Browser, tmp_path: Path
) -> None:
    blank = cv2.imencode(".png", np.full((300, 200), 255, np.uint8))[1].tobytes()
    files = [tmp_path / f"scan-{place}.png" for place in range(3)]
    for file in files:
        file.write_bytes(blank + os.urandom(1_500_000))
    with (
        real.client(real.new_key("clerk-line", "clerk")) as clerk,
        bad_line(real.base) as line,
        watched(browser, line.base, KIOSK) as kiosk,
    ):
        page = kiosk.page
        kiosk.sign_kiosk_in(real.new_key("kiosk-village", "kiosk"))
        page.evaluate("navigator.serviceWorker.ready.then(() => 0)")
        page.click("a[href='/kiosk/matters/sole_trader']")
        page.click("text=材料准备好了")
        number = page.get_attribute("#sending", "data-case") or ""
        line.carried = 0
        line.cut(after=700_000)
        page.set_input_files("input[type=file][multiple]", [str(file) for file in files[:2]])
        expect(page.locator("#sending .bad-line")).to_contain_text("2 份材料已保存在本机")
        kiosk.check_open_to_all()
        page.reload()
        expect(page.locator("h1")).to_have_text("网络中断")
        kiosk.check_open_to_all()
        shot(kiosk, "kiosk-offline")
        line.mend()
        expect(page.locator(".page")).to_have_count(2, timeout=30_000)
        assert line.carried < 3_300_000, "it goes on from where the line broke"
        sent = view(clerk, number)["pages"]
        kept = [clerk.get(f"/v1/applications/{number}/pages/{item['id']}/file").content for item in sent]
        assert sorted(kept) == sorted(file.read_bytes() for file in files[:2]), "nothing is lost and nothing is double"
        page.wait_for_load_state("networkidle")
        line.cut(after=700_000)
        page.set_input_files("input[type=file][multiple]", str(files[2]))
        expect(page.locator("#sending .bad-line")).to_contain_text("1 份材料")
        until(lambda: stored(real, "upload_parts") > 0)
        page.click("footer >> text=结束并离开")
        expect(page.locator("main")).to_contain_text("正在清除您的信息")
        until(lambda: page.evaluate("indexedDB.databases().then(all => all.length)") == 0)
        line.mend()
        expect(page.locator("h1")).to_have_text("请选择要办理的事项")
        kiosk.forgive("net::ERR_|htmx:(afterRequest|sendError)")  # what the page asks for while the line is cut
        after = view(clerk, number)
        assert (after["status"], len(after["pages"]), stored(real, "upload_parts")) == ("withdrawn", 2, 0)


def stored(real: Group, table: str) -> int:
    with closing(sqlite3.connect(real.folder / "docproc.db")) as database:
        return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


@pytest.mark.parametrize("path", ["/", "/kiosk", "/verify", "/progress", "/wallet", "/office"])
def test_an_entrance_weighs_little_and_is_open_to_all(real: Group, browser: Browser, path: str) -> None:
    for size in (KIOSK, PHONE):
        with watched(browser, real.base, size) as seen:
            seen.open(path)
            assert 5_000 < sum(seen.bytes_by_url.values()) < 100_000, seen.bytes_by_url
            seen.check_open_to_all()
            wide = seen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, "nothing sticks out at the side"


def hand_in(kiosk: Watched, scans: list[Path]) -> tuple[str, str]:
    """Scan, see what is wrong, scan that page again, hand in; gives the number and the address in the QR code."""
    page = kiosk.page
    page.set_input_files("input[type=file][multiple]", [str(scan) for scan in scans])
    expect(page.locator(".page")).to_have_count(len(scans), timeout=60_000)
    until(lambda: page.locator("#case .bar a").count() or time.sleep(0.3), 400)
    kiosk.check_open_to_all()
    shot(kiosk, "kiosk-scan")
    kiosk.finished.clear()
    kiosk.tab_to("#case .bar a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/kiosk/case/review")
    mend = page.locator("section.mend")
    expect(mend.first).to_contain_text("重新扫描")
    page.wait_for_load_state("networkidle")
    assert sum(kiosk.bytes_by_url.values()) < 300_000, kiosk.bytes_by_url
    kiosk.check_open_to_all()
    shot(kiosk, "kiosk-review")
    with page.expect_navigation():
        mend.first.locator("input[type=file]").set_input_files(str(SCANS / "01-application-1.jpg"))
    until(lambda: page.locator("text=确认提交").count() or time.sleep(0.3), 200)
    assert page.locator("section.mend").count() == 0, page.inner_text("main")
    kiosk.check_open_to_all()
    kiosk.tab_to("a[href='#submit']")
    page.keyboard.press("Enter")
    kiosk.tab_to("form[action$='/submit'] button")
    page.keyboard.press("Enter")
    number = page.inner_text("[data-number]")
    address = page.get_attribute("[data-address]", "data-address") or ""
    expect(page.locator("svg.qr")).to_be_visible()
    kiosk.check_open_to_all()
    shot(kiosk, "kiosk-done")
    return number, address


def read_the_notice(real: Group, phone: Watched, number: str, path: str) -> None:
    """An official asks for a correction; the citizen gets everything at once, sealed, and anybody can verify it."""
    told = "1. 申请书（第1页）：经营场所请补写门牌号（行政许可法第三十一条）"
    with real.client(real.new_key("reviewer-notice", "reviewer")) as reviewer:
        more = {"reason": told, "basis": "行政许可法第三十二条"}
        seen = decision(view(reviewer, number), "return", **more)
        assert reviewer.post(f"/v1/applications/{number}/decisions", json=seen).status_code == 201
        until(lambda: view(reviewer, number)["notice"]["state"] == "sealed")
        notice = reviewer.get(f"/v1/applications/{number}/notice.pdf").content
    phone.open(path)
    expect(phone.page.locator("section.mend")).to_contain_text(told)
    phone.check_open_to_all()
    phone.page.locator("section.mend").scroll_into_view_if_needed()
    shot(phone, "phone-notice")
    with phone.page.expect_download() as loading:
        phone.page.evaluate("document.querySelector('section.mend a').download = 'notice.pdf'")
        phone.page.click("text=下载一次性告知书")
    assert loading.value.path().read_bytes() == notice
    with real.client() as anybody:
        report = anybody.post("/v1/licences/verify", files={"file": ("notice.pdf", notice)}).json()
    assert report["ok"] and report["headline"].startswith("告知书真实有效")


def hand_in_again(kiosk: Watched, address: str) -> None:
    kiosk.page.click("text=补交材料")
    kiosk.page.fill("#code", address)
    kiosk.page.click("main button")
    expect(kiosk.page.locator("main")).to_contain_text("经营场所请补写门牌号")
    kiosk.check_open_to_all()
    kiosk.page.click("#case .bar a")
    kiosk.page.click("text=确认提交")
    kiosk.page.wait_for_url("**/kiosk/case/done")


def leave(kiosk: Watched, button: str = "text=完成，清除我的信息") -> None:
    """After leaving, nothing of the citizen is reachable at the kiosk."""
    kiosk.page.click(button)
    expect(kiosk.page.locator("h1")).to_have_text("请选择要办理的事项")
    for path in ("/kiosk/case", "/kiosk/case/done", "/kiosk/case/review"):
        kiosk.open(path)
        assert urlsplit(kiosk.page.url).path == "/kiosk"


def look_at_the_bench(browser: Browser, real: Group, number: str) -> None:
    """What a reviewer sees of real scans: the queue, and the page with its fields; then it is put back."""
    with watched(browser, real.base, DESK) as desk:
        sign_in_browser(desk, person(real, "wang", "reviewer"))
        desk.page.wait_for_url("**/office/queue")
        expect(desk.page.locator(".queue")).to_contain_text(number)
        desk.check_open_to_all()
        shot(desk, "reviewer-queue")
        desk.open(f"/office/cases/{number}")
        desk.page.locator(".sheet:not([hidden]) .box").first.wait_for()
        desk.page.wait_for_load_state("networkidle")
        desk.check_open_to_all()
        shot(desk, "reviewer-bench")
        desk.page.keyboard.press("q")
        desk.page.wait_for_url("**/office/queue*")


def decide_and_seal(real: Group, number: str) -> str:
    """The officials' part, by the programs' interface."""
    reviewer = real.client(real.new_key("reviewer-pages", "reviewer"))
    sealer = real.client(real.new_key("sealer-pages", "sealer"))
    with reviewer, sealer:
        if correct(reviewer, number):
            until(lambda: view(reviewer, number)["checked"])
        version = approve(reviewer, number)["version"]
        assert sealer.post(f"/v1/applications/{number}/release", json={"version": version}).status_code == 200
        return str(until(lambda: view(reviewer, number)["licence"]))


def correct(reviewer: httpx.Client, number: str) -> int:
    """Type over what the machine left open, as the sample's own truth has it; returns how many fields."""
    told = json.loads((SCANS / "expected.json").read_text(encoding="utf-8"))["truth"]
    truth = {(item["material"], item["page"]): item["fields"] for item in told}
    typed = 0
    for page in view(reviewer, number)["pages"]:
        for reading in page["readings"]:
            said = truth.get((reading["material"], reading["page"]), {})
            for field in reading["fields"]:
                if field["value"] is None and field["name"] in said:
                    path = f"/v1/applications/{number}/pages/{page['id']}/readings/{reading['index']}/fields"
                    answer = reviewer.put(f"{path}/{field['name']}", json={"value": said[field["name"]]})
                    assert answer.status_code == 200, answer.text
                    typed += 1
    return typed


def scanned_again(folder: Path) -> list[Path]:
    """The same sheets from another scanner, the lease with a part covered and written over."""
    found = []
    for number, scan in enumerate(sorted(SCANS.glob("*.jpg"))):
        image = cv2.imdecode(np.frombuffer(scan.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        height, width = image.shape[:2]
        if "lease" in scan.name:
            image[height // 2 : height // 2 + height // 40, width // 4 : width // 2] = image[height // 2].max(axis=0)
            cv2.putText(image, "9800", (width // 4, height // 2 + height // 45), 0, height / 1200, (40, 40, 40), 3)
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0.7, 0.97)
        image = cv2.warpAffine(cv2.GaussianBlur(image, (0, 0), 0.6), turn, (width, height), borderValue=(240, 240, 240))
        file = folder / f"paper-{number}.jpg"
        file.write_bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
        found.append(file)
    return found


def over_the_counter(browser: Browser, real: Group, number: str, follow: str, tmp_path: Path) -> None:
    """Originals are left, the paper is held against the scans, and the licence is picked up by the code."""
    papers = scanned_again(tmp_path)
    with watched(browser, real.base, DESK) as desk:
        page = desk.page
        desk.open(follow)
        page.click("[data-show-pickup]")
        pickup = page.inner_text("[data-pickup]")
        sign_in_browser(desk, person(real, "han", "clerk"))
        page.fill("#code", real.base + follow)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/office/counter/{number}")
        for material in ("application", "lease"):
            page.check(f"input[name=material][value={material}]")
        page.click("text=收取并生成凭证")
        expect(page.locator("#originals ~ .row strong")).to_have_text(f"{number}-S1")
        desk.check_open_to_all()
        page.click("text=调出扫描件，开始核对")
        page.wait_for_url("**/papers")
        expect(page.locator("input[name^=scanned]").first).to_be_visible()
        page.set_input_files("form[action$=check] input[type=file]", [str(file) for file in papers])
        page.wait_for_url("**/papers/check", timeout=120_000)
        page.wait_for_load_state("networkidle")
        changed = page.locator("fieldset", has=page.locator(".spots"))
        expect(changed).to_have_count(1)
        expect(changed.locator(".notice")).to_contain_text("下列地方不同")
        expect(page.locator("fieldset .notice.good")).to_have_count(len(papers) - 1)
        desk.check_open_to_all()
        changed.scroll_into_view_if_needed()
        changed.locator("img").first.evaluate("picture => picture.decode()")
        shot(desk, "counter-papers")
        changed.locator("input[value=match]").check()
        page.click("text=记录核对结果")
        expect(page.locator("[role=alert]")).to_contain_text("请写明核对情况")
        desk.forgive("422")
        for sheet in page.locator("fieldset").all():
            sheet.locator("input[value=match]").check()
        page.locator("fieldset", has=page.locator(".notice.warn")).locator("input[name^=note]").fill(
            "原件上经申请人涂改"
        )
        page.click("text=记录核对结果")
        page.wait_for_url(f"**/office/counter/{number}")
        expect(page.locator("section[aria-labelledby=papers] .badge")).to_have_text("一致")
        page.fill("input[name=code]", pickup)
        page.fill("form[action$=handover] input[name=to]", "样例甲")
        page.click("text=确认领取")
        expect(page.locator("section[aria-labelledby=over] .notice.good")).to_contain_text("样例甲")
        desk.check_open_to_all()
        page.evaluate("document.getElementById('originals').scrollIntoView()")
        shot(desk, "counter-case")


def verify(browser: Browser, real: Group, file: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.pdf"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    altered.write_bytes(data)
    with watched(browser, real.base) as public:
        for given, light, word in ((file, "good", "真实有效"), (altered, "bad", "请勿采信")):
            public.open("/verify")
            with public.page.expect_navigation():
                public.page.set_input_files("input[type=file]", str(given))
            assert public.page.get_attribute(".verdict", "data-light") == light
            expect(public.page.locator(".verdict h1")).to_have_text(word)
            shot(public, f"verify-{light}")
            passed = public.page.locator(".checklist li.good").count()
            assert passed == (4 if light == "good" else 0), "no point of an altered file is shown as passed"
            public.page.click("summary")
            public.check_open_to_all()
