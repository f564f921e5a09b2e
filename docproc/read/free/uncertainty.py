"""Doubt in a value that reads well but does not look whole: every character may be sure and half of them missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import TypeVar

from docproc.domain import Field
from docproc.read.decoding.decode import Decoded
from docproc.read.decoding.values import has_firm_suffix
from docproc.read.free.key_value import Segment, Value, goes_on

Doubted = TypeVar("Doubted", Field, Decoded)
DOUBT = 0.5
"""Confidence at most, where a person must look."""
WHOLE_NAME = 4
"""Han characters of a person's name without a middle dot; longer ones are rare, and mostly other print."""
SMALL = 14.0
"""Lines lower than this (pixels) have characters of less than about 12, at which the strokes of look-alikes (舍 and 含)
run together, and the reader guesses with confidence."""
MANY_LINES = frozenset({"address", "scope", "cn_name", "text"})


def doubt_shape(type_name: str, item: Field, value: Value | None, loose: Sequence[Segment]) -> Field:
    """Lower the confidence of a value that may have lost a part or taken in another's.

    Args:
        type_name: of the field.
        item: what was read.
        value: the pieces of print it was read from.
        loose: pieces that belong to no label.
    """
    if not item.value or value is None:
        return item
    cut = type_name in MANY_LINES and any(goes_on(value, piece) for piece in loose)
    strange = type_name == "cn_name" and not has_firm_suffix(item.value)
    long = type_name == "person_name" and len(item.value) > WHOLE_NAME and not {"·", " "} & set(item.value)
    taken = value.label.open_end
    small = type_name in MANY_LINES | {"person_name"} and median(segment.h for segment in value.segments) < SMALL
    return doubted(item) if cut or strange or small or taken or (long and not item.value.isascii()) else item


def doubted(item: Doubted) -> Doubted:
    """The same value, for a person to look at."""
    return replace(item, confidence=min(item.confidence, DOUBT))
