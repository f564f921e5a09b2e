"""The two bounds that evidence beside the text itself sets on a confidence."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from docproc.domain import Field
from docproc.read.decoding.decode import Decoded

Rated = TypeVar("Rated", Field, Decoded)

LOW = 0.5
"""Upper bound for a value that a reviewer must check."""
CONFIRMED = 0.97
"""Lower bound for a value that a second source on the page confirms."""


def lower_confidence(item: Rated) -> Rated:
    """Return the item with a confidence of at most :data:`LOW`."""
    return replace(item, confidence=min(item.confidence, LOW))


def raise_confidence(item: Rated) -> Rated:
    """Return the item with a confidence of at least :data:`CONFIRMED`."""
    return replace(item, confidence=max(item.confidence, CONFIRMED))
