"""Room for what is on its way in: so many bodies, so many bytes on disk, so many in memory; nobody may have all of it.

What somebody may have depends on who they are: each key, official and enterprise has a share of its own, wherever it
comes from, so that kiosks behind one address do not take it from each other; who is not known shares what their
address may have, and all that are not known together may have half.
All of it is used on the event loop of one process.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field

import anyio

from api.kit.problems import RateLimitError
from docproc.errors import BusyError
from docproc.settings import Settings

RETRY_SECONDS = 10
"""What a sender is told to wait for room."""
WAIT_SECONDS = 20.0
"""So long a body that arrived waits for memory to be used in."""


class FullError(BusyError):
    """All senders together have more on the way than there is room for; nothing was taken in."""

    code = "uploads_full"
    message_zh = "当前上传人数较多，请稍后再试"


class ShareError(RateLimitError):
    """One sender has more on the way than is its share; nothing was taken in."""

    code = "uploads_of_one"
    message_zh = "同时上传的文件过多，请等正在上传的文件完成后再试"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose share something is counted to."""

    name: str
    """Key of the sender, or the address of one that is not known."""
    known: bool


@dataclass(slots=True)
class Room:
    """A number of bodies or bytes, and who has how much of it."""

    what: str
    total: int
    of_known: int
    """Most of one sender that is known."""
    of_address: int
    """Most of one address with senders that are not known."""
    held: Counter[Owner] = field(default_factory=Counter)
    used: int = 0
    used_unknown: int = 0

    def check(self, owner: Owner, amount: int) -> None:
        """Whether so much could be taken now.

        Raises:
            ShareError: it is more than the sender's share.
            FullError: it is more than is left.
        """
        most = self.of_known if owner.known else self.of_address
        if self.held[owner] + amount > most:
            told = f"{self.held[owner]} {self.what} of one sender are on the way, at most {most}"
            raise ShareError(told, retry_after=RETRY_SECONDS)
        left = self.total - self.used
        if not owner.known:
            left = min(left, self.total // 2 - self.used_unknown)
        if amount > left:
            raise FullError(f"{self.used} {self.what} are on the way, at most {self.total}", retry_after=RETRY_SECONDS)

    def take(self, owner: Owner, amount: int) -> None:
        """Take some; raises as :meth:`check`."""
        self.check(owner, amount)
        self.held[owner] += amount
        self.used += amount
        self.used_unknown += 0 if owner.known else amount

    def give(self, owner: Owner, amount: int) -> None:
        """Give back what was taken."""
        self.held[owner] -= amount
        if not self.held[owner]:
            del self.held[owner]
        self.used -= amount
        self.used_unknown -= 0 if owner.known else amount


@dataclass(slots=True, eq=False)
class _Waiter:
    amount: int
    let_in: anyio.Event = field(default_factory=anyio.Event)


@dataclass(slots=True)
class Memory:
    """Bytes of memory that are waited for: who holds the least is let in first, then who came first."""

    total: int
    held: Counter[Owner] = field(default_factory=Counter)
    waiting: dict[Owner, deque[_Waiter]] = field(default_factory=dict)
    used: int = 0

    async def enter(self, owner: Owner, amount: int) -> int:
        """Wait for memory; returns how much was given: what is more than there is at all gets all there is.

        Raises:
            FullError: there was none in good time.
        """
        waiter = _Waiter(min(amount, self.total))
        self.waiting.setdefault(owner, deque()).append(waiter)
        self._let_in()
        try:
            with anyio.move_on_after(WAIT_SECONDS):
                await waiter.let_in.wait()
        except BaseException:
            self._forget(owner, waiter)
            raise
        if not waiter.let_in.is_set():
            self._forget(owner, waiter)
            raise FullError("no memory for the body in good time", retry_after=RETRY_SECONDS)
        return waiter.amount

    def leave(self, owner: Owner, amount: int) -> None:
        """Give memory back."""
        self.used -= amount
        self.held[owner] -= amount
        if not self.held[owner]:
            del self.held[owner]
        self._let_in()

    def _let_in(self) -> None:
        while self.waiting:
            owner = min(self.waiting, key=lambda item: self.held[item])
            waiter = self.waiting[owner][0]
            if self.used + waiter.amount > self.total:
                return
            self._drop(owner, waiter)
            self.used += waiter.amount
            self.held[owner] += waiter.amount
            waiter.let_in.set()

    def _forget(self, owner: Owner, waiter: _Waiter) -> None:
        """Of one who no longer waits: it may have been let in meanwhile."""
        if waiter.let_in.is_set():
            self.leave(owner, waiter.amount)
            return
        self._drop(owner, waiter)
        self._let_in()

    def _drop(self, owner: Owner, waiter: _Waiter) -> None:
        with suppress(ValueError):
            self.waiting[owner].remove(waiter)
        if not self.waiting[owner]:
            del self.waiting[owner]


@dataclass(frozen=True, slots=True)
class Rooms:
    """All room of one web process."""

    bodies: Room
    disk: Room
    memory: Memory

    @classmethod
    def by(cls, settings: Settings) -> Rooms:
        """As the settings say."""
        most, disk = settings.max_bodies, settings.spool_bytes
        return cls(
            Room("bodies", most, max(1, most // 8), max(1, most // 32)),
            Room("bytes", disk, disk // 2, disk // 8),
            Memory(settings.body_memory_bytes),
        )
