"""Every page of the service, found from the router: quick, light, open to all, and in English when asked for it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

import pytest
import uvicorn
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from playwright.sync_api import Browser

from tests.api.pages.filled import Filled, fill, folder_with_neighbour
from tests.api.pages.inside import running
from tests.api.pages.test_citizen_in_browser import shot
from tests.api.pages.watching import Watched, watched

DESK = {"width": 1440, "height": 900}
CPU_SECONDS = 0.2
LIGHT = 300_000
"""Bytes of a page with all that it loads."""
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "/": ("nobody", {}),
    "/verify": ("nobody", {}),
    "/verify/number?number={licence}": ("nobody", {}),
    "/v/{code}": ("nobody", {}),
    "/progress": ("nobody", {}),
    "/progress?number={number}": ("nobody", {}),
    "/p/{code}": ("nobody", {"code": "{follow}"}),
    "/s/{code}": ("nobody", {"code": "{share}"}),
    "/office/login": ("nobody", {}),
    "/kiosk": ("kiosk", {}),
    "/kiosk/matters/{matter}": ("kiosk", {}),
    "/kiosk/resume": ("kiosk", {}),
    "/kiosk/offline": ("kiosk", {}),
    "/kiosk/case": ("citizen", {}),
    "/kiosk/case/status": ("citizen", {}),
    "/kiosk/case/review": ("citizen", {}),
    "/wallet": ("wallet", {}),
    "/wallet/webhooks": ("wallet", {}),
    "/wallet/licences/{number}": ("wallet", {"number": "{licence}"}),
    "/office/password": ("clerk", {}),
    "/office/queue": ("reviewer", {}),
    "/office/cases/{number}": ("reviewer", {}),
    "/office/cases/{number}/judged": ("reviewer", {}),
    "/office/release": ("sealer", {}),
    "/office/seals": ("approver", {}),
    "/office/trust": ("sealer", {}),
    "/office/users": ("admin", {}),
    "/office/keys": ("admin", {}),
    "/office/matters": ("admin", {}),
    "/office/matters/changes/{change_id}": ("approver", {}),
    "/office/retention": ("admin", {}),
    "/office/kiosks": ("clerk", {}),
    "/office/sms": ("admin", {}),
    "/office/figures?days=730": ("auditor", {}),
    "/office/audit": ("auditor", {}),
    "/office/counter": ("clerk", {}),
    "/office/counter/{number}": ("clerk", {"number": "{counter}"}),
    "/office/counter/{number}/papers": ("clerk", {"number": "{counter}"}),
    "/office/counter/{number}/receipt": ("clerk", {"number": "{counter}"}),
}
"""Address, whose page it is, and which of the filled service's things stands for a place in it."""
NO_PAGES = {
    "/office", "/office/next", "/office/oidc", "/office/oidc/callback", "/kiosk/case/done",
    "/office/matters/{matter}.toml",
    "/office/matters/changes/{change_id}/{matter}/{material}.pdf", "/kiosk/case/pages/{page_id}/{index}.webp",
    "/office/cases/{number}/pages/{page_id}/{index}.webp", "/office/cases/{number}/notice.pdf",
    "/office/counter/find", "/office/counter/{number}/originals/{receipt}.pdf",
    "/kiosk/matters/{matter}/forms/{material}.pdf", "/wallet/forms/{matter}/{material}.pdf",
    "/kiosk/case/notice.pdf", "/kiosk/case/forms/{material}.pdf", "/p/{code}/notice.pdf", "/v/{code}/file",
    "/s/{code}/file", "/wallet/licences/{number}/file",
}  # fmt: skip
"""Files, pictures, addresses that lead elsewhere, and a page that only follows an act and has a test of its own."""
PICTURES = {
    "/office/matters/changes/{change_id}": "office-change",
    "/office/trust": "office-trust",
    "/office/users": "office-users",
    "/office/kiosks": "office-kiosks",
    "/office/figures?days=730": "office-figures",
}
"""Pages whose pictures the guide shows."""
FRAGMENTS = {"/kiosk/case/status", "/office/cases/{number}/judged"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("filled")
    certs = folder_with_neighbour(folder)
    with running(folder / "var", certs_dir=certs, trust_dir=certs / "trust") as (app, ctx):
        yield fill(app, ctx)


def routes(filled: Filled) -> Iterator[str]:
    def walk(found: Iterable[Any]) -> Iterator[APIRoute]:
        for route in found:
            if isinstance(route, APIRoute):
                yield route
            elif type(route).__name__ not in ("Route", "Mount"):
                yield from walk(route.original_router.routes)

    for route in walk(filled.app.routes):
        if "GET" in (route.methods or ()) and not route.path.startswith(("/v1/", "/healthz", "/readyz", "/metrics")):
            yield route.path


def address(filled: Filled, page: str) -> str:
    """A page's address with the things of the filled service in its places."""
    places = {**filled.values, **{k: v.format(**filled.values) for k, v in PAGES[page][1].items()}}
    return page.format(**places)


def test_no_page_is_forgotten(filled: Filled) -> None:
    assert {page.partition("?")[0] for page in PAGES} | NO_PAGES == set(routes(filled))


def test_every_page_takes_less_than_200_ms_of_the_processor(filled: Filled) -> None:
    slow = {}
    for page, (who, _) in PAGES.items():
        client, path = filled.visitors[who], address(filled, page)
        answer = client.get(path)
        assert answer.status_code == 200 and answer.url.path == path.partition("?")[0], (page, answer.status_code)
        spent = []
        for _ in range(3):
            began = time.process_time()
            client.get(path)
            spent.append(time.process_time() - began)
        if min(spent) >= CPU_SECONDS:
            slow[page] = spent
    assert not slow


class Chinese(HTMLParser):
    """Chinese text that is not marked as such."""

    EMPTY = ("meta", "link", "input", "br", "hr", "img")

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[tuple[str, bool]] = []
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        marked = (self.inside[-1][1] if self.inside else False) if "lang" not in given else given["lang"] == "zh-CN"
        if not marked:
            words = ("title", "aria-label", "placeholder", "alt", *(k for k in given if k.startswith("data-")))
            self.look(*(given.get(key) or "" for key in words))
        if tag not in self.EMPTY:
            self.inside.append((tag, marked))

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self.inside and self.inside[-1][1]):
            self.look(data)

    def look(self, *texts: str) -> None:
        self.found |= {text.strip()[:60] for text in texts if re.search(r"[\u4e00-\u9fff]", text)}


