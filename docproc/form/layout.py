"""The layout of a printed form: the position of every field, in millimetres from the page's top-left corner.

The layout depends on the matter file only, so the printing and the reading program cannot disagree. Each page is a
table of rows; a row holds one or more fields, each with a label cell and a value cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from docproc.domain import Box
from docproc.errors import NotFoundError
from docproc.fields import FIELD_TYPES, FieldType
from docproc.marks import A4_MM, MARGIN_MM, MARK_MM
from docproc.matter.model import FieldSpec, Form, Matter, Option, TypeName

TABLE_LEFT, TABLE_RIGHT = 18.0, 192.0
TABLE_TOP = 46.0
"""Below the marks, the QR code, the title and the page's heading."""
TABLE_BOTTOM = 297.0 - MARGIN_MM - MARK_MM - 12.0
LABEL_MM = 30.0
ROW_MM = 11.0
LINE_MM = 9.0
"""Height of each further line of writing."""
CELL_MM = 7.0
"""Widest comb cell."""
PAD_MM = 1.2
OPTION_BOX_MM = 4.0
OPTION_FONT_MM = 3.9
OPTION_ROW_MM = 7.5
HEADER_MM = 8.0
TABLE_ROW_MM = 10.0
DRAWING_LINE_MM = 10.0


@dataclass(frozen=True, slots=True)
class OptionBox:
    """A tick box: its key, its printed label and its square, mm."""

    value: str
    label: str
    box: Box


@dataclass(frozen=True, slots=True)
class FieldBox:
    """The box of one field."""

    name: str
    """Field name; ``table.row.column`` inside tables."""
    label: str
    type: TypeName
    page: int
    box: Box
    """The writing area, mm."""
    cells: int | None
    options: tuple[OptionBox, ...]
    label_box: Box | None
    """Cell of the printed label, ``None`` inside tables."""
    required: bool
    lines: int
    unit: str
    lexicon: tuple[str, ...] = field(default=(), compare=False)
    """Usual values; they may change without a new edition of the form."""

    @property
    def field_type(self) -> FieldType:
        """The record of its type."""
        return FIELD_TYPES[self.type]

    def cell_boxes(self) -> tuple[Box, ...]:
        """Return the comb cells from left to right, or the whole box without a comb."""
        x0, y0, x1, y1 = self.box
        count = self.cells or 1
        step = (x1 - x0) / count
        return tuple((x0 + i * step, y0, x0 + (i + 1) * step, y1) for i in range(count))


@dataclass(frozen=True, slots=True)
class Caption:
    """Printed text that is not a field's label: a table's name and its column heads."""

    page: int
    box: Box
    text: str


@dataclass(frozen=True, slots=True)
class FormLayout:
    """The layout of one edition of a form."""

    matter: str
    edition: str
    material: str
    pages: int
    page_mm: tuple[float, float]
    fields: tuple[FieldBox, ...]
    captions: tuple[Caption, ...]

    def on_page(self, page: int) -> tuple[FieldBox, ...]:
        """Return the field boxes of one page (1-based)."""
        return tuple(p for p in self.fields if p.page == page)

    def to_json(self) -> dict[str, Any]:
        """Return the stable JSON of ``docproc form --layout``."""
        return {
            "matter": self.matter,
            "edition": self.edition,
            "material": self.material,
            "pages": self.pages,
            "page_mm": list(self.page_mm),
            "fields": [
                {
                    "name": p.name,
                    "label": p.label.replace("\n", ""),
                    "type": p.type,
                    "page": p.page,
                    "box": _rounded(p.box),
                    "cells": p.cells,
                    "options": [{"value": o.value, "label": o.label, "box": _rounded(o.box)} for o in p.options],
                }
                for p in self.fields
            ],
        }


def _rounded(box: Box) -> list[float]:
    return [round(v, 3) for v in box]


def layout_of(matter: Matter, form: Form) -> FormLayout:
    """Compute the layout of a form.

    Raises:
        NotFoundError: the rows of a page do not fit on it.
    """
    boxes: list[FieldBox] = []
    captions: list[Caption] = []
    specs = {spec.name: spec for spec in form.field}
    for number, page in enumerate(form.page, 1):
        y = TABLE_TOP
        for row in page.rows:
            fields = [specs[name] for name in row]
            height = max(_height(spec, _value_width(spec, fields)) for spec in fields)
            if fields[0].field_type.kind == "table":
                captions += _table_captions(fields[0], number, y)
                boxes += _table_boxes(fields[0], number, y)
            else:
                boxes += _row_boxes(fields, number, y, height)
            y += height
        if y > TABLE_BOTTOM:
            raise NotFoundError(
                f"{matter.id} {form.material} {form.edition}: page {number} is {y - TABLE_BOTTOM:.1f} mm too long; "
                "move rows to another [[form.page]]"
            )
    return FormLayout(matter.id, form.edition, form.material, len(form.page), A4_MM, tuple(boxes), tuple(captions))


