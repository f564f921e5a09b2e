"""What the office's pages do, done by programs: the same functions, roles and second persons behind JSON routes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from docproc.flow.accounts import api_keys, seats
from docproc.flow.core import in_force
from docproc.flow.core.context import Context
from docproc.licence.devpki.pki import make_dev_pki
from docproc.matter.load import MATTERS_DIR, put_in_force
from docproc.store.messages import outbox, webhooks
from tests.api.pages.inside import at_desk, running, word
from tests.api.pages.officials import neighbour
from tests.flow.people import ADMIN

TRADER = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8")
ROLES = {
    "kiosk": "kiosk",
    "clerk": "clerk",
    "approver": "approver",
    "sealer": "sealer",
    "auditor": "auditor",
    "admin": "admin",
    "second": "admin",
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FastAPI, Context]]:
    folder = tmp_path_factory.mktemp("routes")
    with running(folder / "var", trust_dir=trusted(folder), webhook_private=True, webhook_ports="9,443") as opened:
        yield opened
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())


def trusted(folder: Path) -> Path:
    make_dev_pki(folder / "certs", at=datetime.now(UTC))
    return folder / "certs" / "trust"


@pytest.fixture(scope="module")
def people(office: tuple[FastAPI, Context]) -> dict[str, TestClient]:
    app, ctx = office
    return {name: program(app, ctx, name, role) for name, role in ROLES.items()}


def program(app: FastAPI, ctx: Context, name: str, role: str) -> TestClient:
    key = api_keys.create_key(ctx, None, name, "office", [role])["key"]
    return TestClient(app, headers={"Authorization": f"Bearer {key}"})


def test_a_matter_is_checked_proposed_compared_and_confirmed(people: dict[str, TestClient]) -> None:
    admin, second = people["admin"], people["second"]
    quicker = {"files": ("sole_trader.toml", TRADER.replace("decide_working_days = 3", "decide_working_days = 2"))}
    wrong = {"files": ("sole_trader.toml", TRADER.replace('kind = "form"', 'kind = "fern"', 1))}
    refused = admin.post("/v1/catalogue/check", files=wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "catalogue")
    assert refused.json()["title"].startswith("sole_trader.toml:"), "file, line and remedy"
    checked = admin.post("/v1/catalogue/check", files=quicker).json()
    assert checked["changed"] == ["sole_trader.toml"] and checked["matters"][0]["id"] == "sole_trader"
    edition = checked["matters"][0]["forms"][0]["edition"]
    made = admin.post("/v1/catalogue/changes", params={"reason": "提速"}, files=quicker)
    assert made.status_code == 202
    path = f"/v1/catalogue/changes/{made.json()['id']}"
    compared = second.get(path).json()["compared"]["sole_trader.toml"]
    assert "+decide_working_days = 2" in compared
    form = second.get(f"{path}/forms/sole_trader/application.pdf", params={"edition": edition})
    assert form.content.startswith(b"%PDF-")
    assert admin.post(path, json={"confirm": True}).json()["code"] == "same_person"
    assert second.post(path, json={"confirm": True}).json()["state"] == "confirmed"
    assert admin.get("/v1/matters/sole_trader").json()["decide_working_days"] == 2
    assert "decide_working_days = 2" in admin.get("/v1/catalogue/sole_trader.toml").text
    assert admin.post("/v1/catalogue/changes", params={"reason": "再来"}, files=quicker).status_code == 409


def test_a_root_is_recognised_and_taken_off_by_two_persons(
    office: tuple[FastAPI, Context], people: dict[str, TestClient]
) -> None:
    one, two, (_, ctx) = people["approver"], people["sealer"], office
    new = {
        "certificates": neighbour(ctx).decode(),
        "name": "邻市政务局（样例）",
        "authorities": ["113400"],
        "valid_to": (ctx.today() + timedelta(days=30)).isoformat(),
        "reason": "互认协议",
    }
    assert one.post("/v1/trust", json={**new, "authorities": []}).status_code == 422
    change = one.post("/v1/trust", json=new).json()
    assert one.post(f"/v1/trust/changes/{change['id']}", json={"confirm": True}).json()["code"] == "same_person"
    assert not people["auditor"].get("/v1/trust").json()["recognised"]
    two.post(f"/v1/trust/changes/{change['id']}", json={"confirm": True})
    found = people["auditor"].get("/v1/trust").json()
    assert [root["name"] for root in found["recognised"]] == [new["name"]] and found["own"]
    gone = two.post(f"/v1/trust/{change['root']['sha256']}/removal", json={"reason": "协议到期"}).json()
    one.post(f"/v1/trust/changes/{gone['id']}", json={"confirm": True})
    assert not people["auditor"].get("/v1/trust").json()["recognised"]


def test_the_office_sees_what_waits_for_the_line_at_a_kiosk_and_since_when(
    office: tuple[FastAPI, Context], people: dict[str, TestClient]
) -> None:
    app, ctx = office

    def seen() -> dict[str, object]:
        return next(item for item in people["clerk"].get("/v1/kiosks").json() if item["subject"] == "kiosk")

    assert seen()["line_told_at"] is None
    before = ctx.clock()
    assert people["kiosk"].post("/v1/kiosks/line", json={"waiting": 3, "oldest_seconds": 900}).status_code == 204
    after = ctx.clock()
    told = seen()
    assert told["line_waiting"] == 3 and told["states"] == ["line"]
    oldest, second = datetime.fromisoformat(str(told["line_since"])) + timedelta(seconds=900), timedelta(seconds=1)
    assert before - second <= oldest <= after + second
    page = at_desk(app, ctx, "desk", "clerk").get("/office/kiosks").text
    assert "上传积压" in page and "上报于" in page
    people["kiosk"].post("/v1/kiosks/line", json={"waiting": 0})
    assert seen()["line_waiting"] == 0 and seen()["states"] == ["good"]


def test_a_citizen_who_leaves_leaves_no_queue(office: tuple[FastAPI, Context]) -> None:
    app, ctx = office
    key = api_keys.create_key(ctx, ADMIN, "hall-2", "office", ["kiosk"])["key"]
    hall = TestClient(app)
    hall.cookies.set("dp_kiosk", seats.sign_in(ctx, key, "kiosk"))
    csrf = {"csrf": word(hall, "/kiosk/matters/sole_trader")}
    hall.post("/kiosk/open", data={**csrf, "matter": "sole_trader"})
    assert hall.post("/kiosk/line", data={**csrf, "waiting": "2", "oldest_seconds": "60"}).status_code == 204
    headers = {"Authorization": f"Bearer {api_keys.create_key(ctx, ADMIN, 'look', 'office', ['clerk'])['key']}"}

    def line() -> int:
        return int(
            next(k for k in hall.get("/v1/kiosks", headers=headers).json() if k["subject"] == "hall-2")["line_waiting"]
        )

    assert line() == 2
    hall.post("/kiosk/leave", data=csrf)
    assert line() == 0


def to_notify(ctx: Context) -> int:
    return sum(part.jobs for part in ctx.jobs.waiting() if part.queue == "notify")


def test_an_event_that_did_not_get_through_is_posted_again_and_one_that_did_is_not(
    office: tuple[FastAPI, Context], people: dict[str, TestClient]
) -> None:
    _, ctx = office
    clerk = people["clerk"]
    hook = clerk.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/events"}).json()["id"]
    with ctx.database.write() as session:
        event = outbox.add_event(session, ctx.clock(), "application.accepted", "x", "office").id
        webhooks.log_delivery(session, hook, event, 1, ctx.clock(), 500, "answered 500")
    path = f"/v1/webhooks/{hook}/deliveries"
    before = to_notify(ctx)
    assert clerk.post(f"{path}/{event}/again").status_code == 202
    assert to_notify(ctx) == before + 1
    assert clerk.post(f"{path}/{event + 1}/again").status_code == 404, "it was never posted there"
    with ctx.database.write() as session:
        webhooks.log_delivery(session, hook, event, 2, ctx.clock(), 200, "")
    assert clerk.post(f"{path}/{event}/again").status_code == 409


def test_officials_are_added_shut_and_found_in_the_log(people: dict[str, TestClient]) -> None:
    admin = people["admin"]
    made = admin.post("/v1/users", json={"name": "li.na", "org": "office", "roles": ["reviewer"]})
    assert made.status_code == 201 and made.headers["Cache-Control"] == "no-store"
    assert admin.post("/v1/users", json={"name": "li.na", "org": "office", "roles": ["reviewer"]}).status_code == 409
    assert admin.put(f"/v1/users/{made.json()['id']}/enabled", json={"enabled": False}).status_code == 204
    listed = {user["name"]: user for user in admin.get("/v1/users").json()}
    assert listed["li.na"]["disabled"] and made.json()["password"] not in str(listed)
    lines = people["auditor"].get("/v1/audit/search", params={"text": "admin"}).json()
    assert any(line["action"].startswith("user.") for line in lines)
    assert people["auditor"].get("/v1/figures").json()["pace"] == []
    assert {item["matter"] for item in admin.get("/v1/retention").json()} >= {"sole_trader"}
