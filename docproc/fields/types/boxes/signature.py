"""A signature or fingerprint."""

from __future__ import annotations

from docproc.fields.field_type import FieldType, Ink

TYPE = FieldType(
    name="signature",
    kind="mark",
    ink=Ink(0.8, 3.0, 4.0, 2.2),  # measured on generated pages: the faintest signature has 4.5 mm² of ink
    mask=None,
    sensitive=False,
    prefill="never",
)
