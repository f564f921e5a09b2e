"""Connections that hold nothing up: so many in all and of one address, heads in good time, answers that are taken.

The HTTP server knows no limit on the time that a head may take, none on an answer that nobody reads, and closes a
connection on whoever is still sending, so that the answer may get lost. Its protocol is completed here.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import ClassVar, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.kit.front.address import limit_key
from api.kit.front.proxies import Networks, is_trusted

log = logging.getLogger(__name__)

HEAD_BYTES = 1 << 14
"""Longest head of a request, its address and headers together."""
LINGER_SECONDS = 4.0
"""So long what a sender still sends is taken and thrown away after an answer, so that the answer reaches it."""
STALL_SECONDS = 30.0
"""How often a reader must have taken something of an answer that waits for it."""
TOLD_SECONDS = 60.0
"""How often the log may say that connections were refused."""


@dataclass(slots=True)
class Gate:
    """How many connections there are, in all and of each address; those of trusted proxies are of many people."""

    most: int
    most_of_address: int
    head_seconds: float
    """Time for the head of a request, from its first byte or, on a fresh connection, from its beginning."""
    trusted: Networks = ()
    count: int = 0
    of_address: Counter[str] = field(default_factory=Counter)
    told: float = 0.0

    def enter(self, address: str) -> bool:
        """Let a connection in, or not; one that was let in leaves by :meth:`leave`."""
        key = limit_key(address)
        many = self.of_address[key] >= self.most_of_address and not is_trusted(address, self.trusted)
        if many or self.count >= self.most:
            if monotonic() - self.told > TOLD_SECONDS:
                self.told = monotonic()
                log.warning("connections refused: %d open, %d of this one's address", self.count, self.of_address[key])
            return False
        self.count += 1
        self.of_address[key] += 1
        return True

    def leave(self, address: str) -> None:
        """A connection ended."""
        key = limit_key(address)
        self.count -= 1
        self.of_address[key] -= 1
        if not self.of_address[key]:
            del self.of_address[key]


class Connection(H11Protocol):
    """A connection within the limits of its gate; :func:`protocol` makes the class for one gate."""

    gate: ClassVar[Gate]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let it in, or say that there are too many and end it."""
        self.entered: str | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.stall: asyncio.TimerHandle | None = None
        self.lingering = self.late = False
        super().connection_made(cast(asyncio.Transport, _Lingering(transport, self)))
        address = self.client[0] if self.client else ""
        if not self.gate.enter(address):
            self._refuse(b"503 Service Unavailable", "too many connections")
            return
        self.entered = address
        self._watch(begun=True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave."""
        for timer in (self.timer, self.stall):
            if timer is not None:
                timer.cancel()
        self.timer = self.stall = None
        if self.entered is not None:
            self.gate.leave(self.entered)
            self.entered = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; on its way out nothing counts any more."""
        if self.lingering:
            return
        if self._is_too_long(data):
            self.late = True
            self._refuse(b"431 Request Header Fields Too Large", "the head of the request is too long")
            return
        super().data_received(data)
        self._watch(begun=True)

    def on_response_complete(self) -> None:
        """Wait for the rest of a body that nobody reads no longer than for a head."""
        super().on_response_complete()
        self._watch(begun=self.conn.their_state is h11.SEND_BODY)

    def pause_writing(self) -> None:
        """Nobody takes the answer for now."""
        super().pause_writing()
        self._look_at_stall(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """The answer is taken."""
        if self.stall is not None:
            self.stall.cancel()
            self.stall = None
        super().resume_writing()

    @property
    def is_unread(self) -> bool:
        """Whether the other side may still be sending; who is refused at the door is not waited for."""
        return self.entered is not None and (self.late or self.conn.their_state in (h11.SEND_BODY, h11.ERROR))

    def _watch(self, *, begun: bool) -> None:
        """Set the time for a head while no request is being served, and unset it while one is."""
        serving = self.cycle is not None and not self.cycle.response_complete
        if serving or self.transport.is_closing():
            if self.timer is not None:
                self.timer.cancel()
                self.timer = None
        elif begun and self.timer is None:
            self.timer = self.loop.call_later(self.gate.head_seconds, self._too_slow)

    def _is_too_long(self, data: bytes) -> bool:
        """Whether a head is over the limit; the server's own limit is on what came without an end."""
        serving = self.cycle is not None and not self.cycle.response_complete
        if serving or self.conn.their_state is not h11.IDLE:
            return False
        begun = (self.conn.trailing_data[0] + data)[: HEAD_BYTES + 4]
        return len(begun) > HEAD_BYTES and b"\r\n\r\n" not in begun

    def _too_slow(self) -> None:
        self.timer = None
        if self.transport.is_closing():
            return
        waits = self.cycle is None or self.conn.their_state is h11.IDLE
        if waits and self.conn.trailing_data[0]:
            self.late = True
            self._refuse(b"408 Request Timeout", "the head of the request did not come in good time")
        else:
            self.transport.abort()  # it never sent anything, or goes on sending what nobody reads

    def _refuse(self, status: bytes, why: str) -> None:
        text = f"{why}\n".encode()
        head = b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n" % (status, len(text))
        self.transport.write(head + b"Retry-After: 5\r\nConnection: close\r\n\r\n" + text)
        self.transport.close()

    def _look_at_stall(self, waiting: int) -> None:
        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if left >= waiting:
                self.transport.abort()
            else:
                self._look_at_stall(left)

        if self.stall is not None:
            self.stall.cancel()
        self.stall = self.loop.call_later(STALL_SECONDS, look)


class _Lingering:
    """A transport that is closed only when what was written has a chance to be read.

    A socket that is closed with bytes unread resets the connection, and the other side loses the answer with it.
    """

    def __init__(self, transport: asyncio.Transport, owner: Connection) -> None:
        self._transport, self._owner = transport, owner
        self._closing = False

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self._transport, name)
        return found

    def is_closing(self) -> bool:
        """Whether it was closed, though it may still take in what nobody wants."""
        return self._closing or self._transport.is_closing()

    def close(self) -> None:
        """Send what is left, say that nothing follows, and wait a little for the other side to end."""
        if self._closing:
            return
        self._closing = True
        if self._transport.is_closing() or not self._owner.is_unread:
            self._transport.close()
            return
        self._owner.lingering = True
        end: Callable[[], None] = self._transport.abort
        try:
            self._transport.write_eof()
            self._transport.resume_reading()
        except (OSError, RuntimeError):
            end()
            return
        self._owner.loop.call_later(LINGER_SECONDS, end)


def protocol(gate: Gate) -> type[Connection]:
    """The protocol class for a server with this gate."""
    return type("GatedConnection", (Connection,), {"gate": gate})
