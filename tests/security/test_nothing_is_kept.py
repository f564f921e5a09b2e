"""What is personal is kept by no browser and no proxy; what is everybody's may be kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api.kit.front.personal import ALIKE
from docproc.flow.accounts import api_keys
from docproc.flow.applications import applications
from docproc.flow.core.access import ROLES
from docproc.flow.core.context import Context
from tests.api.pages.inside import running
from tests.api.test_access import NOBODY, TABLE, _call, _client, _with_forms

KEPT = {"GET /v1/status-list", "GET /v1/trust-list"}
"""Routes that say themselves that their answer is public."""


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    with running(tmp_path_factory.mktemp("kept") / "var") as (app, _):
        yield app


@pytest.fixture(scope="module")
def people(app: FastAPI) -> dict[str, TestClient]:
    found = {role: _client(app, app.state.context, role) for role in ROLES}
    found[NOBODY] = TestClient(app, follow_redirects=False)
    for client in found.values():
        _with_forms(client)
        client.headers["Accept"] = "text/html"
    return found


def test_no_answer_of_any_route_to_anybody_may_be_kept(app: FastAPI, people: dict[str, TestClient]) -> None:
    ctx: Context = app.state.context
    kiosk = api_keys.authenticate(ctx, people["kiosk"].headers["Authorization"].removeprefix("Bearer "))
    assert kiosk is not None
    number = str(applications.create_application(ctx, kiosk, "sole_trader", "kiosk")["number"])
    answers = {}
    for row in sorted(TABLE["route"], key=lambda row: bool(row.get("last"))):
        for who in (*row["roles"], NOBODY):
            answers[row["call"], who] = _answer(people[who], row, number)
    for call in TABLE["open"]["all"]:
        answers[call, NOBODY] = _answer(people[NOBODY], {"call": call}, number)
    assert len(answers) > 250
    kept = {
        (call, who): said
        for (call, who), said in answers.items()
        if said != "no-store" and call not in KEPT and call.split()[1] not in ALIKE
    }
    assert not kept, kept


def test_what_is_everybodys_may_be_kept(people: dict[str, TestClient]) -> None:
    nobody = people[NOBODY]
    page = nobody.get("/verify").text
    asset = page.split('href="/static/', 1)[1].split('"', 1)[0]
    assert nobody.get(f"/static/{asset}").headers["cache-control"].startswith("public")
    for path in ("/openapi.json", "/v1/matters", "/v1/matters/sole_trader"):
        answer = nobody.get(path)
        assert answer.status_code == 200 and answer.headers.get("cache-control") != "no-store", path


def _answer(client: TestClient, row: dict[str, object], number: str) -> str:
    """What an answer says of being kept."""
    said: list[str] = []

    def note(response: object) -> None:
        said.append(response.headers.get("cache-control", "nothing"))  # type: ignore[attr-defined]

    client.event_hooks = {"request": [], "response": [note]}
    _call(client, row, number)
    client.event_hooks = {"request": [], "response": []}
    return said[0]
