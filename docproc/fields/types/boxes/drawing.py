"""A plan or sketch."""

from __future__ import annotations

from docproc.fields.field_type import FieldType, Ink

TYPE = FieldType(
    name="drawing",
    kind="drawing",
    ink=Ink(8.0, 60.0, 35.0, 12.0),  # measured on generated pages: a sketch has 150 mm² of ink and more
    mask=None,
    sensitive=False,
    prefill="never",
)
