"""What a route takes is said by the route: every route that takes a body, at its limit and a byte over it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.types import Message

from api.app import create_app
from api.kit.bodies.declared import Declared, Takes, declared
from api.kit.bodies.json_shape import DEPTH, VALUES, check_shape
from api.kit.bodies.route import HeadFirst
from api.kit.csrf import COOKIE, HEADER, proof
from api.kit.front.cookies import SESSIONS
from docproc.errors import InputError
from docproc.flow.accounts import api_keys, seats, users
from docproc.flow.applications import applications
from docproc.flow.core.access import ROLES
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import migrate_all
from docproc.flow.matters import bundles
from docproc.licence.verify.verify_limited import MAX_BYTES
from docproc.scan.compare import paper_match
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.api.pages.officials import code_now

WORD = "a-word-of-our-own-that-nobody-else-knows-000"
PASSWORD = "样例密码不给任何真人使用"
TUS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("limits"), rate_limit_per_minute=1_000_000, _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    made = create_app(settings)
    with TestClient(made):
        yield made


@pytest.fixture(scope="module")
def everybody(app: FastAPI) -> tuple[dict[str, str], str]:
    """Headers of somebody with every role, every key and every session, and the application at their kiosk."""
    ctx: Context = app.state.context
    keys = {role: api_keys.create_key(ctx, None, "all-1", "office", [role])["key"] for role in ("kiosk",)}
    key = api_keys.create_key(ctx, None, "all-2", "office", [role for role in ROLES if role != "enterprise"])["key"]
    trader = api_keys.create_key(ctx, None, "all-3", "92510116MA6DEVX00X", ["enterprise"])["key"]
    made = users.add_user(
        ctx, None, "all", "all", "office", [role for role in ROLES if role not in ("enterprise", "kiosk")]
    )
    first = users.official(ctx, users.sign_in(ctx, "all", made.password, code_now(made.totp_secret)))
    assert first is not None
    users.change_password(ctx, first.caller, made.password, PASSWORD)
    kiosk = seats.sign_in(ctx, keys["kiosk"], "kiosk")
    here = seats.seat(ctx, kiosk, "kiosk")
    assert here is not None
    number = str(applications.create_application(ctx, here.caller, "sole_trader", "kiosk")["number"])
    seats.hold(ctx, here, number)
    cookies = {
        COOKIE: WORD,
        "dp_kiosk": kiosk,
        "dp_wallet": seats.sign_in(ctx, trader, "wallet"),
        "dp_office": users.sign_in(ctx, "all", PASSWORD, code_now(made.totp_secret, 1)),
    }
    line = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Authorization": f"Bearer {key}", "Cookie": line, "Accept": "application/json"}, number


def every_route(app: FastAPI) -> list[APIRoute]:
    def walk(found: Iterable[Any]) -> Iterator[APIRoute]:
        for route in found:
            if isinstance(route, APIRoute):
                yield route
            elif type(route).__name__ not in ("Route", "Mount"):
                yield from walk(route.original_router.routes)

    return list(walk(app.routes))


def taking(app: FastAPI) -> list[tuple[APIRoute, Declared]]:
    """Routes that take a body."""
    found = [(route, declared(route)) for route in every_route(app)]
    return [(route, says) for route, says in found if says.takes.kind != "nothing"]


def ask(app: FastAPI, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str, bool]:
    """Status, headers and text of the answer to a request whose body breaks off, and whether the body was asked for."""
    path, _, query = path.partition("?")
    sent: list[Message] = []
    asked = False

    async def receive() -> Message:
        nonlocal asked
        asked = True
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": pairs,
        "client": ("127.0.0.1", 1),
        "server": ("testserver", 80),
        "scheme": "http",
        "root_path": "",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "state": {},
    }
    asyncio.run(app(scope, receive, send))
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return int(sent[0]["status"]), told, b"".join(item.get("body", b"") for item in sent[1:]).decode(), asked


def form_proof(path: str, line: str) -> str:
    """That a form is of a page of the session below whose path it is sent."""
    cookies = dict(item.split("=", 1) for item in line.split("; "))
    name = next((name for top, name in SESSIONS.items() if path.startswith(top)), "")
    return proof(WORD, cookies.get(name, ""))


def address(route: APIRoute, number: str) -> str:
    path = (
        route.path.replace("{matter}", "sole_trader").replace("{material}", "application").replace("{number}", number)
    )
    path = path.replace("{index}", "0").replace("{event}", "1")
    return re.sub(r"\{\w+\}", "none", path) + "?reason=none" * path.endswith("catalogue/changes")


def test_every_route_asks_who_before_it_reads(app: FastAPI) -> None:
    routes = every_route(app)
    assert len(routes) > 150 and [route.path for route in routes if not isinstance(route, HeadFirst)] == []


def test_every_route_that_takes_a_body_is_known(app: FastAPI) -> None:
    """A route that documents a body, or has a file in its form, says how much it takes."""
    named = {route.path for route, _ in taking(app)}
    documented = {
        path for path, item in app.openapi()["paths"].items() for way in item.values() if "requestBody" in way
    }
    assert documented - named == set() and len(named) > 60
    large = {route.path for route, says in taking(app) if says.is_large}
    pages = {"/kiosk/case/pages", "/office/counter/{number}/pages", "/office/counter/{number}/papers/check"}
    pages |= {"/verify", "/verify/photo", "/office/matters", "/office/seals", "/office/trust"}
    assert pages < large and "/v1/applications/{number}/papers" in large


def test_a_body_at_its_limit_comes_in_and_a_byte_more_does_not(
    app: FastAPI, everybody: tuple[dict[str, str], str]
) -> None:
    headers, number = everybody
    wrong = []
    for route, says in taking(app):
        if "/sms/receipts/" in route.path:
            continue  # the provider alone; see test_sms
        limit = says.limit(app.state.settings)
        kind = "multipart/form-data; boundary=x" if says.takes.kind == "files" else "application/json"
        kind = "application/x-www-form-urlencoded" if says.takes.kind == "form" else kind
        more = {"Content-Type": kind, **(TUS if says.takes.kind == "stream" or "uploads" in route.path else {})}
        unknown = says.takes.kind == "stream"  # there is no such upload, which is found out before its body is read
        for length, over in ((limit, False), (limit + 1, True)):
            method = next(iter(route.methods))
            told = {**headers, **more, HEADER: form_proof(route.path, headers["Cookie"]), "Content-Length": str(length)}
            status, back, text, asked = ask(app, method, address(route, number), told)
            problem = over and status == 413 and json.loads(text)["code"] == "limit_exceeded"
            if (
                over != problem
                or (over and (asked or back.get("connection") != "close"))
                or not (over or asked or unknown)
            ):
                wrong.append(f"{method} {route.path} {length}: {status} {asked} {text[:200]}")
    assert not wrong, "\n".join(wrong)


def test_what_is_judged_is_what_is_taken(app: FastAPI) -> None:
    """The limit of a route is that of what works on its files, and of nothing else."""
    framing = 2**16
    limits = {route.path: says.limit(app.state.settings) - framing for route, says in taking(app) if says.is_large}
    papers = limits["/v1/applications/{number}/papers"], limits["/office/counter/{number}/papers/check"]
    assert papers == (paper_match.MAX_ALL_BYTES, paper_match.MAX_ALL_BYTES)
    assert limits["/v1/licences/verify"] == limits["/verify"] == MAX_BYTES
    assert limits["/v1/catalogue/check"] == limits["/office/matters"] == bundles.MOST_BYTES


def test_a_body_of_no_announced_length_is_cut_off_too(app: FastAPI) -> None:
    def of(size: int) -> Iterator[bytes]:
        for _ in range(size // 2**16):
            yield bytes(2**16)

    client = TestClient(app)
    assert client.post("/v1/licences/verify", content=of(MAX_BYTES + 2**18)).status_code == 413
    assert client.post("/office/login", content=of(2**18)).status_code == 413


def test_the_limit_of_requests_has_no_parameter(app: FastAPI) -> None:
    """Whoever named what a request costs could ask for nothing, or for less than nothing."""
    refused = TestClient(app).get("/v1/matters?cost=-1000000")
    assert refused.status_code == 422 and refused.json()["code"] == "unknown_parameter"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(b"--x\r\n" + b"A: b\r\n" * 20 + b"\r\n\r\n--x--\r\n", id="headers of a part"),
        pytest.param(b"--x\r\nContent-Disposition: " + b"a" * 5000 + b"\r\n\r\n\r\n--x--\r\n", id="a long header"),
        pytest.param(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 20 + b"--x--\r\n", id="fields"),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n1\r\n' * 3 + b"--x--\r\n", id="files"
        ),
        pytest.param(
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + bytes(2**17) + b"\r\n--x--", id="long"
        ),
        pytest.param(b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end', id="no end"),
        pytest.param(b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n", id="no name"),
        pytest.param(b"nothing of the kind", id="no form"),
    ],
)
def test_a_form_is_bounded_in_all_its_parts(app: FastAPI, form: bytes) -> None:
    head = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = TestClient(app).post("/v1/licences/verify", content=form, headers=head)
    assert answer.status_code in (413, 422), answer.text
    no_boundary = TestClient(app).post(
        "/v1/licences/verify", content=form, headers={"Content-Type": "multipart/form-data"}
    )
    assert no_boundary.status_code == 422


def test_json_is_bounded_in_depth_and_in_values() -> None:
    check_shape(b"[" * DEPTH + b"]" * DEPTH)
    check_shape(json.dumps({"a": ["[" * 1000, '\\"]' * 1000]}).encode())
    for body in (b"[" * (DEPTH + 1), b'{"a":' * (DEPTH + 1), b"[" + b"1," * VALUES + b"1]", b'["' + b"[" * 99):
        if body.startswith(b'["'):
            check_shape(body[:20])  # a text that does not end is no JSON, which its reader says
            continue
        with pytest.raises(InputError):
            check_shape(body)


def test_declarations_of_one_route_are_put_together() -> None:
    """Files go before a form, and the form beside them keeps the number of fields of its own kind."""
    assert Declared(Takes("form"), known=False).limit(Settings(_env_file=None)) == 2**16
    assert Declared(Takes("json"), known=True).limit(Settings(_env_file=None)) == 2**20
