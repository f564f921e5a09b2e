"""Whose file is opened next: callers in turn, each one's own files in the order of their arrival.

A file gets the place after its caller's last one, or the place that is being served now, whichever is later (start-time
fair queueing, as :mod:`docproc.flow.jobs.fair_queue` does for readers): who sends much at once stands behind himself,
and who comes new waits for about one file of each other caller.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.kit.problems import RateLimitError
from docproc.errors import BusyError


class Turns:
    """A number of slots and a waiting room; to be used within one event loop."""

    def __init__(self, slots: int, room: int, room_of_one: int, wait_s: float) -> None:
        """Set the limits.

        Args:
            slots: files that are opened at a time.
            room: files that may wait.
            room_of_one: of them those of one caller.
            wait_s: longest time to wait.
        """
        self._free, self._room, self._room_of_one, self._wait_s = slots, room, room_of_one, wait_s
        self._waiting: list[tuple[int, int, str, asyncio.Future[None]]] = []
        self._counts: Counter[str] = Counter()
        self._last: dict[str, int] = {}
        self._now = 0
        self._tickets = itertools.count()

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for a slot and hold it during the block.

        Raises:
            RateLimitError: so many files of this caller wait already.
            BusyError: the room is full, or no slot came free in time.
        """
        place = self._place(caller)
        if self._free:
            self._free -= 1
            self._now = place
        else:
            await self._wait(caller, place)
        try:
            yield
        finally:
            self._hand_on()

    def _place(self, caller: str) -> int:
        place = max(self._now, self._last.get(caller, -1) + 1)
        self._last[caller] = place
        if len(self._last) > 1000:
            self._last = {name: last for name, last in self._last.items() if last >= self._now}
        return place

    async def _wait(self, caller: str, place: int) -> None:
        if self._counts[caller] >= self._room_of_one:
            raise RateLimitError(f"{self._room_of_one} files of this caller wait already", retry_after=10)
        if self._counts.total() >= self._room:
            raise BusyError(f"{self._room} files wait to be opened", retry_after=20)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (place, next(self._tickets), caller, turn))
        self._counts[caller] += 1
        try:
            await asyncio.wait_for(turn, self._wait_s)
        except TimeoutError:
            raise BusyError(f"no file could be opened for {self._wait_s:.0f} s", retry_after=20) from None
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on()
            raise
        finally:
            self._counts[caller] -= 1
            self._counts += Counter()

    def _hand_on(self) -> None:
        """Give the slot to who is next; those who went away are passed over."""
        while self._waiting:
            place, _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._now = max(self._now, place)
                turn.set_result(None)
                return
        self._free += 1
