"""From persons' corrections to the confidence from which a field may be believed."""

from __future__ import annotations

from collections.abc import Sequence

WRONG_AT_MOST = 0.005
"""Share of wrong values among those believed that is borne, as for free text in the reading's own targets."""
FEWEST = 50
"""Fewest reviewed values for a statement."""


def threshold(reviewed: Sequence[tuple[float, bool]], wrong_at_most: float = WRONG_AT_MOST) -> float | None:
    """The lowest confidence from which the share of wrong values is borne.

    Args:
        reviewed: for each value that an official has seen its confidence (0..1) and whether it was changed.
        wrong_at_most: share of wrong values that is borne, 0..1.

    Returns:
        0..1 in steps of 0.01; above 1 (``1.01``) where even the surest values are wrong too often; ``None`` with fewer
        than :data:`FEWEST` values.
    """
    if len(reviewed) < FEWEST:
        return None
    best = 1.01
    for step in range(100, -1, -1):
        believed = [wrong for confidence, wrong in reviewed if confidence >= step / 100]
        if believed and sum(believed) > wrong_at_most * len(believed):
            break
        best = step / 100
    return best
