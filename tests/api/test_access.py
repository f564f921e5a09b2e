"""The table of who may call what (``access.toml``) against every route of the application and every role, and none."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import create_app
from api.kit.csrf import COOKIE, HEADER, proof
from docproc.flow.accounts import api_keys, seats, users
from docproc.flow.applications import applications
from docproc.flow.core.access import ROLES
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.api.pages.officials import code_now

TABLE = tomllib.loads(Path(__file__).with_name("access.toml").read_text(encoding="utf-8"))
WORD = "a-word-of-our-own-that-nobody-else-knows-000"
NOBODY = "nobody"
ENDS = {"kiosk": "kiosk", "enterprise": "wallet"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    settings = Settings(data_dir=tmp_path_factory.mktemp("access"), rate_limit_per_minute=1_000_000, _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    return create_app(settings)


@pytest.fixture(scope="module")
def people(app: FastAPI) -> Iterator[dict[str, TestClient]]:
    """A client for each role with its key and, by its kind, the session of a kiosk, an enterprise or an official."""
    with TestClient(app) as opener:
        ctx: Context = app.state.context
        found = {role: _client(app, ctx, role) for role in ROLES}
        found[NOBODY] = TestClient(app, follow_redirects=False)
        for client in found.values():
            _with_forms(client)
        yield found
        del opener


def _with_forms(client: TestClient) -> None:
    """Let a client send forms as if from a page of its session."""
    session = next(iter(client.cookies.values()), "")
    client.cookies.set(COOKIE, WORD)
    client.headers.update({HEADER: proof(WORD, session), "Accept": "application/json"})


def _client(app: FastAPI, ctx: Context, role: str, org: str = "office", mark: str = "") -> TestClient:
    client = TestClient(app, follow_redirects=False)
    if role == "enterprise":
        org = "91510116MA6DEVX00X" if mark else "92510116MA6DEVX00X"
    key = api_keys.create_key(ctx, None, f"{role}-1{mark}", org, [role])["key"]
    client.headers["Authorization"] = f"Bearer {key}"
    if role in ENDS:
        kind = ENDS[role]
        client.cookies.set(f"dp_{kind}", seats.sign_in(ctx, key, kind))  # type: ignore[arg-type]
    else:
        name = role + mark
        made = users.add_user(ctx, None, name, name, org, [role])
        here = users.official(ctx, users.sign_in(ctx, name, made.password, code_now(made.totp_secret)))
        assert here is not None
        users.change_password(ctx, here.caller, made.password, "样例密码不给任何真人使用")
        client.cookies.set(
            "dp_office", users.sign_in(ctx, name, "样例密码不给任何真人使用", code_now(made.totp_secret, 1))
        )
    return client


def routes(app: FastAPI) -> set[str]:
    def walk(found: Iterable[Any]) -> Iterator[APIRoute]:
        for route in found:
            if isinstance(route, APIRoute):
                yield route
            elif type(route).__name__ not in ("Route", "Mount"):
                yield from walk(route.original_router.routes)

    return {f"{method} {route.path}" for route in walk(app.routes) for method in route.methods}


def test_the_table_names_every_route_once(app: FastAPI) -> None:
    named = [*TABLE["open"]["all"], *(row["call"] for row in TABLE["route"])]
    assert sorted(named) == sorted(routes(app))


def test_every_route_opens_to_its_roles_and_to_nobody_else(app: FastAPI, people: dict[str, TestClient]) -> None:
    ctx: Context = app.state.context
    kiosk = api_keys.authenticate(ctx, people["kiosk"].headers["Authorization"].removeprefix("Bearer "))
    assert kiosk is not None
    number = str(applications.create_application(ctx, kiosk, "sole_trader", "kiosk")["number"])
    wrong = []
    for row in sorted(TABLE["route"], key=lambda row: bool(row.get("last"))):
        for who, client in people.items():
            status = _call(client, row, number)
            if status >= 500 or (status in (401, 403)) == (who in row["roles"]):
                wrong.append(f"{row['call']} {who}: {status}")
    assert not wrong, "\n".join(wrong)


def test_what_belongs_to_another_office_is_as_if_it_were_not_there(app: FastAPI, people: dict[str, TestClient]) -> None:
    """Every route with an application's number, by every role that it opens to, but of another office."""
    ctx: Context = app.state.context
    kiosk = api_keys.authenticate(ctx, people["kiosk"].headers["Authorization"].removeprefix("Bearer "))
    assert kiosk is not None
    number = str(applications.create_application(ctx, kiosk, "sole_trader", "kiosk")["number"])
    strangers = {role: _client(app, ctx, role, "elsewhere", "-far") for role in ROLES if role != "auditor"}
    for client in strangers.values():
        _with_forms(client)
    rows = [row for row in TABLE["route"] if "{number}" in row["call"]]
    assert len(rows) > 30
    leaks = []
    for row in rows:
        for who in row["roles"]:
            if who != "auditor":
                status = _call(strangers[who], row, number)
                if status not in (403, 404) and status != _call(strangers[who], row, "510116-ST-20200101-999999"):
                    leaks.append(f"{row['call']} {who}: {status}")
    assert not leaks, "\n".join(leaks)
    assert number in people["reviewer"].get(f"/v1/applications/{number}").text, "it is there for its own office"


def test_open_routes_ask_nobody_who_they_are(app: FastAPI, people: dict[str, TestClient]) -> None:
    for call in TABLE["open"]["all"]:
        if call.startswith("POST") and call.endswith(("/device", "/sign-in", "/login")):
            continue  # entrances: refusing wrong secrets is what they are for
        status = _call(people[NOBODY], {"call": call}, "510116-ST-20260101-000001")
        assert status not in (401, 403, 500), (call, status)


def _call(client: TestClient, row: dict[str, Any], number: str) -> int:
    method, path = row["call"].split()
    path = path.replace("{matter}", "sole_trader").replace("{material}", "application").replace("{number}", number)
    path = path.replace("{index}", "0").replace("{event}", "1")
    path = re.sub(r"\{\w+\}", "none", path)
    send: dict[str, Any] = {}
    if "json" in row:
        send["json"] = json.loads(row["json"])
    elif "form" in row:
        key = client.headers.get("Authorization", "").removeprefix("Bearer ")
        send["data"] = json.loads(row["form"].replace("{key}", key))
    elif "body" in row:
        send["content"] = row["body"].encode()
    return client.request(method, path + (f"?{row['query']}" if "query" in row else ""), **send).status_code
