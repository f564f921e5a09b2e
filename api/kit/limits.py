"""Limits on requests: bytes of a body, requests a minute from one address."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from threading import Lock

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.problems import answer
from docproc.errors import LimitError

JSON_BYTES = 1 << 20
"""Largest body of a request that is no upload."""
OVERHEAD = 1 << 16
"""Room for the framing of multipart/form-data around an upload."""
UPLOADS = re.compile(r"/(pages|verify|verify/report|verify/photo|verify/many|uploads/[^/]+)$")
"""Ends of paths that take files."""


class BodyLimit:
    """Refuses a body that is too large before it is buffered, whether its length is announced or not."""

    def __init__(self, app: ASGIApp, upload_bytes: int) -> None:
        """Wrap an application; ``upload_bytes`` is the largest file."""
        self.app, self.upload_bytes = app, upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        limit = self.upload_bytes + OVERHEAD if UPLOADS.search(scope["path"]) else JSON_BYTES
        told = request.headers.get("content-length", "0")
        if not told.isdigit() or int(told) > limit:
            problem = f"body of {told} bytes is over {limit}"
            await answer(request, 413, LimitError.code, problem, LimitError.message_zh)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise LimitError(f"body is over {limit} bytes")
            return message

        await self.app(scope, counted, send)


@dataclass(slots=True)
class RateLimit:
    """Token buckets by address, in this process's memory; refilled evenly over a minute."""

    per_minute: int
    most_addresses: int = 50_000
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, address: str, cost: float = 1.0) -> float:
        """Take tokens; returns 0, or the seconds to wait when there are too few."""
        now = time.monotonic()
        rate = self.per_minute / 60
        with self._lock:
            level, then = self._buckets.get(address, (float(self.per_minute), now))
            level = min(float(self.per_minute), level + (now - then) * rate)
            if level < cost:
                return (cost - level) / rate
            if len(self._buckets) >= self.most_addresses:
                self._forget(now)
            self._buckets[address] = (level - cost, now)
            return 0.0

    def give_back(self, address: str, cost: float) -> None:
        """Put tokens back that were taken for nothing."""
        with self._lock:
            found = self._buckets.get(address)
            if found is not None:
                self._buckets[address] = (min(float(self.per_minute), found[0] + cost), found[1])

    def _forget(self, now: float) -> None:
        """Drop buckets that are full again; when all are in use, start anew rather than grow."""
        old = [key for key, (_, then) in self._buckets.items() if now - then > 60]
        for key in old:
            del self._buckets[key]
        if not old:
            self._buckets.clear()
