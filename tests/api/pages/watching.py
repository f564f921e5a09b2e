"""A browser page that remembers everything that went wrong in it, and looks for what keeps people out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request, Response

AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
KIOSK = {"width": 1080, "height": 1920}
PHONE = {"width": 390, "height": 844}
PICTURES = os.environ.get("DOCPROC_TEST_PICTURES")
"""A folder for screenshots: those of the guides are made by tests."""


@dataclass
class Watched:
    """A page and what went wrong in it."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)
    """Answered since the last :meth:`open`."""

    @property
    def bytes_by_url(self) -> dict[str, int]:
        return {request.url: request.sizes()["responseBodySize"] for request in self.finished}

    def open(self, path: str) -> None:
        self.finished.clear()
        self.page.goto(self.base + path)
        self.page.wait_for_load_state("networkidle")

    def check_open_to_all(self) -> None:
        """No finding of axe that is serious or critical, by the rules of WCAG 2.2 AA."""
        self.page.evaluate(_axe())
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = self.page.evaluate("tags => axe.run(document, {runOnly: tags})", tags)
        bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
        assert not bad, [(v["id"], [n["html"] for n in v["nodes"]][:3]) for v in bad]

    def tab_to(self, selector: str, most: int = 40) -> None:
        """Walk to something with the Tab key, and see that the focus shows."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("selector => document.activeElement.matches(selector)", selector):
                assert self.page.evaluate("document.activeElement.matches(':focus-visible')")
                return
        raise AssertionError(f"the Tab key does not lead to {selector}")

    def sign_kiosk_in(self, key: str) -> None:
        self.open("/kiosk")
        self.page.fill("#key", key)
        self.page.click("main button")
        self.page.wait_for_url("**/kiosk")

    def forgive(self, kind: str) -> None:
        """Forget what went wrong in a way that the test brought about; it must have gone wrong."""
        kept = [line for line in self.wrong if not re.search(kind, line)]
        assert len(kept) < len(self.wrong), kind
        self.wrong = kept

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # a download, or a picture of a page that was left
            self.wrong.append(f"request failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self.wrong.append(f"{response.status}: {response.url}")

    def _finished(self, request: Request) -> None:
        self.finished.append(request)  # asking for its size here would still be under way when the test goes on


@contextmanager
def watched(browser: Browser, base: str, size: dict[str, int] = PHONE) -> Iterator[Watched]:
    """A page in a browser of its own; at the end nothing may have gone wrong in it."""
    context = browser.new_context(viewport=size, locale="zh-CN", accept_downloads=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(60_000)
    seen = Watched(page, base)
    page.on("console", seen._console)
    page.on("pageerror", lambda error: seen.wrong.append(f"script: {error}"))
    page.on("requestfailed", seen._failed)
    page.on("response", seen._answered)
    page.on("requestfinished", seen._finished)
    try:
        yield seen
        assert not seen.wrong, seen.wrong
    finally:
        context.close()


@cache
def _axe() -> str:
    return AXE.read_text(encoding="utf-8")


def shot(seen: Watched, name: str) -> None:
    """Keep a screenshot, where a folder for them is given."""
    if PICTURES:
        seen.page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=False)
