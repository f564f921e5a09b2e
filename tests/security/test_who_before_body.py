"""Who sends a request is known before a byte of its body is read: every route, over the wire, by its head alone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from api.app import create_app
from docproc.settings import Settings
from tests.api.group import Group, group, open_application
from tests.api.test_limits import address, every_route
from tests.security.wire import answer, connect, head

FILE = 50 * 2**20
TOO_LARGE = 70 * 2**20
"""For every route."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with group(tmp_path_factory.mktemp("who") / "var", DOCPROC_RATE_LIMIT_PER_MINUTE="100000") as running:
        yield running


def ask(service: Group, method: str, path: str, **headers: object) -> tuple[int, str]:
    """The answer to a head that announces a large body and waits to be told to go on."""
    told = {"Content_Length": FILE, "Expect": "100-continue", "Tus_Resumable": "1.0.0", **headers}
    with connect(service.base) as line:
        line.sendall(head(method, path, Accept="application/json", **told))
        return answer(line)


def test_nobody_is_asked_for_a_body_that_is_not_theirs_to_send(service: Group) -> None:
    wrong, seen = [], 0
    for route in every_route(create_app(Settings(_env_file=None))):
        for method in route.methods - {"HEAD", "GET", "OPTIONS"}:
            seen += 1
            status, text = ask(service, method, address(route, "510116-ST-20260101-000001"), Content_Length=TOO_LARGE)
            good = (404, 412, 413) if "/sms/receipts/" in route.path else (401, 403, 413)
            if status not in good or "100 Continue" in text or "connection: close" not in text.lower():
                wrong.append(f"{method} {route.path}: {status} {text[:120]}")
    assert seen > 80 and not wrong, "\n".join(wrong)


def test_a_key_that_may_not_is_refused_before_its_file(service: Group) -> None:
    kiosk, auditor = service.new_key("kiosk-may-not", "kiosk"), service.new_key("auditor-may-not", "auditor")
    calls = [
        (kiosk, "POST", "/v1/catalogue/check"),
        (kiosk, "POST", "/v1/catalogue/changes?reason=x"),
        (kiosk, "POST", "/v1/licences/verify/many"),
        (kiosk, "POST", "/v1/applications/510116-ST-20260101-000001/papers"),
        (auditor, "POST", "/v1/applications/510116-ST-20260101-000001/pages"),
        (auditor, "PATCH", "/v1/applications/510116-ST-20260101-000001/uploads/none"),
    ]
    for key, method, path in calls:
        status, text = ask(service, method, path, Authorization=f"Bearer {key}", Content_Length=2**20)
        assert status == 403 and "100 Continue" not in text, (path, status, text)


def test_a_wrong_key_gets_its_answer_though_it_sends_all_the_same(service: Group) -> None:
    """Without waiting to be told: the answer comes after the head, and the connection ends with it."""
    for _ in range(5):
        with connect(service.base) as line:
            line.sendall(head("POST", "/v1/catalogue/check", Authorization="Bearer dp_wrong", Content_Length=FILE))
            line.sendall(bytes(2**20))
            begun = time.monotonic()
            status, text = answer(line)
            assert (status, "connection: close" in text.lower()) == (401, True)
            assert time.monotonic() - begun < 10


def test_limits_on_requests_come_before_the_body(tmp_path_factory: pytest.TempPathFactory) -> None:
    with group(tmp_path_factory.mktemp("rate") / "var", DOCPROC_RATE_LIMIT_PER_MINUTE="3") as few:
        statuses = []
        for _ in range(3):
            with connect(few.base) as line:
                line.sendall(head("GET", "/v1/matters"))
                statuses.append(answer(line)[0])
        status, text = ask(few, "POST", "/v1/licences/verify", Content_Length=1000)
        assert statuses == [200] * 3 and status == 429 and "100 Continue" not in text and "retry-after" in text.lower()


def test_who_may_send_is_told_to_go_on(service: Group) -> None:
    key = service.new_key("kiosk-goes-on", "kiosk")
    with service.client(key) as kiosk:
        number = open_application(kiosk)
    path = f"/v1/applications/{number}/pages"
    status, text = ask(service, "POST", path, Authorization=f"Bearer {key}", Content_Length=2000)
    assert status == 100 and "100 Continue" in text
