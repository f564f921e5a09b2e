"""The development PKI over HTTP on loopback: ``/tsa``, ``/ocsp``, ``/crl/NAME.crl`` and ``/ca/NAME.crt``.

It stands in for the certificate and time-stamping services of a real
deployment, so that sealing can be tested over the network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

from cryptography.hazmat.primitives.serialization import Encoding

from docproc.bounded_server import Bounded
from docproc.licence.devpki.responder import DevPki

MAX_REQUEST_BYTES = 64 * 1024
Answer = tuple[str, bytes]
"""Content type and body."""


@contextmanager
def serving(pki: DevPki, clock: Callable[[], datetime], host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in a thread until the block ends; yields the base URL. Port 0 takes a free one."""
    server = PkiHttpServer(pki, clock, host, port)
    thread = threading.Thread(target=server.serve_forever, name="pki-server", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class PkiHttpServer(Bounded, HTTPServer):
    """Answers for a development PKI; the caller runs ``serve_forever``."""

    def __init__(self, pki: DevPki, clock: Callable[[], datetime], host: str, port: int) -> None:
        """Bind the server."""
        super().__init__((host, port), _Handler)
        self._pki, self._clock = pki, clock
        self._tsa = pki.timestamper(clock)

    def get(self, path: str) -> Answer | None:
        """A CRL or a CA certificate; ``None``: there is no such path."""
        for name in ("root", "ca"):
            if path == f"/crl/{name}.crl":
                return "application/pkix-crl", self._pki.crl(name, self._clock())
            if path == f"/ca/{name}.crt":
                return "application/pkix-cert", self._pki.issued(name).certificate.public_bytes(Encoding.DER)
        return None

    def post(self, path: str, body: bytes) -> Answer | None:
        """A time-stamp or an OCSP answer; ``None``: there is no such path.

        Raises:
            ValueError: the request cannot be parsed.
        """
        if path == "/tsa":
            return "application/timestamp-reply", self._tsa.answer(body)
        if path == "/ocsp":
            return "application/ocsp-response", self._pki.ocsp(body, self._clock())
        return None


class _Handler(BaseHTTPRequestHandler):
    server: PkiHttpServer

    def do_GET(self) -> None:
        self._reply(self.server.get(self.path))

    def do_POST(self) -> None:
        told = self.headers.get("Content-Length", "0")
        length = int(told) if told.isdecimal() and len(told) < 10 else 0
        if not 0 < length <= MAX_REQUEST_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        try:
            answer = self.server.post(self.path, body)
        except ValueError:
            self.send_error(400)
            return
        self._reply(answer)

    def _reply(self, answer: Answer | None) -> None:
        if answer is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", answer[0])
        self.send_header("Content-Length", str(len(answer[1])))
        self.end_headers()
        self.wfile.write(answer[1])

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the caller logs what it asks for."""
