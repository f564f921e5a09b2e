"""Every page of the service, found from the router: cheap, light, open to all, and in English when asked for it."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
import uvicorn
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from playwright.sync_api import Browser
from sqlalchemy import event

from tests.api.pages.filled import FEW, MANY, Filled, fill, folder_with_neighbour, grow
from tests.api.pages.inside import running
from tests.api.pages.watching import Watched, shot, watched

DESK = {"width": 1440, "height": 900}
MORE = MANY / FEW
DEAREST = 50
"""How often the processor time of the entrance, which asks the database nothing, a page may take."""
SLACK = 10
"""Hundreds of steps by which the depth of a tree or a plan may differ."""
OF_ALL = {"/office/queue", "/office/kiosks", "/office/figures?days=730"}
"""Pages that tell of every application of a time; they may read in proportion to them, and no more."""
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
    "/kiosk/case/review/submit": ("citizen", {}),
    "/kiosk/case/read/{page_id}/{index}": ("citizen", {"page_id": "{draft_page}"}),
    "/wallet": ("wallet", {}),
    "/wallet/webhooks": ("wallet", {}),
    "/wallet/licences/{number}": ("wallet", {"number": "{licence}"}),
    "/office/password": ("clerk", {}),
    "/office/mine": ("clerk", {}),
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
    "/office/accesses": ("auditor", {}),
    "/office/cases/{number}/readers": ("approver", {}),
    "/office/counter": ("clerk", {}),
    "/office/counter/{number}": ("clerk", {"number": "{counter}"}),
    "/office/counter/{number}/papers": ("clerk", {"number": "{counter}"}),
    "/office/counter/{number}/receipt": ("clerk", {"number": "{counter}"}),
}
"""Address, whose page it is, and which of the filled service's things stands for a place in it."""
NO_PAGES = {
    "/docs",
    "/office",
    "/office/next",
    "/office/oidc",
    "/office/oidc/callback",
    "/kiosk/case/done",
    "/office/matters/{matter}.toml",
    "/office/matters/changes/{change_id}/{matter}/{material}.pdf",
    "/kiosk/case/pages/{page_id}/{index}.webp",
    "/office/cases/{number}/pages/{page_id}/{index}.webp",
    "/office/cases/{number}/notice.pdf",
    "/office/counter/find",
    "/office/accesses.csv",
    "/office/counter/{number}/originals/{receipt}.pdf",
    "/kiosk/matters/{matter}/forms/{material}.pdf",
    "/wallet/forms/{matter}/{material}.pdf",
    "/kiosk/case/notice.pdf",
    "/kiosk/case/forms/{material}.pdf",
    "/p/{code}/notice.pdf",
    "/v/{code}/file",
    "/s/{code}/file",
    "/wallet/licences/{number}/file",
}
"""Files, pictures, addresses that lead elsewhere, and pages with tests of their own: one for programmers, in English
alone, and one that only follows an act."""
PICTURES = {
    "/office/matters/changes/{change_id}": "office-change",
    "/office/trust": "office-trust",
    "/office/users": "office-users",
    "/office/kiosks": "office-kiosks",
    "/office/figures?days=730": "office-figures",
}
"""Pages whose pictures the guide shows."""
FRAGMENTS = {
    "/kiosk/case/status",
    "/kiosk/case/review/submit",
    "/kiosk/case/read/{page_id}/{index}",
    "/office/cases/{number}/judged",
}


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
        if "GET" in (route.methods or ()) and not route.path.startswith(("/v1/", "/healthz", "/readyz")):
            yield route.path


def address(filled: Filled, page: str) -> str:
    """A page's address with the things of the filled service in its places."""
    places = {**filled.values, **{k: v.format(**filled.values) for k, v in PAGES[page][1].items()}}
    return page.format(**places)


def test_no_page_is_forgotten(filled: Filled) -> None:
    assert {page.partition("?")[0] for page in PAGES} | NO_PAGES == set(routes(filled))


@dataclass(frozen=True)
class Cost:
    """What a page costs."""

    statements: int
    steps: int
    """Of SQLite's machine, in hundreds: a table that is read whole takes some for each of its rows."""
    cpu_seconds: float


def costs(filled: Filled) -> dict[str, Cost]:
    """Of every page, the least of three times that follow a first one."""
    counted = Counter[str]()

    def sent(*_: Any) -> None:
        counted["statements"] += 1

    def stepped() -> int:
        counted["steps"] += 1
        return 0

    def watch(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(stepped, 100)

    engine = filled.ctx.database.engine
    event.listen(engine, "before_cursor_execute", sent)
    event.listen(engine, "checkout", watch)
    try:
        return {page: _cost(filled, page, counted) for page in PAGES}
    finally:
        event.remove(engine, "checkout", watch)
        event.remove(engine, "before_cursor_execute", sent)
        engine.dispose()


def _cost(filled: Filled, page: str, counted: Counter[str]) -> Cost:
    client, path = filled.visitors[PAGES[page][0]], address(filled, page)
    answer = client.get(path)
    assert answer.status_code == 200 and answer.url.path == path.partition("?")[0], (page, answer.status_code)
    statements, steps, seconds = [], [], []
    for _ in range(3):
        counted.clear()
        began = time.process_time()
        client.get(path)
        seconds.append(time.process_time() - began)
        statements.append(counted["statements"])
        steps.append(counted["steps"])
    return Cost(min(statements), min(steps), min(seconds))


@pytest.fixture(scope="module")
def few(filled: Filled) -> dict[str, Cost]:
    """What each page costs beside few applications."""
    return costs(filled)


@pytest.fixture(scope="module")
def many(filled: Filled, few: dict[str, Cost]) -> dict[str, Cost]:
    """What each page costs beside many; they stay."""
    grow(filled.ctx, filled.values["number"], filled.values["issued"], range(FEW, MANY))
    return costs(filled)


def test_no_page_asks_or_reads_more_beside_many_applications(few: dict[str, Cost], many: dict[str, Cost]) -> None:
    for page in PAGES:
        told = f"{page}: {few[page]}, then {many[page]}"
        assert many[page].statements == few[page].statements, told
        allowed = MORE * few[page].steps if page in OF_ALL else few[page].steps + SLACK
        assert many[page].steps <= allowed, told


def test_no_page_takes_more_of_the_processor_than_in_proportion(few: dict[str, Cost], many: dict[str, Cost]) -> None:
    for page in PAGES:
        told = f"{page}: {few[page]}, then {many[page]}; the entrance {few['/']}"
        assert few[page].cpu_seconds < DEAREST * few["/"].cpu_seconds, told
        assert many[page].cpu_seconds < 2 * MORE * few[page].cpu_seconds, told


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


def test_every_page_is_open_to_all_and_light(filled: Filled, many: dict[str, Cost], browser: Browser) -> None:
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
