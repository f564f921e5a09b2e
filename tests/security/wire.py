"""Clients that do not behave: requests by hand over sockets, from any loopback address, and a server's memory."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")


def connect(base: str, source: str = "127.0.0.1") -> socket.socket:
    """A connection to a service, from that address."""
    host, port = base.removeprefix("http://").split(":")
    made = socket.create_connection((host, int(port)), timeout=30, source_address=(source, 0))
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def head(method: str, path: str, **headers: object) -> bytes:
    """The head of a request; ``_`` in names stands for ``-``."""
    lines = [f"{method} {path} HTTP/1.1", "Host: docproc.test"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(line: socket.socket, seconds: float = 30.0) -> tuple[int, str]:
    """Status and all text of an answer up to the end of the connection or of its announced body; status 0: none."""
    line.settimeout(seconds)
    data = b""
    try:
        while True:
            begun, parted, rest = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", begun) if parted else None
            if length is not None and len(rest) >= int(length[1]):
                break
            piece = line.recv(1 << 16)
            if not piece:
                break
            data += piece
    except OSError:
        pass
    return (int(data[9:12]) if data.startswith(b"HTTP/1.1 ") else 0), data.decode("utf-8", "replace")


def is_ended(line: socket.socket, seconds: float) -> bool:
    """Whether the other side ends the connection in that time."""
    line.settimeout(seconds)
    try:
        while line.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def resident_mb(process: int) -> float:
    """Memory of a process that is its own or its share, MiB."""
    text = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:")) / 1024


def settles(value: Callable[[], Found], good: Callable[[Found], bool], seconds: float = 30.0) -> Found:
    """The value once it is good, or what it is when the time is over."""
    until = time.monotonic() + seconds
    while not good(found := value()) and time.monotonic() < until:
        time.sleep(0.25)
    return found
