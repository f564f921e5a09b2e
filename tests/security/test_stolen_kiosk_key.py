"""A kiosk's key in wrong hands: it opens nothing of other kiosks, and nothing of citizens who have gone."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from docproc.flow.accounts import api_keys, seats
from docproc.flow.applications import applications
from docproc.flow.applications.views import ApplicationView
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context, utc_now
from docproc.flow.review import decisions
from docproc.flow.review.decisions import Seen
from tests.api.pages.inside import running
from tests.api.test_access import _with_forms
from tests.flow.people import APPROVER, REVIEWER, SEALER, Workers, receipt_code, submitted, trader_papers, until

ROOT = Path(__file__).parents[1]
TABLE = tomllib.loads((ROOT / "api" / "access.toml").read_text(encoding="utf-8"))
OLD = 6
"""Cases at each of two kiosks."""
HIDDEN = (404,)


@dataclass
class Hall:
    """Two kiosks at which citizens handed in yesterday."""

    app: FastAPI
    ctx: Context
    keys: dict[str, str]
    cases: dict[str, list[str]]
    """Numbers of what was handed in, by kiosk."""
    licences: dict[str, str]
    values: dict[str, dict[str, str]]
    """What stands for the places in an address, by kiosk: ids of a case with everything in it."""

    def client(self, key: str | None = None, seat: str | None = None) -> TestClient:
        client = TestClient(self.app, follow_redirects=False)
        if key is not None:
            client.headers["Authorization"] = f"Bearer {key}"
        if seat is not None:
            client.cookies.set("dp_kiosk", seat)
        _with_forms(client)
        return client

    def later(self, by: timedelta) -> None:
        self.app.state.context = replace(self.ctx, clock=lambda: utc_now() + by)


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    with running(tmp_path_factory.mktemp("hall")) as (app, ctx):
        workers = Workers(ctx.settings, "tests.api.pages.drawn_stages")
        workers.start("w1", wait=False)
        try:
            yield _filled(app, ctx)
        finally:
            workers.stop_all()


def _drawn(seen: ApplicationView) -> bool:
    """Whether every page has its picture."""
    return all(page["previews"] for page in seen["pages"])


@pytest.fixture(autouse=True)
def now(hall: Hall) -> Iterator[None]:
    yield
    hall.app.state.context = hall.ctx


def _filled(app: FastAPI, ctx: Context) -> Hall:
    keys = {name: str(api_keys.create_key(ctx, None, name, "office", ["kiosk"])["key"]) for name in ("one", "two")}
    found = Hall(app, ctx, keys, {}, {}, {})
    for name, key in keys.items():
        who = _caller(ctx, key)
        found.cases[name] = [str(submitted(ctx, who)["number"]) for _ in range(OLD)]
        found.licences[name] = _issue(ctx, who, found.cases[name][0])
        found.values[name] = _places(ctx, found.cases[name][1], found.licences[name])
        _return(ctx, found.cases[name][2])
    return found


def _caller(ctx: Context, key: str) -> Caller:
    found = api_keys.authenticate(ctx, key)
    assert found is not None
    return found


def _issue(ctx: Context, who: Caller, number: str) -> str:
    view = applications.view_application(ctx, REVIEWER, number)
    decisions.decide(ctx, REVIEWER, number, "approve", Seen(view["version"], view["content_sha256"]))
    decisions.release(ctx, SEALER, number, applications.view_application(ctx, SEALER, number)["version"])
    return str(until(lambda: applications.view_application(ctx, SEALER, number)["licence"]))


def _return(ctx: Context, number: str) -> None:
    view = applications.view_application(ctx, APPROVER, number)
    seen = Seen(view["version"], view["content_sha256"])
    decisions.decide(ctx, APPROVER, number, "return", seen, reason="请补交", basis="《行政许可法》第三十二条")


def _places(ctx: Context, number: str, licence: str) -> dict[str, str]:
    view = applications.view_application(ctx, REVIEWER, number)
    page = next(p for p in view["pages"] if p["readings"])
    field = page["readings"][0]["fields"][0]["name"]
    return {
        "number": number,
        "page_id": page["id"],
        "index": "0",
        "field": field,
        "licence": licence,
        "matter": "sole_trader",
        "material": "application",
        "receipt": "S1",
        "upload": "0" * 32,
        "key": "0" * 64,
    }


def test_a_stolen_key_opens_none_of_twelve_old_cases(hall: Hall) -> None:
    hall.later(timedelta(days=1))
    thief = hall.client(hall.keys["one"])
    opened = []
    listed = thief.get("/v1/applications?limit=200")
    assert listed.status_code == 200
    for number in (*hall.cases["one"], *hall.cases["two"]):
        case = thief.get(f"/v1/applications/{number}")
        if case.status_code == 200 or number in listed.text:
            opened.append(number)
    for name in ("one", "two"):
        place = hall.values[name]
        for path in ("file", "previews/0"):
            answer = thief.get(f"/v1/applications/{place['number']}/pages/{place['page_id']}/{path}")
            if answer.status_code != 404:
                opened.append(f"{name} {path}")
        for path in ("details", "file"):
            if thief.get(f"/v1/licences/{hall.licences[name]}/{path}").status_code != 404:
                opened.append(f"{name} licence {path}")
    assert not opened, f"a stolen key opened {len(opened)}: {opened}"


@pytest.mark.parametrize("whose", ["another kiosk's key", "the same key a day later", "the same key after its session"])
def test_no_route_opens_with_a_key_what_is_not_of_its_session(hall: Hall, whose: str) -> None:
    if whose == "the same key a day later":
        hall.later(timedelta(days=1))
    if whose == "the same key after its session":
        assert hall.client(hall.keys["one"]).delete("/v1/kiosks/session").status_code == 204
    thief = hall.client(hall.keys["two" if whose == "another kiosk's key" else "one"])
    wrong = []
    routes = [row for row in TABLE["route"] if row["call"].split()[1].startswith("/v1/") and "kiosk" in row["roles"]]
    routes = [row for row in routes if "{number}" in row["call"]]
    assert len(routes) > 15
    for row in routes:
        status = _call(thief, row, hall.values["one"]).status_code
        if status not in HIDDEN:
            wrong.append(f"{row['call']}: {status}")
    assert not wrong, "\n".join(wrong)


def test_a_key_lists_and_finds_no_identity_number(hall: Hall) -> None:
    hall.later(timedelta(days=1))
    case = applications.view_application(hall.ctx, REVIEWER, hall.values["one"]["number"])
    said = json.dumps(case, default=str)
    cards = set(re.findall(r"\d{17}[\dX]", said))
    assert cards
    for name in ("one", "two"):
        thief = hall.client(hall.keys[name])
        for row in TABLE["route"]:
            if row["call"].startswith("GET ") and "kiosk" in row["roles"]:
                text = _call(thief, row, hall.values["one"]).text
                assert not any(card in text for card in cards), row["call"]


def test_a_browser_of_a_kiosk_shows_its_own_citizen_and_nobody_else(hall: Hall) -> None:
    """The pages of a kiosk, by another kiosk, and by the same one in its next session."""
    ctx = hall.ctx
    first = seats.sign_in(ctx, hall.keys["one"], "kiosk")
    citizen = hall.client(seat=first)
    assert citizen.post("/kiosk/open", data={"matter": "sole_trader"}).status_code == 303
    here = seats.seat(ctx, first, "kiosk")
    assert here is not None and here.application is not None
    number = here.application
    added = applications.add_page(ctx, here.caller, number, trader_papers()[0])
    until(lambda: (seen := applications.view_application(ctx, here.caller, number))["checked"] and _drawn(seen))
    assert citizen.get("/kiosk/case").status_code == 200
    assert citizen.get(f"/kiosk/case/pages/{added['id']}/0.webp").status_code == 200
    place = {**hall.values["one"], "number": number, "page_id": added["id"]}
    thieves = {
        "the key itself": hall.client(hall.keys["one"]),
        "another kiosk": hall.client(hall.keys["two"], seats.sign_in(ctx, hall.keys["two"], "kiosk")),
        "another browser with the key": hall.client(hall.keys["one"], seats.sign_in(ctx, hall.keys["one"], "kiosk")),
    }
    assert citizen.post("/kiosk/leave").status_code == 303
    thieves["the next citizen"] = citizen
    for row in TABLE["route"]:
        if "kiosk" in row["roles"] and re.search(r"\{(number|page_id)\}|/kiosk/case", row["call"]):
            for who, thief in thieves.items():
                status = _call(thief, row, place).status_code
                # without a session the pages lead to the beginning, and without a key there is nobody
                allowed = (303, 401, 403) if who == "the next citizen" or "/kiosk" in row["call"] else ()
                if "licences" not in row["call"]:
                    assert status in (*HIDDEN, *allowed), (who, row["call"], status)


def test_the_key_goes_on_with_what_it_opened_and_hands_in_and_then_it_is_over(hall: Hall) -> None:
    who = hall.client(hall.keys["one"])
    made = who.post("/v1/applications", json={"matter": "sole_trader"}).json()
    number, code = made["number"], made["follow_code"]
    assert code
    assert who.get(f"/v1/applications/{number}").json()["follow_code"] == "", "who looks on does not learn the code"
    assert number in who.get("/v1/applications").text
    hall.later(timedelta(days=1, hours=1))
    assert who.get(f"/v1/applications/{number}").status_code == 404, "drafts end with the day"
    assert number not in who.get("/v1/applications").text
    back = who.post("/v1/kiosks/session", json={"code": f"http://x/p/{code}"})
    assert back.status_code == 200 and back.json()["number"] == number
    assert who.get(f"/v1/applications/{number}").status_code == 200


def test_the_receipt_opens_what_was_handed_in_for_a_while(hall: Hall) -> None:
    number = hall.cases["one"][4]
    code = receipt_code(hall.ctx, number)
    hall.later(timedelta(days=2))
    who, other = hall.client(hall.keys["one"]), hall.client(hall.keys["two"])
    assert who.get(f"/v1/applications/{number}").status_code == 404
    wrong = [client.post("/v1/kiosks/session", json={"code": c}) for client, c in ((other, code), (who, code[:-1]))]
    assert [item.status_code for item in wrong] == [404, 404]
    assert wrong[0].json()["detail"] == wrong[1].json()["detail"], "neither tells that there is such a case"
    assert who.post("/v1/kiosks/session", json={"code": code}).status_code == 200
    assert who.get(f"/v1/applications/{number}").json()["status"] == "submitted"
    hall.later(timedelta(days=2, minutes=hall.ctx.settings.kiosk_session_minutes + 1))
    assert who.get(f"/v1/applications/{number}").status_code == 404, "and closes again"


def test_wrong_codes_are_slowed_down(hall: Hall) -> None:
    limit = hall.app.state.guesses
    limit.per_minute, before = 20, limit.per_minute
    try:
        who = hall.client(hall.keys["one"])
        told = [who.post("/v1/kiosks/session", json={"code": f"x{n}"}).status_code for n in range(8)]
    finally:
        limit.per_minute = before
    assert told[0] == 404 and told[-1] == 429


def test_a_kiosk_is_signed_out_with_the_day_and_its_citizen_too(hall: Hall) -> None:
    token = seats.sign_in(hall.ctx, hall.keys["one"], "kiosk")
    citizen = hall.client(seat=token)
    assert citizen.post("/kiosk/open", data={"matter": "sole_trader"}).status_code == 303
    assert citizen.get("/kiosk/case").status_code == 200
    hall.later(timedelta(hours=25))
    assert citizen.get("/kiosk/case").status_code in (401, 403)
    assert seats.seat(hall.app.state.context, token, "kiosk") is None
    longer = replace(hall.ctx, settings=hall.ctx.settings.model_copy(update={"kiosk_days": 5}))
    kept = seats.sign_in(longer, hall.keys["one"], "kiosk")
    here = seats.seat(longer, kept, "kiosk")
    assert here is not None
    number = str(applications.create_application(longer, here.caller, "sole_trader", "kiosk")["number"])
    seats.hold(longer, here, number)
    tomorrow = replace(longer, clock=lambda: utc_now() + timedelta(hours=25))
    again = seats.seat(tomorrow, kept, "kiosk")
    assert again is not None and again.application is None, "the browser may stay, its citizen does not"
    assert applications.view_application(hall.ctx, REVIEWER, number)["status"] == "withdrawn"


def _call(client: TestClient, row: dict[str, Any], values: dict[str, str]) -> Any:
    method, path = row["call"].split()
    if path.startswith("/v1/licences/"):
        values = {**values, "number": values["licence"]}
    path = re.sub(r"\{(\w+)\}", lambda m: values.get(m[1], "none"), path)
    send: dict[str, Any] = {}
    if "json" in row:
        send["json"] = json.loads(row["json"])
    elif "form" in row:
        send["data"] = json.loads(row["form"].replace("{key}", "none"))
    elif "body" in row:
        send["content"] = row["body"].encode()
    if "/uploads" in path:
        send["headers"] = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Offset": "0"}
        send["headers"] |= {"Content-Type": "application/offset+octet-stream"} if method == "PATCH" else {}
    return client.request(method, path + (f"?{row['query']}" if "query" in row else ""), **send)
