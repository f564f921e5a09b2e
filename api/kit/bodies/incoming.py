"""The body of one request on its way in: counted, held to a pace, and never read for somebody who is refused."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import monotonic

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.bodies.declared import SMALL_BYTES
from api.kit.problems import SlowBodyError
from docproc.errors import LimitError

SCOPE_KEY = "docproc.incoming"
GRACE_SECONDS = 20.0
"""Time that a body may take beside what its length gives it."""
KEPT_OPEN_BYTES = 1 << 14
"""A body of so many bytes that nobody read does not cost the sender its connection."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How slow a sender may be."""

    bytes_per_second: int
    idle_seconds: float
    """Longest time without any byte."""

    def patience(self, seen: int, waited: float) -> float:
        """Seconds to wait for the next bytes of a body, of which some have come in the time that was waited for it."""
        return min(self.idle_seconds, GRACE_SECONDS + seen / self.bytes_per_second - waited)


@dataclass(slots=True)
class Incoming:
    """A body on its way in.

    The route says its ``limit``; until then it is that of a sender who is not known.
    """

    _receive: Receive
    pace: Pace
    length: int | None
    """Bytes as announced; ``None``: not announced."""
    whole: bool
    """Nothing is left to come."""
    expects: bool
    """The sender waits to be told to go on."""
    limit: int = SMALL_BYTES
    seen: int = 0
    waited: float = 0.0
    held: ExitStack = field(default_factory=ExitStack)
    """What is given back when the request is over."""

    @classmethod
    def of(cls, scope: Scope, receive: Receive, pace: Pace) -> Incoming:
        """The body that the head of a request announces."""
        headers = Headers(scope=scope)
        told = headers.get("content-length")
        length = int(told) if told is not None and told.isdecimal() else None
        none = length in (None, 0) and "transfer-encoding" not in headers
        return cls(receive, pace, length, none, headers.get("expect", "").lower() == "100-continue")

    def check(self) -> None:
        """Refuse a body that is announced to be over the limit.

        Raises:
            LimitError: it is.
        """
        if self.length is not None and self.length > self.limit:
            raise LimitError(f"body of {self.length} bytes is over {self.limit}")

    async def receive(self) -> Message:
        """The next piece.

        Raises:
            LimitError: more than the limit came.
            SlowBodyError: it comes too slowly.
        """
        if self.whole:
            return await self._receive()
        self.check()
        begun = monotonic()
        try:
            with anyio.fail_after(max(0.0, self.pace.patience(self.seen, self.waited))):
                message = await self._receive()
        except TimeoutError:
            told = f"{self.seen} bytes of the body came in {self.waited + monotonic() - begun:.0f} s"
            raise SlowBodyError(f"{told}; send at least {self.pace.bytes_per_second} bytes a second") from None
        self.waited += monotonic() - begun
        self.seen += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.whole = True
        if self.seen > self.limit:
            raise LimitError(f"body is over {self.limit} bytes")
        return message

    @property
    def is_large_and_unread(self) -> bool:
        """Whether it costs less to part from the sender than to let the rest come in."""
        return not self.whole and (self.expects or self.length is None or self.length > KEPT_OPEN_BYTES)


class Bodies:
    """Puts an :class:`Incoming` between the server and the application, and parts from who is still sending.

    Who is answered while a body is on its way gets ``Connection: close``: the rest is not taken in.
    """

    def __init__(self, app: ASGIApp, pace: Pace) -> None:
        """Wrap an application."""
        self.app, self.pace = app, pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = scope[SCOPE_KEY] = Incoming.of(scope, receive, self.pace)

        async def parting(message: Message) -> None:
            if message["type"] == "http.response.start" and body.is_large_and_unread:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        with body.held:
            await self.app(scope, body.receive, parting)


def incoming(scope: Scope) -> Incoming:
    """The body of the request that is being served."""
    found: Incoming = scope[SCOPE_KEY]
    return found


def give_back(scope: Scope, give: Callable[[], object]) -> None:
    """Have something done when the request is over."""
    incoming(scope).held.callback(give)
