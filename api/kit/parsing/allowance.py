"""CPU time that callers may have spent on what they send, in this process's memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Allowance:
    """Seconds of CPU by caller, refilled evenly over a minute; what is paid after the work may lead into debt."""

    per_minute: float
    most_callers: int = 50_000
    clock: Callable[[], float] = time.monotonic
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait(self, caller: str) -> float:
        """Seconds until a caller is out of debt; 0: now."""
        level = self._level(caller)
        return 0.0 if level > 0 else max(1.0, -level / (self.per_minute / 60))

    def pay(self, caller: str, cpu_s: float) -> None:
        """Take what was used."""
        if cpu_s <= 0:
            return
        if len(self._levels) >= self.most_callers:
            self._forget()
        self._levels[caller] = (self._level(caller) - cpu_s, self.clock())

    def _level(self, caller: str) -> float:
        now = self.clock()
        level, then = self._levels.get(caller, (self.per_minute, now))
        return min(self.per_minute, level + (now - then) * self.per_minute / 60)

    def _forget(self) -> None:
        """Drop callers whose allowance is full again, and of the others those who owe least, down to half."""
        levels = sorted((self._level(caller), caller) for caller in self._levels)
        kept = [caller for level, caller in levels if level < self.per_minute][: self.most_callers // 2]
        self._levels = {caller: self._levels[caller] for caller in kept}
