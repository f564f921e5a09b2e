"""Keys and session tokens that come with requests: a guess is paid for before anybody looks it up.

A credential that this process knows as good from this address costs nothing, so that a neighbour who guesses cannot
shut out who works; any other takes its price first and gets it back when it turns out to be good.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from fastapi import Request

from api.kit.front.address import client_address, limit_key
from api.kit.limits import RateLimit
from api.kit.problems import RateLimitError
from docproc.errors import NotFoundError

WRONG_KEY_COST = 5
"""Tokens of the rate limit that a wrong key costs: guessing is slowed down."""
STALE_COST = 1
"""Tokens that a session's token costs that is over, as happens to everybody."""
KNOWN_SECONDS, MOST_KNOWN = 900.0, 20_000


@dataclass(slots=True)
class Known:
    """Credentials that were good a short while ago, as hashes with their address."""

    _until: OrderedDict[bytes, float] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def has(self, mark: bytes) -> bool:
        """Whether it was good within the last minutes."""
        with self._lock:
            return self._until.get(mark, -math.inf) > time.monotonic()

    def add(self, mark: bytes) -> None:
        """Note that it is good."""
        with self._lock:
            self._until[mark] = time.monotonic() + KNOWN_SECONDS
            self._until.move_to_end(mark)
            while len(self._until) > MOST_KNOWN:
                self._until.popitem(last=False)

    def drop(self, mark: bytes) -> None:
        """It is good no more."""
        with self._lock:
            self._until.pop(mark, None)


@dataclass(frozen=True, slots=True)
class Guess:
    """A credential that may be looked up now."""

    known: Known
    limit: RateLimit
    mark: bytes
    bucket: str
    paid: float

    def good(self) -> None:
        """It is somebody's: what was paid comes back."""
        self.known.add(self.mark)
        if self.paid:
            self.limit.give_back(self.bucket, self.paid)

    def wrong(self) -> None:
        """It is nobody's, though it may have been somebody's a moment ago."""
        self.known.drop(self.mark)


@contextmanager
def guessing(request: Request, credential: str) -> Iterator[None]:
    """Look up a secret that is no session or key: paid for first, given back unless there is no such thing.

    Raises:
        RateLimitError: too many from this address were wrong in the last minute.
    """
    tried = guess(request, credential)
    try:
        yield
    except NotFoundError:
        tried.wrong()
        raise
    tried.good()


def guess(request: Request, credential: str, cost: float = WRONG_KEY_COST) -> Guess:
    """Pay for a look at a credential.

    Raises:
        RateLimitError: too many from this address were wrong in the last minute.
    """
    known: Known = request.app.state.known
    limit: RateLimit = request.app.state.guesses
    address = limit_key(client_address(request))
    mark = hashlib.sha256(f"{address}\n{credential}".encode("utf-8", "surrogateescape")).digest()
    if known.has(mark):
        return Guess(known, limit, mark, address, 0.0)
    wait = limit.take(address, cost)
    if wait:
        raise RateLimitError("too many wrong keys or passwords", retry_after=math.ceil(wait))
    return Guess(known, limit, mark, address, cost)
