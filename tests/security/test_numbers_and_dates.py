"""Numbers, moments and texts at their ends, in every place of every route: an answer, and never an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from api.app import create_app
from api.kit.csrf import COOKIE, HEADER, proof
from api.kit.front.cookies import SESSIONS
from docproc.flow.accounts import api_keys, seats, users
from docproc.flow.applications import applications
from docproc.flow.core.access import ROLES
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import migrate_all
from docproc.process_keys import ensure_key
from docproc.secret_keys import ensure_ring
from docproc.settings import Settings
from docproc.store.db import create_database, drop_database, open_database
from tests.api.pages.officials import code_now

WORD = "a-word-of-our-own-that-nobody-else-knows-000"
JSON = {"Content-Type": "application/json"}
NUMBERS = (
    "100000000000000000000000",
    "9223372036854775808",
    "-9223372036854775809",
    "2147483648",
    "-1",
    "1e400",
    "NaN",
)
MOMENTS = (
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00+23:59",
    "10000-01-01T00:00:00Z",
    "99999999999999999999",
    "-1e300",
)
DATES = ("0001-01-01", "9999-12-31", "10000-01-01", "2026-02-30", "-1", "1e300")
TEXTS = ("\0", "a\0b", "\U0001f600" * 7, "%", "_", "\\", "\u202e", "x" * 30_000)
HALVES = ("\ud800", "a\udfffb", {"\0": 1}, ["\0"], {"deep": {"\udc00": 0}})
STRANGE = (10**23, 2**63, -(2**63) - 1, 2**31, -1, 1e300)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def app(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    folder, url = tmp_path_factory.mktemp("numbers"), ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_url")
        url = create_database(server, "numbers")
    settings = Settings(data_dir=folder, database_url=url, rate_limit_per_minute=10_000_000, _env_file=None)
    ensure_key(settings.keys_folder, "web")
    ensure_ring(settings.keys_folder, "accounts")
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    yield create_app(settings)
    if url:
        drop_database(server, "numbers")


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    """Somebody who may do everything, with a session of each kind and an application of theirs."""
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as found:
        ctx: Context = app.state.context
        key = str(api_keys.create_key(ctx, None, "all-1", "office", ROLES)["key"])
        made = users.add_user(ctx, None, "all-2", "样例", "office", set(ROLES) - {"kiosk", "enterprise"})
        here = users.official(ctx, users.sign_in(ctx, made.name, made.password, code_now(made.totp_secret)))
        assert here is not None
        password = "样例密码不给任何真人使用"
        users.change_password(ctx, here.caller, made.password, password)
        tokens = {
            "/office": users.sign_in(ctx, made.name, password, code_now(made.totp_secret, 1)),
            "/kiosk": seats.sign_in(ctx, key, "kiosk"),
            "/wallet": seats.sign_in(ctx, key, "wallet"),
        }
        for top, token in tokens.items():
            found.cookies.set(SESSIONS[top], token)
        found.cookies.set(COOKIE, WORD)
        caller = api_keys.authenticate(ctx, key)
        assert caller is not None
        number = applications.create_application(ctx, caller, "sole_trader", "kiosk")["number"]
        seat = seats.seat(ctx, tokens["/kiosk"], "kiosk")
        assert seat is not None
        seats.hold(ctx, seat, number)
        found.headers.update({"Authorization": f"Bearer {key}", "Accept": "text/html"})
        found.headers["X-Number"] = number
        yield found


def walk(found: Any) -> Iterator[APIRoute]:
    for route in found:
        if isinstance(route, APIRoute):
            yield route
        elif type(route).__name__ not in ("Route", "Mount"):
            yield from walk(route.original_router.routes)


def dependants(one: Dependant) -> Iterator[Dependant]:
    yield one
    for inner in one.dependencies:
        yield from dependants(inner)


def awkward(kind: object) -> tuple[str, ...]:
    """Values at the ends of what a parameter is, as they stand in an address or a form."""
    text = str(kind)
    if "datetime" in text:
        return MOMENTS
    if "date" in text:
        return DATES
    return NUMBERS if "int" in text or "float" in text else TEXTS


def headers_of(client: TestClient, path: str) -> dict[str, str]:
    top = "/" + path.split("/")[1]
    session = client.cookies.get(SESSIONS[top], "") if top in SESSIONS else ""
    return {HEADER: proof(WORD, session or "")}


def test_every_parameter_of_every_route_at_its_ends(app: FastAPI, client: TestClient) -> None:
    """In the path, the query and the fields of forms; the others are as a program would send them."""
    failed, tried = [], 0
    for route in walk(app.routes):
        if route.path.endswith(("/logout", "/device/end", "/sign-out", "/leave")):
            continue  # they end the session that the others need
        method = sorted(route.methods)[0]
        named = {"path": [], "query": [], "body": []}  # type: dict[str, list[Any]]
        for part in dependants(route.dependant):
            for place, items in named.items():
                items += getattr(part, f"{place}_params")
        plain = {item.alias: client.headers["X-Number"] if item.alias == "number" else "0" for item in named["path"]}
        form = {} if route.path.startswith("/v1") else {item.alias: "1" for item in named["body"]}
        for place, items in named.items():
            for item in items if place != "body" or form else ():
                for value in awkward(item.field_info.annotation):
                    if place == "path" and len(value) > 1000:
                        continue
                    path = route.path_format.format(
                        **{**plain, **({item.alias: quoted(value)} if place == "path" else {})}
                    )
                    query = {item.alias: value} if place == "query" else {}
                    sent = {**form, item.alias: value} if place == "body" else form
                    answer = client.request(
                        method, path, params=query, data=sent or None, headers=headers_of(client, path)
                    )
                    tried += 1
                    if answer.status_code >= 500:
                        failed.append(f"{method} {route.path} {place} {item.alias}={value[:30]!r}: {answer.text[:80]}")
    assert not failed, "\n".join(failed)
    assert tried > 1500


def quoted(value: str) -> str:
    return "".join(f"%{byte:02X}" for byte in value.encode())


def test_every_part_of_every_body_at_its_ends(app: FastAPI, client: TestClient) -> None:
    """By the OpenAPI document: each property of a JSON body with what does not fit, and with what fits nowhere."""
    document = app.openapi()
    schemas = document["components"]["schemas"]
    failed, tried = [], 0
    for path, routes in document["paths"].items():
        for method, route in routes.items():
            content = route.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            whole = example(content["schema"], schemas)
            for body in broken(whole):
                place = path.replace("{number}", client.headers["X-Number"]).replace("{", "").replace("}", "")
                answer = client.request(
                    method, place, content=dumped(body), headers={"Content-Type": "application/json"}
                )
                tried += 1
                if answer.status_code >= 500:
                    failed.append(f"{method} {path} {str(body)[:80]!r}: {answer.text[:80]}")
    assert not failed, "\n".join(failed)
    assert tried > 500


def test_every_whole_number_has_both_its_ends_in_the_document(app: FastAPI) -> None:
    document, without = app.openapi(), []
    for path, routes in document["paths"].items():
        for method, route in routes.items():
            for item in route.get("parameters", []):
                for schema in (item["schema"], *item["schema"].get("anyOf", ())):
                    if schema.get("type") in ("integer", "number") and not (
                        {"maximum", "exclusiveMaximum"} & set(schema) and {"minimum", "exclusiveMinimum"} & set(schema)
                    ):
                        without.append(f"{method} {path} {item['name']}")
                    if schema.get("type") == "integer":
                        assert schema.get("maximum", 0) < 2**63, (path, item["name"])
    assert not without


def test_what_limits_requests_is_no_parameter_of_theirs(app: FastAPI) -> None:
    named = {
        item.alias for route in walk(app.routes) for part in dependants(route.dependant) for item in part.query_params
    }
    assert "cost" not in named and "after" in named


def test_a_visitor_does_not_set_the_price_of_a_request(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, rate_limit_per_minute=3, _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings)) as small:
        answers = [small.get("/verify", params={"cost": price}).status_code for price in ("0", "-100", "nan", "0", "0")]
    assert answers == [200, 200, 200, 429, 429]


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """Something that a schema takes."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for key in ("const", "default"):
        if schema.get(key) is not None:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return example(schema[key][0], schemas)
    kind = schema.get("type")
    if kind == "object":
        return {name: example(item, schemas) for name, item in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema.get("items", {}), schemas)]
    if kind == "integer":
        return max(1, schema.get("minimum", 1))
    if schema.get("format") == "date-time":
        return "2026-01-01T00:00:00+08:00"
    if schema.get("format") == "date":
        return "2026-01-01"
    if "pattern" in schema:
        return "0" * 64
    return {"number": 1.0, "boolean": True}.get(str(kind), "样例")


def broken(whole: Any) -> Iterator[Any]:
    """The body with each of its parts replaced, one at a time."""
    values: tuple[Any, ...] = (*STRANGE, *TEXTS, *HALVES, *MOMENTS, *DATES, None, [], {}, float("nan"), float("inf"))
    yield from values
    if isinstance(whole, dict):
        for name, item in whole.items():
            for other in values:
                yield {**whole, name: other}
            if isinstance(item, (dict, list)):
                for inner in broken(item):
                    yield {**whole, name: inner}
    elif isinstance(whole, list) and whole:
        for inner in broken(whole[0]):
            yield [inner]


def dumped(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()
