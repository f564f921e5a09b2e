"""CPU time of parsers in the sandbox: of this whole process, and of one piece of work, so that its caller can pay."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """CPU seconds of the parsers that ran for one piece of work, those that were stopped among them."""

    cpu_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, seconds: float) -> None:
        """Count some more."""
        with self.lock:
            self.cpu_s += seconds


_ALL = Meter()
_METERS: ContextVar[tuple[Meter, ...]] = ContextVar("meters", default=())


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what parsers use in this thread, or this task, until the block ends; meters may be nested."""
    meter = Meter()
    token = _METERS.set((*_METERS.get(), meter))
    try:
        yield meter
    finally:
        _METERS.reset(token)


def spend(seconds: float) -> None:
    """Enter the CPU time of a child that ended or was stopped."""
    _ALL.add(seconds)
    for meter in _METERS.get():
        meter.add(seconds)


def cpu_seconds() -> float:
    """CPU time of this process so far, with its children's: those that ended, and those in which parsers ran."""
    return sum(os.times()[:4]) + _ALL.cpu_s
