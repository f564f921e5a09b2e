"""The impression of a seal."""

from __future__ import annotations

from docproc.fields.field_type import FieldType, Ink

TYPE = FieldType(
    name="seal",
    kind="mark",
    ink=Ink(2.0, 15.0, 9.0, 8.0, stamped=True),  # measured on generated pages: the palest seal has 24 mm² of ink
    mask=None,
    sensitive=False,
    prefill="never",
)
