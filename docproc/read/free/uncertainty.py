"""Detect values that are probably incomplete or contain other text, although every character reads well."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from docproc.domain import Field
from docproc.fields import find_type
from docproc.read.decoding.confidence import lower_confidence
from docproc.read.free.key_value import Segment, Value, may_continue

SMALL_PX = 14.0
"""Lines lower than this have characters of less than about 12 px: the strokes of similar characters (舍 and 含) merge,
and the recogniser guesses with high posteriors."""


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
    kind = find_type(type_name)
    uncertain = (
        value.label.open_end
        or (kind.is_prose and any(may_continue(value, segment) for segment in loose))
        or kind.incomplete(item.value)
        or (kind.is_unchecked and median(segment.h for segment in value.segments) < SMALL_PX)
    )
    return lower_confidence(item) if uncertain else item
