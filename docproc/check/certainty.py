"""How certain a reading is, and whether two readings certainly say different things."""

from __future__ import annotations

from difflib import SequenceMatcher

from docproc.domain import Field
from docproc.fields import normalise_text

SURE = 0.80
"""Confidence from which a reading may count against a citizen."""
SURE_WHEN_NEAR = 0.98
"""The same where the two readings differ by about one character, as a misreading would."""
NEAR = 0.75
"""Similarity (difflib ratio) from which a difference may be a misreading."""


def is_sure(*fields: Field | None, least: float = SURE) -> bool:
    """Whether every reading is certain enough to count against a citizen."""
    return all(f is not None and (f.source in ("registry", "person") or f.confidence >= least) for f in fields)


def are_near(left: str, right: str) -> bool:
    """Whether two values differ by so little that one of them may be a misreading of the other."""
    return SequenceMatcher(None, left, right, autojunk=False).ratio() >= NEAR


def differ(left: Field | None, right: Field | None) -> bool | None:
    """Whether two readings of the same field on two papers say different things.

    Returns:
        ``None``: they do as read, but the readings are not certain. ``False`` also where one of them is blank or not
        read, or where the difference is as small as a misreading and not certain.
    """
    if left is None or right is None or not left.value or not right.value:
        return False
    if normalise_text(left.value) == normalise_text(right.value):
        return False
    near = are_near(left.value, right.value)
    if is_sure(left, right, least=SURE_WHEN_NEAR if near else SURE):
        return True
    return False if near else None
