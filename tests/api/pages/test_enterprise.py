"""An enterprise: its wallet, what it shares, and events posted to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from playwright.sync_api import Browser, expect

from docproc.errors import InputError
from docproc.flow.messages.webhook_post import genuine, public_address, signature
from tests.api.group import Group, checked, decision, group, open_application, upload_all, view
from tests.api.pages.watching import KIOSK, shot, watched
from tests.flow.people import until
from tests.servers.processes import free_port

PORT = free_port()
"""Of receivers."""


class Receiver:
    """A small real receiver of events, that can be told to fail."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.answer = 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.headers["Docproc-Signature"], body))
                self.send_response(outer.answer)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        self.url = f"http://127.0.0.1:{PORT}/events"


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        thread.join()
        made.server.server_close()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    settings = {
        "DOCPROC_RATE_LIMIT_PER_MINUTE": "5000",
        "DOCPROC_PARSE_SECONDS_PER_MINUTE": "5000",
        "DOCPROC_WEBHOOK_PRIVATE": "true",
        "DOCPROC_WEBHOOK_PORTS": str(PORT),
    }
    with group(tmp_path_factory.mktemp("firms") / "var", **settings) as running:
        yield running


@pytest.fixture(scope="module")
def licence(office: Group) -> str:
    return issue(office, "1")


def issue(office: Group, mark: str) -> str:
    """A licence from papers to seal; its number is the holder's new credit code."""
    kiosk, reviewer, sealer = (
        office.client(office.new_key(f"{role}-{mark}", role)) for role in ("kiosk", "reviewer", "sealer")
    )
    with kiosk, reviewer, sealer:
        number = open_application(kiosk)
        upload_all(kiosk, number)
        assert checked(kiosk, number)["verdict"] == "pass"
        assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
        path = f"/v1/applications/{number}"
        approved = reviewer.post(f"{path}/decisions", json=decision(view(reviewer, number))).json()
        assert sealer.post(f"{path}/release", json={"version": approved["version"]}).status_code == 200
        return str(until(lambda: view(kiosk, number)["licence"]))


def firm(office: Group, code: str, subject: str = "firm") -> httpx.Client:
    return office.client(office.new_key(f"{subject}-{code[-4:]}", "enterprise", org=code))


def test_an_enterprise_sees_its_own_licences_and_no_other(office: Group, licence: str) -> None:
    with firm(office, licence) as mine, firm(office, "91510116MA6DEVX00X") as other:
        assert [item["number"] for item in mine.get("/v1/wallet").json()] == [licence]
        assert mine.get(f"/v1/wallet/{licence}").json()["holder"] == "双流区样例小吃店"
        assert mine.get(f"/v1/wallet/{licence}/file").content.startswith(b"%PDF-")
        assert other.get("/v1/wallet").json() == []
        assert other.get(f"/v1/wallet/{licence}").status_code == 404
        assert other.get(f"/v1/wallet/{licence}/file").status_code == 404
        shared = {"purpose": "银行开户", "days": 7}
        assert other.post(f"/v1/wallet/{licence}/shares", json=shared).status_code == 404
        made = mine.post(f"/v1/wallet/{licence}/shares", json=shared)
        assert made.status_code == 201
        assert other.delete(f"/v1/shares/{made.json()['code']}").status_code == 404
        assert mine.get("/v1/applications").status_code == 403
    with office.client() as nobody:
        assert nobody.get("/v1/wallet").status_code == 401


