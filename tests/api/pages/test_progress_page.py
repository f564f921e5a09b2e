"""The pages of the applicant, the holder and the counter after a licence was revoked or an application returned."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.group import Group, decision, group, open_application, upload_all, view
from tests.flow.people import until

REASON = "1. 请补交租赁合同原件\n2. 请由经营者本人重新签字"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    folder = tmp_path_factory.mktemp("progress") / "var"
    with group(folder, "tests.flow.small_stages", DOCPROC_RATE_LIMIT_PER_MINUTE="5000") as running:
        yield running


@pytest.fixture(scope="module")
def people(service: Group) -> Iterator[dict[str, httpx.Client]]:
    clients = {
        role: service.client(service.new_key(f"{role}-1", role))
        for role in ("kiosk", "reviewer", "approver", "sealer", "clerk")
    }
    yield clients
    for client in clients.values():
        client.close()


def submitted(people: dict[str, httpx.Client]) -> dict[str, str]:
    number = open_application(people["kiosk"])
    upload_all(people["kiosk"], number)
    until(lambda: view(people["kiosk"], number)["checked"])
    answer = people["kiosk"].post(f"/v1/applications/{number}/submit")
    assert answer.status_code == 200
    assert view(people["reviewer"], number)["follow_code"] == view(people["kiosk"], number)["follow_code"] == ""
    return dict(answer.json())


def decided(people: dict[str, httpx.Client], seen: dict[str, str], **said: str) -> None:
    answer = people["reviewer"].post(f"/v1/applications/{seen['number']}/decisions", json=decision(seen, **said))
    assert answer.status_code == 201, answer.text


def test_a_revoked_licence_is_not_shown_as_issued_and_its_file_is_not_offered(
    service: Group, people: dict[str, httpx.Client]
) -> None:
    seen = submitted(people)
    number, code = seen["number"], seen["follow_code"]
    decided(people, seen)
    version = view(people["reviewer"], number)["version"]
    people["sealer"].post(f"/v1/applications/{number}/release", json={"version": version})
    licence = str(until(lambda: view(people["reviewer"], number)["licence"]))
    with service.client() as anybody:
        before = anybody.get(f"/p/{code}").text
        assert "下载证照" in before and "data-show-pickup" in before
        grounds = {
            "action": "revoke",
            "reason": "以欺骗手段取得许可",
            "basis": "《中华人民共和国行政许可法》第六十九条",
        }
        answer = people["approver"].post(f"/v1/licences/{licence}/status", json=grounds)
        assert answer.status_code in (200, 201), answer.text
        after = anybody.get(f"/p/{code}").text
        for words in ("已作废", grounds["reason"], grounds["basis"]):
            assert words in after
        assert "已发证" not in after and "/file" not in after and "data-show-pickup" not in after
        by_number = anybody.get("/progress", params={"number": number}).text
        assert "已作废" in by_number and "已发证" not in by_number and grounds["reason"] not in by_number
        word = after.partition('href="/v/')[2].partition('"')[0]
        register = anybody.get(f"/v/{word}").text
        assert "已作废" in register and "/file" not in register


def test_what_was_returned_stands_there_once_line_by_line(service: Group, people: dict[str, httpx.Client]) -> None:
    seen = submitted(people)
    decided(people, seen, action="return", reason=REASON)
    with service.client() as anybody:
        told = anybody.get(f"/p/{seen['follow_code']}").text
    assert told.count("请补交租赁合同原件") == 1
    assert f'<p lang="zh-CN" class="lines">{REASON}</p>' in told, "the style keeps the lines of this paragraph"
