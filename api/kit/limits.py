"""Requests a minute from one address; what a body may be, its route says (:mod:`api.kit.bodies`)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from threading import Lock


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
