"""Who asked, as a proxy tells it: believed from trusted proxies alone, and only the end that they wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from api.app import create_app
from api.kit.front.address import client_address, limit_key
from api.kit.front.proxies import networks
from docproc.errors import SetupError
from docproc.flow.accounts import users
from docproc.flow.core.context import open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.api.group import Group, group, settings_of
from tests.api.pages.officials import code_now
from tests.flow.people import until
from tests.servers.nginx import Proxy, nginx
from tests.servers.processes import free_port

PROXY, STRANGER = "10.0.0.7", "203.0.113.9"
TRUSTED = "10.0.0.0/24, 2001:db8:ff::/48"


@contextmanager
def service(folder: Path, peer: str, **given: object) -> Iterator[TestClient]:
    """The application, asked from an address."""
    settings = Settings(data_dir=folder, trusted_proxies=TRUSTED, _env_file=None, **given)  # type: ignore[arg-type]
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    app = create_app(settings)

    @app.get("/seen")
    def seen(request: Request) -> dict[str, str]:
        told = ",".join(name for name in request.headers if "forward" in name or name == "x-real-ip")
        return {"address": client_address(request), "scheme": request.url.scheme, "headers": told}

    with TestClient(app, client=(peer, 5), raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    ("headers", "address", "scheme"),
    [
        ([], PROXY, "http"),
        ([("X-Forwarded-For", STRANGER), ("X-Forwarded-Proto", "https")], STRANGER, "https"),
        ([("X-Forwarded-For", f"198.51.100.1, {STRANGER}")], STRANGER, "http"),
        ([("X-Forwarded-For", f"198.51.100.1, {STRANGER}, 10.0.0.9")], STRANGER, "http"),
        ([("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", STRANGER)], STRANGER, "http"),
        ([("X-Forwarded-For", "10.0.0.8, 10.0.0.9")], "10.0.0.8", "http"),
        ([("X-Forwarded-For", f"198.51.100.1, junk, {STRANGER}:4711")], STRANGER, "http"),
        ([("X-Forwarded-For", "198.51.100.1, junk")], PROXY, "http"),
        ([("X-Forwarded-For", "::ffff:203.0.113.9")], STRANGER, "http"),
        ([("X-Forwarded-For", "2001:db8::1")], "2001:db8::1", "http"),
        ([("X-Forwarded-For", "2001:db8::1, 2001:DB8:FF::7")], "2001:db8::1", "http"),
        ([("X-Forwarded-Proto", "https, gopher")], PROXY, "http"),
        ([("Forwarded", f"for={STRANGER};proto=https")], STRANGER, "https"),
        ([("Forwarded", f'for=198.51.100.1, for="{STRANGER}:80"; By=10.0.0.9')], STRANGER, "http"),
        ([("Forwarded", 'for="[2001:db8::1]:4711"')], "2001:db8::1", "http"),
        ([("Forwarded", 'for=198.51.100.1, for="_hidden, for=198.51.100.2"')], PROXY, "http"),
        ([("Forwarded", f"for={STRANGER}"), ("X-Forwarded-For", STRANGER)], STRANGER, "http"),
    ],
)
def test_what_a_trusted_proxy_tells(tmp_path: Path, headers: list[tuple[str, str]], address: str, scheme: str) -> None:
    with service(tmp_path, PROXY) as client:
        told = client.get("/seen", headers=headers).json()
    assert told == {"address": address, "scheme": scheme, "headers": ""}


def test_two_accounts_that_differ_are_refused(tmp_path: Path) -> None:
    with service(tmp_path, PROXY) as client:
        headers = {"Forwarded": "for=198.51.100.1", "X-Forwarded-For": STRANGER}
        answer = client.get("/seen", headers=headers)
    assert answer.status_code == 400 and answer.json()["code"] == "forwarding"


@pytest.mark.parametrize("peer", [STRANGER, "127.0.0.1", "10.0.1.7", "2001:db8::1", "testclient"])
def test_nobody_else_is_believed(tmp_path: Path, peer: str) -> None:
    headers = {
        "X-Forwarded-For": "198.51.100.1",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=198.51.100.1;proto=https",
        "X-Real-IP": "198.51.100.1",
        "X-Forwarded-Host": "evil.example",
    }
    with service(tmp_path, peer) as client:
        assert client.get("/seen", headers=headers).json() == {"address": peer, "scheme": "http", "headers": ""}


def test_an_address_does_not_get_a_fresh_limit_by_writing_another_one_into_a_header(tmp_path: Path) -> None:
    with service(tmp_path, STRANGER, rate_limit_per_minute=3) as client:
        answers = [
            client.get("/v1/matters", headers={"X-Forwarded-For": f"198.51.100.{n}"}).status_code for n in range(5)
        ]
    assert answers == [200, 200, 200, 429, 429]


def test_visitors_behind_one_proxy_have_limits_of_their_own(tmp_path: Path) -> None:
    with service(tmp_path, PROXY, rate_limit_per_minute=3) as client:

        def ask(address: str) -> int:
            return client.get("/v1/matters", headers={"X-Forwarded-For": address}).status_code

        assert [ask("203.0.113.1") for _ in range(4)] == [200, 200, 200, 429]
        assert ask("203.0.113.2") == 200
        assert [ask(f"198.51.100.{n}, 203.0.113.1") for n in range(2)] == [429, 429]
        lines = [ask(f"2001:db8:0:1::{n}") for n in range(4)]
        assert lines == [200, 200, 200, 429], "all addresses of a line count together"
        assert ask("2001:db8:0:2::1") == 200


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_addresses_of_one_line_share_a_limit(address: str, key: str) -> None:
    assert limit_key(address) == key


@pytest.mark.parametrize("wrong", ["0.0.0.0/0", "::/0", "proxy.example", "10.0.0.0/33", "10.0.0.1/8"])
def test_a_setting_that_would_trust_everybody_or_nobody_is_refused(wrong: str) -> None:
    with pytest.raises(SetupError, match="DOCPROC_TRUSTED_PROXIES"):
        networks(f"10.0.0.1, {wrong}")


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Group, Proxy]]:
    """A service whose public address is https, behind nginx as it is shipped."""
    folder, port = tmp_path_factory.mktemp("proxied"), free_port()
    settings = {
        "DOCPROC_PUBLIC_URL": f"https://localhost:{port}",
        "DOCPROC_TRUSTED_PROXIES": "127.0.0.1",
        "DOCPROC_RATE_LIMIT_PER_MINUTE": "40",
        "DOCPROC_ALLOW_DEV_PKI": "true",
        "DOCPROC_LOG_JSON": "true",
    }
    with (
        group(folder / "var", **settings) as service,
        nginx(folder / "nginx", service.base.removeprefix("http://"), port) as proxy,
    ):
        yield service, proxy


def browser(proxy: Proxy, source: str = "127.0.0.1") -> httpx.Client:
    """Somebody at another address of this machine."""
    transport = httpx.HTTPTransport(verify=proxy.tls, local_address=source)
    return httpx.Client(base_url=proxy.base, transport=transport, headers={"Accept": "text/html"}, timeout=30)


def word(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found, path
    return found[1]


def test_nginx_tells_who_asked_and_a_visitor_cannot(proxied: tuple[Group, Proxy]) -> None:
    _, proxy = proxied
    with browser(proxy, "127.0.0.2") as one, browser(proxy, "127.0.0.3") as two:
        answers = []
        for n in range(45):
            told = {"X-Forwarded-For": f"198.51.100.{n}", "Forwarded": f"for=198.51.100.{n}", "X-Real-IP": "192.0.2.1"}
            answers.append(one.get("/v1/matters", headers=told).status_code)
        assert set(answers[:40]) == {200} and answers[-1] == 429, "limited, whatever was written into headers"
        assert two.get("/v1/matters").status_code == 200, "and nobody else is, though all come by one proxy"


def test_every_cookie_is_bound_to_this_host_and_https(proxied: tuple[Group, Proxy]) -> None:
    service, proxy = proxied
    name, password, code = official(service, "reviewer")
    with browser(proxy, "127.0.0.4") as client:
        given: list[str] = []

        def post(path: str, **fields: str) -> httpx.Response:
            answer = client.post(path, data={"csrf": word(client, path.replace("/device", "")), **fields})
            given.extend(answer.headers.get_list("set-cookie"))
            return answer

        given += client.get("/office/login").headers.get_list("set-cookie")
        assert client.get("/healthz").headers["strict-transport-security"].startswith("max-age=")
        signed_in = post("/office/login", name=name, password=password, code=code)
        assert signed_in.status_code == 303 and signed_in.headers["location"] == "/office"
        assert client.get("/office/password").status_code == 200
        assert post("/kiosk/device", key=service.new_key("kiosk-tls", "kiosk")).status_code == 303
        csrf = word(client, "/verify")
        given += client.post("/language", data={"csrf": csrf, "to": "en"}).headers.get_list("set-cookie")
        given += client.post("/office/logout", data={"csrf": word(client, "/office/password")}).headers.get_list(
            "set-cookie"
        )
        names = {line.partition("=")[0] for line in given}
        assert names == {"__Host-dp_csrf", "__Host-dp_office", "__Host-dp_kiosk", "__Host-lang"}
        for line in given:
            parts = {part.strip().lower() for part in line.split(";")[1:]}
            assert {"secure", "httponly", "path=/", "samesite=strict"} <= parts, line
            assert not any(part.startswith("domain") for part in parts)


def test_a_cookie_that_another_host_planted_is_no_session(proxied: tuple[Group, Proxy]) -> None:
    service, proxy = proxied
    with browser(proxy, "127.0.0.5") as client:
        client.post("/kiosk/device", data={"csrf": word(client, "/kiosk"), "key": service.new_key("kiosk-p", "kiosk")})
        token = client.cookies["__Host-dp_kiosk"]
    with browser(proxy, "127.0.0.5") as client:
        client.cookies.set("dp_kiosk", token)  # what a neighbour under the same domain can set
        assert 'name="key"' in client.get("/kiosk").text
    with browser(proxy, "127.0.0.5") as client:
        client.cookies.set("__Host-dp_kiosk", token)
        assert 'name="key"' not in client.get("/kiosk").text


def test_plain_http_leads_to_https(proxied: tuple[Group, Proxy]) -> None:
    _, proxy = proxied
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain_port}/verify", headers={"Host": "localhost"})
    assert answer.status_code == 308 and answer.headers["location"] == "https://localhost/verify"


def test_the_proxy_keeps_no_address_that_opens_a_case(proxied: tuple[Group, Proxy]) -> None:
    _, proxy = proxied
    with browser(proxy, "127.0.0.6") as client:
        for path in (
            "/p/codeOfACase0000000000",
            "/s/codeOfACase0000000000",
            "/v1/sms/receipts/codeOfACase",
            "/x/codeOf",
        ):
            client.get(path, params={"name": "codeOfACase"})
    told = until(lambda: (text := proxy.log.read_text()) and text.count("127.0.0.6") >= 4 and text)
    assert "codeOf" not in str(told) and " GET /p 404 " in str(told)


def official(service: Group, role: str) -> tuple[str, str, str]:
    """Name, password and present code of a new official."""
    ctx = open_context(settings_of(service.env))
    made = users.add_user(ctx, None, f"{role}.tls", "样例", "office", [role])
    ctx.close()
    return made.name, made.password, code_now(made.totp_secret)
