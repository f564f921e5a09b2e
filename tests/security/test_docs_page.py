"""The page about the interface: complete, under the rules of all pages, and with nothing from elsewhere."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Browser

from api.kit.render import HEADERS
from tests.api.group import Group
from tests.api.pages.watching import watched


def test_it_tells_every_route_and_loads_nothing(people: dict[str, httpx.Client]) -> None:
    nobody = people["nobody"]
    answer = nobody.get("/docs")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
    document = nobody.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in answer.text
    for name in document["components"]["schemas"]:
        assert f'id="shape-{name}"' in answer.text
    named = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert named and all(target.startswith(("/", "#")) and not target.startswith("//") for target in named)
    inside = {target[1:] for target in named if target.startswith("#")}
    assert inside <= set(re.findall(r'id="([^"]+)"', answer.text)), "every link leads somewhere"


def test_a_browser_shows_it_without_a_word_on_its_console(server: Group, browser: Browser) -> None:
    said: list[str] = []
    asked: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.base + "/docs")
    page.click("a[href='#shape-Problem'] >> nth=0")
    assert page.locator("#shape-Problem").is_visible()
    page.close()
    assert not said and all(url.startswith(server.base) for url in asked)


def test_it_is_open_to_all(server: Group, browser: Browser) -> None:
    with watched(browser, server.base) as seen:
        seen.open("/docs")
        seen.check_open_to_all()
