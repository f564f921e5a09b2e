"""For small servers with a thread for each connection: so many at a time, and none for long.

The standard library's servers wait for a request for ever and start a thread for everybody who connects.
"""

from __future__ import annotations

import socket
import socketserver
import sys
import threading
from contextlib import suppress
from typing import Any

MOST = 16
"""Connections at a time."""
SECONDS = 10.0
"""How long one may take, from its beginning to its end."""


class Bounded(socketserver.ThreadingMixIn):
    """Mixed into a server before its class; who is one too many is not answered."""

    daemon_threads = True
    request_queue_size = 2 * MOST

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make the server."""
        self._room = threading.BoundedSemaphore(MOST)
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, if there is room."""
        if not self._room.acquire(blocking=False):
            self.shutdown_request(request)  # type: ignore[attr-defined]
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve it, until its time is over."""
        over = threading.Timer(SECONDS, _cut, (request,))
        over.daemon = True
        over.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            over.cancel()
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut, or that its other side left, is no news; anything else is told as before."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[misc]


def _cut(request: socket.socket) -> None:
    with suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)
