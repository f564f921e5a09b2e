"""A line between browser and service that breaks where a test wants: bytes go through until their number is used up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Line:
    """Carries TCP connections to a service; while it is cut, every connection is closed at once."""

    def __init__(self, base: str) -> None:
        self._to = (urlsplit(base).hostname, urlsplit(base).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.carried = 0
        """Bytes that went to the service."""
        self._left: int | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, after: int = 0) -> None:
        """Break the line once so many more bytes went to the service."""
        self._left = after
        if not after:
            self._break()

    def mend(self) -> None:
        self._left = None

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._break()

    def _accept(self) -> None:
        with suppress(OSError), self._listener:
            while True:
                here, _ = self._listener.accept()
                if self._left is not None and self._left <= 0:
                    here.close()
                    continue
                there = socket.create_connection(self._to)
                with self._lock:
                    self._open |= {here, there}
                threading.Thread(target=self._carry, args=(here, there, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(there, here, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(16_384):
                if counts and self._left is not None:
                    data, self._left = data[: self._left], self._left - len(data)
                sink.sendall(data)
                if counts:
                    self.carried += len(data)
                    if self._left is not None and self._left <= 0:
                        self._break()
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open.discard(source)
        source.close()

    def _break(self) -> None:
        with self._lock:
            for end in self._open:
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


@contextmanager
def bad_line(base: str) -> Iterator[Line]:
    line = Line(base)
    yield line
    line.close()