def test_a_share_lasts_its_time_counts_looks_and_ends_when_taken_back(
    office: Group, licence: str, browser: Browser
) -> None:
    key = office.new_key("firm-browser", "enterprise", org=licence)
    with watched(browser, office.base, KIOSK) as holder:
        holder.open("/wallet")
        holder.check_open_to_all()
        holder.page.fill("#key", key)
        holder.page.click("main button")
        holder.check_open_to_all()
        shot(holder, "wallet-list")
        holder.page.click(f"a[href='/wallet/licences/{licence}']")
        holder.page.fill("input[name=purpose]", "向银行申请开户")
        holder.page.click("text=生成授权链接")
        address = holder.page.locator(".shares input").first.input_value()
        path = address[address.index("/s/") :]
        holder.check_open_to_all()
        with watched(browser, office.base) as bank:
            bank.open(path)
            expect(bank.page.locator("main")).to_contain_text("向银行申请开户")
            expect(bank.page.locator("main")).to_contain_text(licence)
            bank.check_open_to_all()
        holder.page.reload()
        expect(holder.page.locator(".shares li").first).to_contain_text("已查看 1 次")
        shot(holder, "wallet-licence")
        holder.page.locator(".shares button").first.click()
        expect(holder.page.locator(".shares li").first).to_contain_text("已撤回")
    with httpx.Client(base_url=office.base, headers={"Accept": "text/html"}) as bank_again:
        answer = bank_again.get(path)
        assert answer.status_code == 404 and "已被撤回" in answer.text and licence not in answer.text
        assert bank_again.get(path + "/file").status_code == 404


def test_events_of_a_licence_are_posted_signed_retried_and_logged(
    office: Group, licence: str, browser: Browser
) -> None:
    with receiver() as target, firm(office, licence, "firm-hook") as mine:
        made = mine.post("/v1/webhooks", json={"url": target.url}).json()
        target.answer = 500
        with office.client(office.new_key("approver-hook", "approver")) as approver:
            change = {"action": "suspend", "reason": "抽查不合格", "basis": "《中华人民共和国食品安全法》"}
            assert approver.post(f"/v1/licences/{licence}/status", json=change).status_code == 200
        until(lambda: target.got)
        target.answer = 204
        log = until(
            lambda: (d := mine.get(f"/v1/webhooks/{made['id']}/deliveries").json()) and d[0]["delivered"] and d, 60
        )
        assert [(line["attempt"], line["status"]) for line in reversed(log)] == [(1, 500), (2, 204)]
        first, again = target.got
        nonces = {genuine(made["secret"], header, body, datetime.now(UTC)) for header, body in (first, again)}
        assert len(nonces) == 2 and None not in nonces
        event = json.loads(again[1])
        assert event["topic"] == "licence.suspended" and event["subject"] == licence
        assert "secret" not in mine.get("/v1/webhooks").json()[0]
        with watched(browser, office.base) as page:
            page.open("/wallet")
            page.page.fill("#key", office.new_key("firm-look", "enterprise", org=licence))
            page.page.click("main button")
            page.open("/wallet/webhooks")
            expect(page.page.locator("table")).to_contain_text("204")
            page.check_open_to_all()
        assert mine.delete(f"/v1/webhooks/{made['id']}").status_code == 204
        assert mine.get(f"/v1/webhooks/{made['id']}/deliveries").status_code == 404


def test_a_forged_old_or_changed_delivery_is_told(office: Group) -> None:
    now = datetime.now(UTC)
    header = signature("secret", b"{}", now, "ab" * 16)
    assert genuine("secret", header, b"{}", now) == "ab" * 16
    assert genuine("other", header, b"{}", now) is None
    assert genuine("secret", header, b"{ }", now) is None
    assert genuine("secret", header, b"{}", now + timedelta(seconds=301)) is None
    assert genuine("secret", header.replace("n=ab", "n=cd"), b"{}", now) is None
    assert genuine("secret", "nonsense", b"{}", now) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.216.34/",
        "https://127.0.0.1/",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "https://user:word@93.184.216.34/",
        "https://no-such-host.invalid/",
    ],
)
def test_an_enterprise_cannot_have_the_service_call_its_own_network(url: str) -> None:
    with pytest.raises(InputError):
        public_address(url)


def test_a_public_address_is_taken() -> None:
    assert public_address("https://93.184.216.34/hook") == "93.184.216.34"