def test_in_english_nothing_is_chinese_but_what_is_marked_as_such(filled: Filled) -> None:
    left = {}
    for page, (who, _) in PAGES.items():
        client = filled.visitors[who]
        client.cookies.set("lang", "en")
        looked = Chinese()
        looked.feed(client.get(address(filled, page)).text)
        client.cookies.delete("lang")
        if looked.found:
            left[page] = sorted(looked.found)[:12]
    assert not left, "\n".join(f"{page}: {texts}" for page, texts in left.items())


@contextmanager
def listening(filled: Filled) -> Iterator[str]:
    """The same application on a loopback port, for a browser."""
    config = uvicorn.Config(filled.app, port=0, log_level="warning", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def sit_down(seen: Watched, client: TestClient) -> None:
    """The browser takes the session of somebody who signed in."""
    kept = [{"name": c.name, "value": c.value or "", "url": seen.base} for c in client.cookies.jar if c.name != "lang"]
    if kept:
        seen.page.context.add_cookies(kept)  # type: ignore[arg-type]


def test_every_page_is_open_to_all_and_light(filled: Filled, browser: Browser) -> None:
    heavy, wrong = {}, []
    with listening(filled) as base:
        for who, client in filled.visitors.items():
            with watched(browser, base, DESK) as seen:
                sit_down(seen, client)
                for page in (page for page, (whose, _) in PAGES.items() if whose == who and page not in FRAGMENTS):
                    seen.open(address(filled, page))
                    weight = sum(seen.bytes_by_url.values())
                    if page in PICTURES:
                        shot(seen, PICTURES[page])
                    try:
                        seen.check_open_to_all()
                    except AssertionError as error:
                        wrong.append(f"{page}: {error}")
                    if weight >= LIGHT:
                        heavy[page] = weight
    assert not wrong, "\n".join(wrong)
    assert not heavy
