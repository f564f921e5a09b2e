"""Personal data with its middle hidden, for those who do not need all of it."""

from __future__ import annotations

from docproc.fields.field_type import FieldType, hide_middle


def masked(kind: FieldType | None, value: str | None) -> str | None:
    """The value as somebody sees it who works on something else; an unknown kind is hidden like an identity number."""
    mask = hide_middle if kind is None else kind.mask
    return value if not value or mask is None else mask(value)