def _value_width(spec: FieldSpec, row: list[FieldSpec]) -> float:
    total = sum(s.width for s in row)
    return (TABLE_RIGHT - TABLE_LEFT) * spec.width / total - _label_width(row)


def _label_width(row: list[FieldSpec]) -> float:
    return LABEL_MM if len(row) < 3 else 22.0


def _height(spec: FieldSpec, width: float) -> float:
    kind = spec.field_type.kind
    if kind == "table":
        return HEADER_MM + spec.rows * TABLE_ROW_MM
    if kind == "choice":
        return max(ROW_MM, 2.5 + OPTION_ROW_MM * len(_option_rows(spec.options, width)))
    if kind == "drawing":
        return spec.lines * DRAWING_LINE_MM
    return ROW_MM + (spec.lines - 1) * LINE_MM


def _option_width(option: Option) -> float:
    return OPTION_BOX_MM + 1.2 + OPTION_FONT_MM * len(option.label) + 4.0


def _option_rows(options: tuple[Option, ...], width: float) -> list[list[Option]]:
    rows: list[list[Option]] = [[]]
    used = 0.0
    for option in options:
        need = _option_width(option)
        if rows[-1] and used + need > width - 2 * PAD_MM:
            rows.append([])
            used = 0.0
        rows[-1].append(option)
        used += need
    return rows


def _option_boxes(options: tuple[Option, ...], box: Box) -> tuple[OptionBox, ...]:
    x0, y0, x1, y1 = box
    rows = _option_rows(options, x1 - x0)
    found = []
    for index, row in enumerate(rows):
        middle = y0 + (y1 - y0) * (index + 0.5) / len(rows)
        x = x0 + 2 * PAD_MM
        for option in row:
            half = OPTION_BOX_MM / 2
            found.append(OptionBox(option.value, option.label, (x, middle - half, x + OPTION_BOX_MM, middle + half)))
            x += _option_width(option)
    return tuple(found)


def _comb(box: Box, cells: int | None) -> Box:
    """Shrink a value cell to its comb: cells of at most :data:`CELL_MM`, with a margin on all sides."""
    x0, y0, x1, y1 = box
    if cells is None:
        return (x0 + PAD_MM, y0 + PAD_MM / 2, x1 - PAD_MM, y1 - PAD_MM / 2)
    width = min(CELL_MM * cells, x1 - x0 - 2 * PAD_MM)
    height = min(y1 - y0 - 2 * PAD_MM, 8.6)
    middle = (y0 + y1) / 2
    return (x0 + PAD_MM, middle - height / 2, x0 + PAD_MM + width, middle + height / 2)


def _row_boxes(row: list[FieldSpec], page: int, y: float, height: float) -> list[FieldBox]:
    found = []
    total = sum(spec.width for spec in row)
    x = TABLE_LEFT
    for spec in row:
        width = (TABLE_RIGHT - TABLE_LEFT) * spec.width / total
        label_box = (x, y, x + _label_width(row), y + height)
        unit = 8.0 if spec.unit else 0.0
        value = (label_box[2], y, x + width - unit, y + height)
        options = _option_boxes(spec.options, value) if spec.options else ()
        found.append(
            FieldBox(
                spec.name,
                spec.label,
                spec.type,
                page,
                value if spec.options else _comb(value, spec.cells),
                spec.cells,
                options,
                label_box,
                spec.required,
                spec.lines,
                spec.unit,
                spec.usual,
            )
        )
        x += width
    return found


def _columns(spec: FieldSpec) -> list[tuple[float, float]]:
    left = TABLE_LEFT + 12.0
    total = sum(c.width for c in spec.columns)
    edges, x = [], left
    for column in spec.columns:
        width = (TABLE_RIGHT - left) * column.width / total
        edges.append((x, x + width))
        x += width
    return edges


def _table_captions(spec: FieldSpec, page: int, y: float) -> list[Caption]:
    bottom = y + _height(spec, 0)
    found = [Caption(page, (TABLE_LEFT, y, TABLE_LEFT + 12.0, bottom), spec.label)]
    for column, (x0, x1) in zip(spec.columns, _columns(spec), strict=True):
        found.append(Caption(page, (x0, y, x1, y + HEADER_MM), column.label))
    return found


def _table_boxes(spec: FieldSpec, page: int, y: float) -> list[FieldBox]:
    found = []
    for row in range(1, spec.rows + 1):
        top = y + HEADER_MM + (row - 1) * TABLE_ROW_MM
        for column, (x0, x1) in zip(spec.columns, _columns(spec), strict=True):
            cell = (x0, top, x1, top + TABLE_ROW_MM)
            options = _option_boxes(column.options, cell) if column.options else ()
            found.append(
                FieldBox(
                    f"{spec.name}.{row}.{column.name}",
                    f"{spec.label}第{row}行{column.label}",
                    column.type,
                    page,
                    cell if options else _comb(cell, column.cells),
                    column.cells,
                    options,
                    None,
                    spec.required and row <= spec.min_rows and column.required,
                    1,
                    "",
                    column.usual,
                )
            )
    return found
