"""Rows of columns, each column of a type of its own."""

from __future__ import annotations

from docproc.fields.field_type import FieldType

TYPE = FieldType(name="table", kind="table", mask=None, sensitive=False, prefill="never")
