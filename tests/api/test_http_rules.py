"""Who may do what, how errors look, what repeated and hostile requests get."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from api.kit.limits import RateLimit
from docproc.flow.jobs.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.api.group import Group, checked, decision, open_application, upload_all, view
from tests.flow.people import until
from tests.flow.small_stages import MAGIC, paper

People = dict[str, httpx.Client]

N = "{number}"
ZERO = "0" * 64
DECISION = {"action": "approve", "version": 1, "content_sha256": ZERO, "reason": "理由"}
ROUTES: list[tuple[str, str, Any, set[str]]] = [
    ("POST", "/v1/applications", {"matter": "sole_trader"}, {"kiosk", "clerk"}),
    ("GET", "/v1/applications", None, {"kiosk", "clerk", "reviewer", "approver", "sealer", "auditor"}),
    ("GET", f"/v1/applications/{N}", None, {"kiosk", "clerk", "reviewer", "approver", "sealer", "auditor"}),
    ("POST", f"/v1/applications/{N}/pages", b"%PDF-", {"kiosk", "clerk"}),
    ("GET", f"/v1/applications/{N}/pages/x/file", None, {"kiosk", "clerk", "reviewer", "approver", "auditor"}),
    ("DELETE", f"/v1/applications/{N}/pages/x", None, {"kiosk", "clerk"}),
    ("PUT", f"/v1/applications/{N}/pages/x/readings/0/fields/name", {"value": "x"}, {"clerk", "reviewer", "approver"}),
    ("POST", f"/v1/applications/{N}/submit", None, {"kiosk", "clerk"}),
    ("POST", f"/v1/applications/{N}/accept", {"version": 1}, {"reviewer", "approver"}),
    ("POST", f"/v1/applications/{N}/decisions", DECISION, {"reviewer", "approver"}),
    ("POST", f"/v1/applications/{N}/decisions", {**DECISION, "action": "return"}, {"reviewer", "approver"}),
    ("POST", f"/v1/applications/{N}/decisions", {**DECISION, "action": "reject"}, {"approver"}),
    ("POST", f"/v1/applications/{N}/release", {"version": 1}, {"sealer"}),
    ("POST", f"/v1/applications/{N}/withdraw", None, {"kiosk", "clerk"}),
    ("GET", "/v1/licences/x/details", None, {"kiosk", "clerk", "reviewer", "approver", "sealer", "auditor"}),
    ("GET", "/v1/licences/x/file", None, {"kiosk", "clerk", "reviewer", "approver", "auditor"}),
    ("POST", "/v1/licences/x/status", {"action": "revoke", "reason": "理由", "basis": "依据"}, {"approver"}),
    ("POST", "/v1/licences/x/versions", {"action": "reissue", "reason": "理由", "basis": "依据"}, {"approver"}),
    ("GET", "/v1/keys", None, {"admin"}),
    ("POST", "/v1/keys", {"subject": "new", "org": "office", "roles": ["kiosk"]}, {"admin"}),
    ("DELETE", "/v1/keys/none", None, {"admin"}),
    ("GET", "/v1/audit", None, {"auditor"}),
    ("GET", "/v1/audit/check", None, {"auditor"}),
    ("GET", "/v1/events", None, {"clerk", "reviewer", "approver", "auditor"}),
]


@pytest.mark.parametrize(("method", "path", "body", "allowed"), ROUTES, ids=[f"{r[0]} {r[1]}" for r in ROUTES])
def test_each_route_is_open_to_its_roles_and_shut_to_all_others(
    people: People, method: str, path: str, body: Any, allowed: set[str]
) -> None:
    number = open_application(people["kiosk"])
    send = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    url = path.replace(N, number)
    for role in ("kiosk", "clerk", "reviewer", "approver", "sealer", "auditor", "admin"):
        answer = people[role].request(method, url, **send)
        if role in allowed:
            assert answer.status_code not in (401, 403, 500), (role, answer.text)
        else:
            assert answer.status_code == 403, (role, answer.text)
    assert people["nobody"].request(method, url, **send).status_code == 401


def test_strangers_and_other_offices_do_not_learn_that_an_application_exists(people: People) -> None:
    number = open_application(people["kiosk"])
    mine = people["stranger"].get(f"/v1/applications/{number}")
    none = people["stranger"].get("/v1/applications/510116-ST-20000101-000001")
    assert mine.status_code == none.status_code == 404
    assert mine.json()["detail"] == none.json()["detail"]
    assert mine.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("key", ["dp_0", "dp_" + "0" * 12 + "_" + "0" * 64, "x", "é"])
def test_a_wrong_key_is_no_key(server: Group, key: str) -> None:
    answer = httpx.get(server.base + "/v1/applications", headers={"Authorization": f"Bearer {key}".encode()})
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "unauthorised"


def test_a_revoked_key_stops_working_at_once(server: Group, people: People) -> None:
    made = people["admin"].post("/v1/keys", json={"subject": "gone", "org": "office", "roles": ["kiosk"]}).json()
    with server.client(made["key"]) as gone:
        assert gone.get("/v1/applications").status_code == 200
        assert people["admin"].delete(f"/v1/keys/{made['id']}").json()["revoked_at"]
        assert gone.get("/v1/applications").status_code == 401


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"matter": "sole_trader", "surplus": 1}, "body.surplus"),
        ({"channel": "kiosk"}, "body.matter"),
        ({"matter": "sole_trader", "channel": "fax"}, "body.channel"),
        ([], "body"),
    ],
)
def test_a_malformed_request_is_told_where(people: People, body: Any, where: str) -> None:
    answer = people["kiosk"].post("/v1/applications", json=body)
    problem = answer.json()
    assert answer.status_code == 422 and problem["code"] == "invalid_request"
    assert problem["type"] == "urn:docproc:problem:invalid_request" and problem["status"] == 422
    assert where in [item["where"] for item in problem["errors"]]


def test_unknown_matters_paths_and_methods_are_problems_too(people: People) -> None:
    kiosk = people["kiosk"]
    answers = [
        kiosk.post("/v1/applications", json={"matter": "dog_licence"}),
        kiosk.get("/v1/nothing"),
        kiosk.put("/v1/applications"),
        kiosk.get("/v1/matters/dog_licence"),
    ]
    assert [a.status_code for a in answers] == [404, 404, 405, 404]
    assert {a.headers["content-type"] for a in answers} == {"application/problem+json"}


def test_idempotency_keys(people: People) -> None:
    kiosk, head = people["kiosk"], {"Idempotency-Key": "open-1"}
    first = kiosk.post("/v1/applications", json={"matter": "sole_trader"}, headers=head)
    again = kiosk.post("/v1/applications", json={"matter": "sole_trader"}, headers=head)
    other = kiosk.post("/v1/applications", json={"matter": "food_licence"}, headers=head)
    assert first.json() == again.json() and first.status_code == again.status_code == 201
    assert other.status_code == 422 and other.json()["code"] == "idempotency_key_reused"
    path, head = f"/v1/applications/{first.json()['number']}/pages", {"Idempotency-Key": "page-1"}
    page = kiosk.post(path, content=paper([]), headers=head).json()
    assert kiosk.post(path, content=paper([]), headers=head).json()["id"] == page["id"]
    assert kiosk.post(path, content=paper([], sleep=0), headers=head).status_code == 422


def test_the_secret_of_a_key_is_in_the_first_answer_only(people: People) -> None:
    body, head = {"subject": "once", "org": "office", "roles": ["kiosk"]}, {"Idempotency-Key": "key-1"}
    first = people["admin"].post("/v1/keys", json=body, headers=head).json()
    again = people["admin"].post("/v1/keys", json=body, headers=head).json()
    assert first["key"].startswith("dp_") and again == {**first, "key": None}


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "empty_file"),
        (b"MZ\x90\x00 a program", 415, "unsupported_file"),
        (b"<svg onload='alert(1)'/>", 415, "markup_file"),
        (b"PK\x03\x04 a word document", 415, "office_file"),
    ],
)
def test_hostile_uploads_are_refused_at_the_door(people: People, data: bytes, status: int, code: str) -> None:
    number = open_application(people["kiosk"])
    answer = people["kiosk"].post(f"/v1/applications/{number}/pages?filename=scan.jpg", content=data)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert view(people["kiosk"], number)["pages"] == []


def test_a_line_that_breaks_within_an_upload_is_no_fault_and_takes_nothing_in(server: Group, people: People) -> None:
    client = people["kiosk"]
    number = open_application(client)
    log = server.folder / "log"
    before = log.stat().st_size
    head = f"POST /v1/applications/{number}/pages HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n"
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=20) as line:
        line.sendall(f"{head}Authorization: {client.headers['Authorization']}\r\n\r\n".encode() + MAGIC)
        line.shutdown(socket.SHUT_WR)
        line.recv(1)  # until the service has seen it
    assert view(client, number)["pages"] == []
    assert b"Traceback" not in log.read_bytes()[before:]


def test_what_passes_the_door_and_cannot_be_read_becomes_a_finding(people: People) -> None:
    number = open_application(people["kiosk"])
    upload_all(people["kiosk"], number, [MAGIC + b"IHDR and then nothing", b"%PDF-1.7 \xff" * 99])
    seen = checked(people["kiosk"], number)
    assert seen["verdict"] == "rescan" and {p["state"] for p in seen["pages"]} == {"failed"}


def test_multipart_uploads_carry_their_name_and_stay_downloads(people: People) -> None:
    number = open_application(people["kiosk"])
    files = {"file": ("../../身份证.png", paper([]), "text/html")}
    page = people["kiosk"].post(f"/v1/applications/{number}/pages", files=files).json()
    assert page["filename"] == "身份证.png" and page["media_type"] == "image/png"
    back = people["kiosk"].get(f"/v1/applications/{number}/pages/{page['id']}/file")
    assert back.content == paper([]) and back.headers["content-type"] == "image/png"
    assert back.headers["content-disposition"].startswith("attachment")
    assert back.headers["x-content-type-options"] == "nosniff"
    nothing = people["kiosk"].post(f"/v1/applications/{number}/pages", data={"a": "b"}, files={})
    assert nothing.status_code == 415


def test_two_reviewers_over_http(people: People) -> None:
    kiosk = people["kiosk"]
    number = open_application(kiosk)
    upload_all(kiosk, number)
    checked(kiosk, number)
    assert kiosk.post(f"/v1/applications/{number}/submit").status_code == 200
    seen = view(people["reviewer"], number)
    first = people["reviewer"].post(f"/v1/applications/{number}/decisions", json=decision(seen))
    second = people["reviewer2"].post(f"/v1/applications/{number}/decisions", json=decision(seen))
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json()["code"] == "version_conflict"


def test_the_catalogue_and_its_forms_are_public(people: People) -> None:
    nobody = people["nobody"]
    assert {m["id"] for m in nobody.get("/v1/matters").json()} >= {"food_licence", "sole_trader"}
    guide = nobody.get("/v1/matters/sole_trader").json()
    form = next(m for m in guide["materials"] if m["form_url"])
    answer = nobody.get(form["form_url"])
    assert answer.status_code == 200 and answer.content.startswith(b"%PDF-")
    assert nobody.get("/v1/matters/sole_trader/forms/none.pdf").status_code == 404


def test_a_material_that_the_matter_does_not_have_is_a_problem_that_lists_those_that_it_has(people: People) -> None:
    number, clerk = open_application(people["clerk"]), people["clerk"]
    metadata = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": "material bm9uc2Vuc2U="}
    answers = [
        clerk.post(f"/v1/applications/{number}/pages?material=nonsense", content=b"%PDF-"),
        clerk.post(f"/v1/applications/{number}/uploads", headers=metadata),
        clerk.post(f"/v1/applications/{number}/originals", json={"items": [{"material": "nonsense", "copies": 1}]}),
    ]
    for answer in answers:
        assert answer.status_code == 422, answer.text
        told = answer.json()
        assert told["code"] == "unknown_material" and "经营者身份证（idcard）" in told["detail"]
        assert told["errors"][0]["known"][:2] == ["application", "idcard"]
    missing = people["nobody"].get("/v1/matters/sole_trader/forms/nonsense.pdf")
    assert missing.status_code == 404 and "it has application, idcard" in missing.json()["title"]
    assert clerk.get("/v1/applications?status=nonsense").status_code == 422


def test_health_metrics_and_the_openapi_document(people: People) -> None:
    nobody = people["nobody"]
    assert nobody.get("/healthz").json() == {"status": "ok"}
    assert nobody.get("/readyz").json() == {
        "ready": True,
        "checks": {"database": True, "clock": True, "schema": True, "blobs": True},
    }
    assert nobody.get("/metrics").status_code == 404, "what is measured is told at a port of its own"
    document = nobody.get("/openapi.json").json()
    assert "Problem" in document["components"]["schemas"]
    for path, routes in document["paths"].items():
        for method, route in routes.items():
            assert route["summary"], (method, path)
            if path.startswith("/v1"):
                assert any(status.startswith("4") for status in route["responses"]), (method, path)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(data_dir=tmp_path, rate_limit_per_minute=5, max_upload_bytes=1000, _env_file=None)
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def test_an_address_without_a_key_is_slowed_down(small: TestClient) -> None:
    statuses = [small.get("/v1/matters").status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    refused = small.get("/v1/matters")
    assert int(refused.headers["retry-after"]) >= 1 and refused.json()["code"] == "rate_limited"
    assert small.get("/healthz").status_code == 200


def test_guessing_keys_is_slowed_down_even_more(small: TestClient) -> None:
    head = {"Authorization": "Bearer dp_guess"}
    assert [small.get("/v1/keys", headers=head).status_code for _ in range(2)] == [401, 429]


def test_bodies_are_cut_off_at_the_limit_with_and_without_a_length(small: TestClient) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(1000)

    told = small.post("/v1/licences/verify", content=bytes(100_000))
    untold = small.post("/v1/licences/verify", content=endless())
    big_json = small.post("/v1/keys", content=bytes(2_000_000))
    assert [told.status_code, untold.status_code] == [413, 413]
    assert big_json.status_code == 401, "who sends it comes first"


def test_the_rate_limit_refills_and_does_not_grow_without_bound() -> None:
    limit = RateLimit(60, most_addresses=10)
    assert all(limit.take("a") == 0 for _ in range(60))
    assert 0 < limit.take("a") <= 1
    for address in range(100):
        limit.take(str(address))
    assert len(limit._buckets) <= 10
    assert until(lambda: limit.take("a") == 0, 5)
