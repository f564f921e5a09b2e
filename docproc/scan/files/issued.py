"""A page that we issued as PDF: how it looks, and where each of its lines stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pymupdf

from docproc.domain import Box
from docproc.scan.image.geometry import MM_PER_INCH, Image

DPI = 200.0
_MM = MM_PER_INCH / 72.0


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One line as it was drawn."""

    text: str
    """Without white space."""
    boxes: tuple[Box, ...]
    """Of each character, mm from the page's top left corner."""
    page: int
    """0-based."""

    def part(self, start: int, end: int) -> PrintedLine:
        """Some of its characters."""
        return PrintedLine(self.text[start:end], self.boxes[start:end], self.page)

    @property
    def box(self) -> Box:
        """Around all its characters."""
        x0, y0, x1, y1 = zip(*self.boxes, strict=True)
        return min(x0), min(y0), max(x1), max(y1)


@dataclass(frozen=True, slots=True, eq=False)
class IssuedPage:
    """One page of an issued file."""

    image: Image
    """BGR at :data:`DPI`, the seal included."""
    page_mm: tuple[float, float]
    lines: tuple[PrintedLine, ...]
    """In the order of drawing: lines of one value follow each other."""


def issued_pages(pdf: bytes) -> tuple[IssuedPage, ...]:
    """Draw the pages of a file out of our own register; do not call it on a stranger's."""
    with pymupdf.open(stream=pdf, filetype="pdf") as document:
        return tuple(_page(document, number) for number in range(document.page_count))


def _page(document: pymupdf.Document, number: int) -> IssuedPage:
    page = document[number]
    pixels = page.get_pixmap(dpi=round(DPI), alpha=False)
    rgb = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3)
    spans = [
        span["chars"]
        for block in page.get_text("rawdict")["blocks"]
        for line in block.get("lines", [])
        for span in line["spans"]
    ]
    lines = tuple(line for line in (_line(chars, number) for chars in spans) if line.text)
    return IssuedPage(np.ascontiguousarray(rgb[:, :, ::-1]), (page.rect.width * _MM, page.rect.height * _MM), lines)


def _line(chars: Sequence[dict[str, object]], page: int) -> PrintedLine:
    seen = [item for item in chars if not str(item["c"]).isspace()]
    boxes = tuple(_box(item["bbox"]) for item in seen)
    return PrintedLine("".join(str(item["c"]) for item in seen), boxes, page)


def _box(bounds: object) -> Box:
    x0, y0, x1, y1 = (float(value) * _MM for value in bounds)  # type: ignore[attr-defined]
    return x0, y0, x1, y1


def find_text(lines: Sequence[PrintedLine], text: str) -> list[list[PrintedLine]]:
    """Where a text is printed: places of one or, when it was wrapped, several lines.

    Whole lines are preferred; a text that only stands inside a longer line is found there.
    """
    wanted = "".join(text.split())
    if not wanted:
        return []
    places, start = [], 0
    while start < len(lines):
        place = _whole_lines(lines, start, wanted)
        if place:
            places.append(place)
        start = lines.index(place[-1]) + 1 if place else start + 1
    if places:
        return places
    return [[line.part(at, at + len(wanted))] for line in lines if (at := line.text.find(wanted)) >= 0]


def _whole_lines(lines: Sequence[PrintedLine], start: int, wanted: str) -> list[PrintedLine]:
    """The lines from ``start`` that are the text; from one page it may go on below the heading of the next."""
    place: list[PrintedLine] = []
    joined, index = "", start
    while joined != wanted:
        fits = (at for at in range(index, len(lines)) if wanted.startswith(joined + lines[at].text))
        found = next(fits, None)
        here = found == index
        if found is None or (not here and (not place or lines[found].page != place[-1].page + 1)):
            return []
        place.append(lines[found])
        joined, index = joined + lines[found].text, found + 1
    return place
