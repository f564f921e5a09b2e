"""Forms that are not of our pages: from another site, another session, or a planted cookie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from api.kit.csrf import COOKIE, proof
from tests.api.group import Group
from tests.api.pages.test_page_rules import word


@contextmanager
def kiosk(server: Group, name: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base, headers={"Accept": "text/html"}, timeout=30) as client:
        key = server.new_key(name, "kiosk")
        assert client.post("/kiosk/device", data={"csrf": word(client, "/kiosk"), "key": key}).status_code == 303
        yield client


def test_a_form_of_one_session_is_no_form_of_another(server: Group) -> None:
    with kiosk(server, "form-one") as one, kiosk(server, "form-two") as two:
        foreign = {COOKIE: one.cookies[COOKIE], "csrf": word(one, "/kiosk/matters/sole_trader")}
        two.cookies.delete(COOKIE)
        two.cookies.set(COOKIE, foreign[COOKIE], "127.0.0.1")
        sent = {"matter": "sole_trader", "csrf": foreign["csrf"]}
        assert two.post("/kiosk/open", data=sent).status_code == 403
        sent["csrf"] = word(two, "/kiosk/matters/sole_trader")
        assert two.post("/kiosk/open", data=sent).status_code == 303


def test_who_plants_the_cookie_cannot_make_the_form_of_a_session(server: Group) -> None:
    with kiosk(server, "form-planted") as client:
        client.cookies.delete(COOKIE)
        client.cookies.set(COOKIE, "planted", "127.0.0.1")
        for sent in ("planted", proof("planted", ""), proof("planted", "another session")):
            assert client.post("/kiosk/open", data={"matter": "sole_trader", "csrf": sent}).status_code == 403


def test_a_form_of_before_signing_in_is_none_of_after(server: Group) -> None:
    with httpx.Client(base_url=server.base, headers={"Accept": "text/html"}, timeout=30) as client:
        before = word(client, "/kiosk")
        key = server.new_key("form-before", "kiosk")
        assert client.post("/kiosk/device", data={"csrf": before, "key": key}).status_code == 303
        assert client.post("/kiosk/open", data={"csrf": before, "matter": "sole_trader"}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_nobody_is_signed_in_by_a_form_of_another_site(server: Group, site: str) -> None:
    with httpx.Client(base_url=server.base, headers={"Accept": "text/html"}, timeout=30) as client:
        sent = {"csrf": word(client, "/kiosk"), "key": server.new_key(f"form-{site}", "kiosk")}
        refused = client.post("/kiosk/device", data=sent, headers={"Sec-Fetch-Site": site})
        assert refused.status_code == 403 and "dp_kiosk" not in client.cookies
        taken = client.post("/kiosk/device", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
        assert taken.status_code == 303


def test_every_form_of_the_pages_carries_the_proof() -> None:
    for path in sorted(Path("api/templates").rglob("*.html")):
        text = path.read_text()
        assert text.count('method="post"') <= text.count("csrf_field()"), path
