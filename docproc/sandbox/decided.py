"""What was too dear to open is not opened again by this process: a verdict on bytes that only cost once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from docproc.errors import InputError, OverdueError
from docproc.sandbox.spent import metered

T = TypeVar("T")

DEAR_SECONDS = 1.0
"""CPU time from which a refusal is remembered; a cheaper one costs less to find again than to keep."""
MOST = 10_000
"""Refusals that are remembered, the latest ones."""


class Decided:
    """Refusals by what was asked: hashes of the bytes and the limits that they met."""

    def __init__(self, most: int = MOST) -> None:
        """Remember at most so many."""
        self._most = most
        self._known: OrderedDict[Sequence[str], InputError] = OrderedDict()
        self._lock = threading.Lock()

    def once(self, asked: tuple[str, ...], work: Callable[[], T]) -> T:
        """Do the work, unless it was refused before after costing much.

        Args:
            asked: what determines the answer: hashes, and limits, so that a raised limit asks again.
            work: runs the parser.

        Raises:
            InputError: as the work did, now or before.
        """
        with self._lock:
            known = self._known.get(asked)
        if known is not None:
            raise type(known)(str(known), message_zh=known.message_zh, code=known.code)
        with metered() as meter:
            try:
                return work()
            except InputError as error:
                if meter.cpu_s >= DEAR_SECONDS and not isinstance(error, OverdueError):
                    self._keep(asked, error)
                raise

    def _keep(self, asked: tuple[str, ...], error: InputError) -> None:
        with self._lock:
            self._known[asked] = type(error)(str(error), message_zh=error.message_zh, code=error.code)
            while len(self._known) > self._most:
                self._known.popitem(last=False)


DECIDED = Decided()
"""Of this process."""
