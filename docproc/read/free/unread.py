"""The fields of a page that only a person named: all of them unread, so that a person can enter them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from docproc.domain import Field, PageReading
from docproc.matter.model import FieldSpec, Matter


def with_unread_fields(reading: PageReading, matter: Matter) -> PageReading:
    """The page with every field of its material and side, unread, where none of them was read."""
    if reading.material is None or reading.fields:
        return reading
    names = [name for spec in _on_page(matter, reading.material, reading.page) for name in _names(spec)]
    return replace(reading, fields={name: Field(name, None, "", 0.0, None, reading.page) for name in names})


def _on_page(matter: Matter, material: str, page: int) -> list[FieldSpec]:
    spec = matter.find_material(material)
    if spec.kind == "free":
        return [item for item in spec.field if item.page == page]
    form = matter.find_form(material)
    rows = form.page[page - 1].rows if page <= len(form.page) else ()
    there = {name for row in rows for name in row}
    return [item for item in form.field if item.name in there]


def _names(spec: FieldSpec) -> Iterator[str]:
    """Names under which the field is read; of a table, those of the rows that must be there, or of one row."""
    if spec.field_type.kind != "table":
        yield spec.name
    for row in range(1, max(spec.min_rows, 1) + 1):
        yield from (f"{spec.name}.{row}.{column.name}" for column in spec.columns)
