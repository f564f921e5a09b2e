"""Small servers: a connection too many is closed, one that takes too long is cut, and the rest are served."""

from __future__ import annotations

import http.client
import socket
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from docproc import bounded_server
from docproc.bounded_server import MOST, Bounded
from docproc.flow.jobs import meters
from docproc.licence.devpki.pki_server import PkiHttpServer
from tests.security.wire import is_ended, settles
from tests.servers.processes import free_port


class Server(Bounded, HTTPServer):
    pass


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def asked(port: int) -> int:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", "/")
        return line.getresponse().status
    except OSError:
        return 0
    finally:
        line.close()


def test_silent_connections_are_cut_and_others_served_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_server, "SECONDS", 1.5)
    with Server(("127.0.0.1", 0), Handler) as server, ExitStack() as held:
        Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        lines = [held.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(MOST)]
        for line in lines:
            line.sendall(b"GET / HTTP/1.1\r\n")
        one_more = held.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert is_ended(one_more, 1.0)
        assert settles(lambda: asked(port), lambda status: status == 204, 20) == 204
        assert all(is_ended(line, 20) for line in lines)
        server.shutdown()


def test_every_small_server_of_ours_is_bounded() -> None:
    server = meters.listen("127.0.0.1", free_port())
    assert isinstance(server, Bounded) and issubclass(PkiHttpServer, Bounded)
    server.shutdown()
    server.server_close()
