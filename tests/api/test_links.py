"""Download links over HTTP: made for who may have the file, logged, followed without a key."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

import httpx

from tests.api.group import open_application, upload_all, view


def test_who_may_see_a_file_gets_a_link_that_anybody_can_follow_and_the_log_says_so(
    people: dict[str, httpx.Client],
) -> None:
    number = open_application(people["kiosk"])
    upload_all(people["kiosk"], number)
    page = view(people["kiosk"], number)["pages"][0]
    path = f"/v1/applications/{number}/pages/{page['id']}/link"
    made = people["reviewer"].post(path)
    assert made.status_code == 201, made.text
    link = made.json()
    assert link["sha256"] == page["sha256"] and link["media_type"] == page["media_type"] == "image/png"
    parts = urlsplit(link["url"])
    got = people["nobody"].get(f"{parts.path}?{parts.query}")
    assert got.status_code == 200 and hashlib.sha256(got.content).hexdigest() == page["sha256"]
    assert got.headers["Content-Disposition"].startswith("attachment") and got.headers["Content-Type"] == "image/png"
    assert (got.headers["X-Content-Type-Options"], got.headers["Cache-Control"]) == ("nosniff", "no-store")
    lines = people["auditor"].get("/v1/audit", params={"subject": number}).json()
    (line,) = [item for item in lines if item["action"] == "file.linked"]
    assert line["actor"] == "reviewer-1" and line["detail"]["page"] == page["id"]


def test_who_may_not_see_a_file_gets_no_link(people: dict[str, httpx.Client]) -> None:
    number = open_application(people["kiosk"])
    upload_all(people["kiosk"], number)
    page = view(people["kiosk"], number)["pages"][0]
    path = f"/v1/applications/{number}/pages/{page['id']}/link"
    refused = {name: people[name].post(path).status_code for name in ("nobody", "sealer", "admin", "stranger")}
    assert refused == {"nobody": 401, "sealer": 403, "admin": 403, "stranger": 404}
    lines = people["auditor"].get("/v1/audit", params={"subject": number}).json()
    assert [item for item in lines if item["action"] == "file.linked"] == []


def test_a_changed_link_is_told_in_chinese_to_be_over(people: dict[str, httpx.Client]) -> None:
    number = open_application(people["kiosk"])
    upload_all(people["kiosk"], number)
    page = view(people["kiosk"], number)["pages"][0]
    parts = urlsplit(people["kiosk"].post(f"/v1/applications/{number}/pages/{page['id']}/link").json()["url"])
    answer = people["nobody"].get(f"{parts.path}?{parts.query[:-1]}")
    assert answer.status_code == 404 and answer.json()["code"] == "link_over"
    assert "重新获取" in answer.json()["detail"]
