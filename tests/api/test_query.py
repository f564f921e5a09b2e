"""A query parameter that a route does not name is refused under ``/v1`` and ignored by pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api.app import create_app
from api.kit import problems
from api.kit.deps import KnownQuery
from docproc.flow.jobs.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    settings = Settings(data_dir=tmp_path_factory.mktemp("query"), rate_limit_per_minute=1_000_000, _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    return create_app(settings)


@pytest.fixture(scope="module")
def nobody(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, follow_redirects=False) as client:
        yield client


def calls(app: FastAPI) -> Iterator[tuple[str, str]]:
    def walk(found: Iterable[Any]) -> Iterator[APIRoute]:
        for route in found:
            if isinstance(route, APIRoute):
                yield route
            elif type(route).__name__ not in ("Route", "Mount"):
                yield from walk(route.original_router.routes)

    return ((method, route.path) for route in walk(app.routes) for method in sorted(route.methods))


def some(path: str) -> str:
    """An address of the route: numbers where it counts, words elsewhere."""
    return re.sub(r"\{(\w+)\}", lambda found: "1" if found[1] in ("index", "event") else "none", path)


def test_every_route_under_v1_refuses_a_parameter_that_it_does_not_name(app: FastAPI, nobody: TestClient) -> None:
    seen, wrong = 0, []
    for method, path in calls(app):
        if not path.startswith("/v1"):
            continue
        seen += 1
        answer = nobody.request(method, f"{some(path)}?q=x&of_nobody=1")
        body = answer.json() if method != "HEAD" and answer.headers["content-type"] == problems.MEDIA_TYPE else {}
        if answer.status_code != 422 or (method != "HEAD" and body.get("code") != "unknown_parameter"):
            wrong.append(f"{method} {path}: {answer.status_code} {answer.text[:80]}")
    assert seen > 70
    assert not wrong, "\n".join(wrong)


def test_the_problem_names_the_parameter_and_those_that_there_are(nobody: TestClient) -> None:
    answer = nobody.get("/v1/applications?q=金源&limit=5&q=again")
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert "“" not in told["title"] and "q" in told["detail"]
    assert told["errors"] == [
        {"where": "query.q", "problem": "unknown parameter", "known": ["status", "after", "limit"]}
    ]


def test_what_a_route_names_is_taken_by_the_name_in_the_address(app: FastAPI, nobody: TestClient) -> None:
    for address in (
        "/v1/files/none?name=a&type=b&expires=1&signature=c",  # a signed link
        "/v1/matters/sole_trader/forms/application.pdf?edition=none",
        "/v1/applications?status=submitted&after=x&limit=3",
    ):
        assert "unknown_parameter" not in nobody.get(address).text, address
    assert nobody.get("/v1/files/none?name=a&kind=b&expires=1&signature=c").json()["code"] == "unknown_parameter"
    report = nobody.post("/v1/licences/verify/report?format=xml", content=b"%PDF-")
    assert "unknown_parameter" not in report.text


class Asked(BaseModel):
    """Parameters as a model, a way that FastAPI knows of."""

    size: int = 1


def test_parameters_of_a_model_and_of_dependencies_are_known() -> None:
    app = FastAPI(dependencies=[KnownQuery])
    problems.install(app)

    @app.get("/one")
    def one(asked: Annotated[Asked, Query()], word: Annotated[str, Query(alias="w")] = "") -> str:
        return f"{asked.size}{word}"

    with TestClient(app) as client:
        assert client.get("/one?size=3&w=x").text == '"3x"'
        assert client.get("/one?size=3&word=x").json()["errors"][0]["known"] == ["size", "w"]


def test_pages_ignore_what_chats_add_to_an_address(app: FastAPI, nobody: TestClient) -> None:
    for path in ("/", "/verify", "/progress", "/kiosk", "/wallet", "/office/login", "/healthz"):
        answer = nobody.get(f"{path}?from=singlemessage&isappinstalled=0")
        assert answer.status_code == nobody.get(path).status_code == 200, path


def test_the_openapi_document_promises_it_everywhere(nobody: TestClient) -> None:
    document = nobody.get("/openapi.json").json()
    lacking = [
        f"{method} {path}"
        for path, found in document["paths"].items()
        for method, route in found.items()
        if path.startswith("/v1") and problems.MEDIA_TYPE not in route["responses"].get("422", {}).get("content", {})
    ]
    assert not lacking
