"""Clients that hold connections: heads that never end, connections by the hundred, answers that nobody reads."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import pytest

from tests.api.group import Group, group
from tests.security.wire import answer, connect, head, is_ended

HEAD_SECONDS = 2
MOST_OF_ADDRESS = 40
OTHER = "127.0.0.9"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    limits = {
        "DOCPROC_HEAD_SECONDS": str(HEAD_SECONDS),
        "DOCPROC_MAX_CONNECTIONS_PER_ADDRESS": str(MOST_OF_ADDRESS),
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
