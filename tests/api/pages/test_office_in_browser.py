"""Officials' pages in Chromium: a joint approval by two departments, one of whose officials signs in elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.api.group import Group, group, upload_all, view
from tests.api.pages.officials import person, sign_in_browser
from tests.api.pages.watching import Watched, watched
from tests.flow.people import insurance_papers, until
from tests.servers.oidc import CLIENT, SECRET, oidc_provider

DESK = {"width": 1440, "height": 900}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """The service at ``localhost``, for browsers a site other than the provider's."""
    folder = tmp_path_factory.mktemp("officials")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = f"http://localhost:{port}"
    with oidc_provider(folder, here) as issuer:
        settings = {
            "DOCPROC_PORT": str(port),
            "DOCPROC_PUBLIC_URL": here,
            "DOCPROC_RATE_LIMIT_PER_MINUTE": "5000",
            "DOCPROC_PARSE_SECONDS_PER_MINUTE": "5000",
            "DOCPROC_OIDC_ISSUER": issuer,
            "DOCPROC_OIDC_CLIENT_ID": CLIENT,
            "DOCPROC_OIDC_CLIENT_SECRET": SECRET,
            "DOCPROC_OIDC_ROLES": "社保/审批=approver@social_insurance_agency",
        }
        with group(folder / "var", "tests.api.pages.drawn_stages", **settings) as running:
            yield running


def sign_in_elsewhere(seen: Watched, user: str) -> None:
    """By the provider's page, and back."""
    seen.open("/office/login")
    seen.page.click("a[href='/office/oidc']")
    seen.page.fill("[name=user]", user)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_url("**/office/queue")


def test_two_departments_approve_together(drawn: Group, browser: Browser, tmp_path: Path) -> None:
    with drawn.client(drawn.new_key("kiosk-1", "kiosk", org="hall")) as kiosk:
        number = str(kiosk.post("/v1/applications", json={"matter": "social_insurance"}).json()["number"])
        upload_all(kiosk, number, insurance_papers())
        until(lambda: view(kiosk, number)["checked"], 120)
        assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
    departments = {"zhao": "tax_office", "feng": "social_insurance_agency"}
    for name, org in departments.items():
        with watched(browser, drawn.base.replace("127.0.0.1", "localhost"), DESK) as seen:
            if name == "feng":
                sign_in_elsewhere(seen, "feng:社保/审批")
            else:
                sign_in_browser(seen, person(drawn, name, "approver", org=org))
            seen.page.click("text=开始办理最紧急的一件")
            seen.page.wait_for_selector("#approve", state="attached")
            assert seen.page.locator(".opinions li").count() == 2
            seen.check_open_to_all()
            seen.page.screenshot(path=tmp_path / f"joint-{name}.png")
            seen.page.keyboard.press("g")
            seen.page.wait_for_selector("#approve[open]")
            seen.check_open_to_all()
            seen.page.keyboard.press("Control+Enter")
            seen.page.wait_for_url("**/office/queue**")
    with drawn.client(drawn.new_key("clerk-1", "clerk", org="hall")) as clerk:
        assert view(clerk, number)["status"] == "approved"
