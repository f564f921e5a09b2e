"""Clients that hold things up: heads and bodies that never end, connections by the hundred; and slow ones that may."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

from api.kit.bodies.incoming import GRACE_SECONDS, Pace
from tests.api.group import Group, group, open_application, view
from tests.security.wire import answer, connect, head, is_ended

HEAD_SECONDS = 2
IDLE_SECONDS = 3
MOST_OF_ADDRESS = 40
OTHER = "127.0.0.9"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    limits = {
        "DOCPROC_HEAD_SECONDS": str(HEAD_SECONDS),
        "DOCPROC_MAX_CONNECTIONS_PER_ADDRESS": str(MOST_OF_ADDRESS),
        "DOCPROC_BODY_IDLE_SECONDS": str(IDLE_SECONDS),
        "DOCPROC_BODY_BYTES_PER_SECOND": "4000",
        "DOCPROC_RATE_LIMIT_PER_MINUTE": "100000",
    }
    with group(tmp_path_factory.mktemp("slow") / "var", **limits) as running:
        yield running


def test_a_head_that_does_not_come_in_time_ends_its_connection(service: Group) -> None:
    with connect(service.base) as line, connect(service.base) as silent:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: docproc.test\r\n")
        status = 0
        for letter in range(4 * HEAD_SECONDS * 5):  # a header more every fifth of a second
            time.sleep(0.2)
            try:
                line.sendall(f"X-{letter}: a\r\n".encode())
            except OSError:
                break
            line.setblocking(False)
            try:
                status = int(line.recv(1 << 16)[9:12] or 0)
                break
            except BlockingIOError:
                pass
            finally:
                line.setblocking(True)
        assert status == 408
        assert is_ended(silent, HEAD_SECONDS), "a connection on which nothing is ever asked is given up too"


def test_a_head_has_its_time_after_a_first_request_too(service: Group) -> None:
    with connect(service.base) as line:
        line.sendall(head("GET", "/healthz"))
        assert answer(line)[0] == 200
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost:")
        assert is_ended(line, HEAD_SECONDS * 3)


def test_a_head_is_bounded(service: Group) -> None:
    with connect(service.base) as line:
        line.sendall(head("GET", "/healthz", X_Much="a" * 70_000))
        assert answer(line)[0] == 431
        assert is_ended(line, 10)


def test_one_address_has_so_many_connections_and_others_are_served(service: Group) -> None:
    with ExitStack() as held:
        lines = [held.enter_context(connect(service.base)) for _ in range(MOST_OF_ADDRESS + 10)]
        for line in lines:
            with suppress(OSError):
                line.sendall(b"GET /healthz HTTP/1.1\r\n")
        time.sleep(0.3)
        refused = [text for line in lines[MOST_OF_ADDRESS:] if "503" in (text := answer(line, 2)[1])]
        assert refused and "Retry-After" in refused[0]
        with connect(service.base, OTHER) as other:
            other.sendall(head("GET", "/healthz"))
            assert answer(other)[0] == 200


def test_connections_are_given_back(service: Group) -> None:
    for _ in range(3 * MOST_OF_ADDRESS):
        with connect(service.base) as line:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHo")
    time.sleep(0.5)
    assert httpx.get(service.base + "/healthz").status_code == 200


def test_a_slow_reader_gets_all_of_its_answer(service: Group) -> None:
    kiosk = service.client(service.new_key("kiosk-slow-reader", "kiosk"))
    document = kiosk.get("/openapi.json").content
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        host, port = service.base.removeprefix("http://").split(":")
        line.connect((host, int(port)))
        line.settimeout(30)
        line.sendall(head("GET", "/openapi.json", Connection="close"))
        taken = b""
        while piece := line.recv(16_384):
            taken += piece
            time.sleep(0.05)
        assert taken.partition(b"\r\n\r\n")[2] == document
    kiosk.close()


def test_a_body_that_stops_coming_is_given_up(service: Group) -> None:
    with connect(service.base) as line:
        line.sendall(head("POST", "/v1/licences/verify", Content_Length=100_000) + b"%PDF-")
        begun = time.monotonic()
        status, text = answer(line, IDLE_SECONDS * 4)
        assert status == 408 and "too_slow" in text and "connection: close" in text.lower()
        assert time.monotonic() - begun > IDLE_SECONDS * 0.8


def test_a_body_that_trickles_is_given_up(service: Group) -> None:
    """A byte now and then keeps no body open for ever."""
    with connect(service.base) as line:
        line.sendall(head("POST", "/v1/licences/verify", Content_Length=100_000) + b"%PDF-")
        line.settimeout(0.01)
        until, data = time.monotonic() + 2 * GRACE_SECONDS, b""
        while not data and time.monotonic() < until:
            line.sendall(b"a")
            time.sleep(1)
            with suppress(TimeoutError):
                data = line.recv(1 << 16)
        assert data.startswith(b"HTTP/1.1 408 ")


def test_a_slow_phone_gets_its_file_through(service: Group) -> None:
    """Fifty kilobytes a second, and a silence that is shorter than what is allowed."""
    key = service.new_key("kiosk-slow-phone", "kiosk")
    with service.client(key) as kiosk, connect(service.base) as line:
        number = open_application(kiosk)
        data = b"\x89PNG\r\n\x1a\n" + bytes(400_000)
        path = f"/v1/applications/{number}/pages"
        line.sendall(head("POST", path, Authorization=f"Bearer {key}", Content_Length=len(data)))
        for place in range(0, len(data), 10_000):
            line.sendall(data[place : place + 10_000])
            time.sleep(IDLE_SECONDS * 0.5 if place == 100_000 else 0.2)
        assert answer(line)[0] == 201
        assert [page["size"] for page in view(kiosk, number)["pages"]] == [len(data)]


def test_an_upload_in_parts_whose_line_hangs_keeps_what_came(service: Group) -> None:
    key = service.new_key("kiosk-hanging-line", "kiosk")
    with service.client(key) as kiosk, connect(service.base) as line:
        number = open_application(kiosk)
        tus = {"Tus-Resumable": "1.0.0"}
        place = kiosk.post(f"/v1/applications/{number}/uploads", headers={**tus, "Upload-Length": "100000"}).headers
        told = {"Tus_Resumable": "1.0.0", "Upload_Offset": 0, "Content_Type": "application/offset+octet-stream"}
        more = {"Authorization": f"Bearer {key}", "Content_Length": 100_000, **told}
        line.sendall(head("PATCH", place["location"], **more) + b"\x89PNG\r\n\x1a\n" + bytes(49_992))
        assert answer(line, IDLE_SECONDS * 4)[0] == 204
        assert kiosk.head(place["location"], headers=tus).headers["upload-offset"] == "50000"


@pytest.mark.parametrize(("seen", "waited", "patience"), [(0, 0, 20), (0, 19, 1), (40_000, 0, 30), (40_000, 25, 5)])
def test_how_long_a_body_is_waited_for(seen: int, waited: float, patience: float) -> None:
    assert Pace(4000, 30).patience(seen, waited) == pytest.approx(patience)
