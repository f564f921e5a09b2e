"""Detect values that are probably incomplete or contain other text, although every character reads well."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from docproc.domain import Field
from docproc.read.decoding.confidence import lower_confidence
from docproc.read.decoding.values import has_firm_suffix
from docproc.read.free.key_value import Segment, Value, may_continue

MAX_NAME = 4
"""Han characters of a person's name without a middle dot; longer ones are rare, and mostly contain other text."""
SMALL_PX = 14.0
"""Lines lower than this have characters of less than about 12 px: the strokes of similar characters (舍 and 含) merge,
and the recogniser guesses with high posteriors."""
MULTILINE = frozenset({"address", "scope", "cn_name", "text"})
"""Types whose values may take several lines."""


def check_completeness(type_name: str, item: Field, value: Value | None, loose: Sequence[Segment]) -> Field:
    """Lower the confidence of a value that may lack a part or contain another's text.

    Args:
        type_name: of the field.
        item: the field as read.
        value: the segments it was read from.
        loose: segments that belong to no label.
    """
    if not item.value or value is None:
        return item
    uncertain = (
        value.label.open_end
        or _is_cut(type_name, value, loose)
        or _is_unlikely_name(type_name, item.value)
        or _is_small(type_name, value)
    )
    return lower_confidence(item) if uncertain else item


def _is_cut(type_name: str, value: Value, loose: Sequence[Segment]) -> bool:
    return type_name in MULTILINE and any(may_continue(value, segment) for segment in loose)


def _is_unlikely_name(type_name: str, text: str) -> bool:
    if type_name == "cn_name":
        return not has_firm_suffix(text)
    han_only = not {"·", " "} & set(text) and not text.isascii()
    return type_name == "person_name" and len(text) > MAX_NAME and han_only


def _is_small(type_name: str, value: Value) -> bool:
    return type_name in MULTILINE | {"person_name"} and median(segment.h for segment in value.segments) < SMALL_PX
