"""Any number of several options."""

from __future__ import annotations

from docproc.fields.field_type import FieldType
from docproc.fields.types.boxes.choice import enum

TYPE = FieldType(
    name="choices",
    kind="choice",
    several=True,
    validator=enum,
    example="a,b",
    wrong=",",
    mask=None,
    sensitive=False,
    prefill="never",
)
