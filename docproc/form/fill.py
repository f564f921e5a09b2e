"""Positions of the text when values are filled into a form.

Both the printing of filled forms and the generator of samples use this module, so the same text gets the same position.
Lengths are millimetres from the page's top-left corner.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from docproc.domain import Box
from docproc.errors import InputError
from docproc.form.layout import FieldBox, FormLayout

TEXT_MM = 4.4
"""Default text size."""
SMALLEST_MM = 2.2
CELL_SHARE = 0.72
"""Size of a character in a comb cell, share of the cell's smaller side."""
LEADING = 1.3
NARROW = 0.58
"""Upper bound of the advance of a Latin letter or digit in the fonts in use, ems."""
CLOSING = frozenset("，。；：、）”》,.;:)")

PlacementKind = Literal["line", "cell", "tick"]


@dataclass(frozen=True, slots=True)
class Placement:
    """A text or tick at its position."""

    name: str
    """The field it belongs to."""
    page: int
    kind: PlacementKind
    """``line``: left-aligned, centred vertically in the box; ``cell``: one centred character; ``tick``: a tick box."""
    text: str
    """Empty for a tick."""
    box: Box
    size_mm: float
    """Em size."""


def placements(layout: FormLayout, values: Mapping[str, str]) -> list[Placement]:
    """Place the values of a form, by field name.

    Choices are option keys joined by ``,``; dates are ISO days; table cells are named ``table.row.column``. Signatures,
    seals and drawings are left out.

    Raises:
        InputError: unknown name or option, or a value that does not fit.
    """
    places = {place.name: place for place in layout.fields}
    unknown = sorted(set(values) - set(places))
    if unknown:
        raise InputError(f"form {layout.material} has no field {', '.join(unknown)}; see `docproc form --layout`")
    found: list[Placement] = []
    for place in layout.fields:
        value = values.get(place.name, "").strip()
        if value and not place.field_type.is_presence:
            found += _place(place, value)
    return found


def _place(place: FieldBox, value: str) -> list[Placement]:
    if place.options:
        return _ticks(place, value)
    if place.cells is not None:
        return _cells(place, value)
    return _lines(place, place.field_type.printed.line(value))


def _ticks(place: FieldBox, value: str) -> list[Placement]:
    boxes = {option.value: option.box for option in place.options}
    chosen = [key.strip() for key in value.split(",") if key.strip()]
    for key in chosen:
        if key not in boxes:
            raise InputError(f"{place.name} has no option {key!r}; it has {', '.join(boxes)}")
    return [Placement(place.name, place.page, "tick", "", boxes[k], boxes[k][3] - boxes[k][1]) for k in chosen]


def _cells(place: FieldBox, value: str) -> list[Placement]:
    text = place.field_type.printed.cells(value)
    boxes = place.cell_boxes()
    if len(text) > len(boxes):
        raise InputError(f"{place.name}: {len(text)} characters do not fit into {len(boxes)} cells")
    found = []
    for character, box in zip(text, boxes, strict=False):
        size = CELL_SHARE * min(box[2] - box[0], box[3] - box[1]) / NARROW * 0.9
        size = min(size, CELL_SHARE * (box[3] - box[1]))
        found.append(Placement(place.name, place.page, "cell", character, box, size))
    return found


def _lines(place: FieldBox, value: str) -> list[Placement]:
    x0, y0, x1, y1 = place.box
    size, lines = fit(value, x1 - x0 - 0.8, y1 - y0, place.lines)
    if size < SMALLEST_MM:
        raise InputError(f"{place.name}: the text is too long for its box; shorten it")
    step = (y1 - y0) / max(len(lines), place.lines)
    return [
        Placement(place.name, place.page, "line", line, (x0, y0 + i * step, x1, y0 + (i + 1) * step), size)
        for i, line in enumerate(lines)
    ]


def advance(character: str) -> float:
    """Return the maximum advance of a character in ems."""
    return 1.0 if unicodedata.east_asian_width(character) in "WFA" else NARROW


def wrap(text: str, width_em: float) -> list[str]:
    """Wrap text into lines of at most this width; a closing punctuation mark never begins a line."""
    lines, line, used = [], "", 0.0
    for character in text:
        if character == "\n":
            lines.append(line)
            line, used = "", 0.0
            continue
        need = advance(character)
        if line and used + need > width_em:
            kept = -1 if character in CLOSING and len(line) > 1 else len(line)
            lines.append(line[:kept])
            line = line[kept:]
            used = sum(map(advance, line))
        line, used = line + character, used + need
    return [*lines, line] if line or not lines else lines


def fit(text: str, width: float, height: float, lines: int, largest: float = TEXT_MM) -> tuple[float, list[str]]:
    """Return the largest size (mm) at which a text fits into a box, and its lines.

    The box's number of lines is kept as long as the text is legible; below three quarters of ``largest`` the text may
    take more lines.
    """
    size = largest
    while True:
        found = wrap(text, (width - size * 0.3) / size)
        room = lines if size > largest * 0.75 else max(lines, int(height / (size * LEADING)))
        if (len(found) <= room and len(found) * size * 1.05 <= height) or size < SMALLEST_MM:
            return size, found
        size *= 0.96
