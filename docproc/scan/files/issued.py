"""Render the pages of an issued PDF and locate each of its text lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pymupdf

from docproc.domain import Box
from docproc.scan.image.geometry import MM_PER_INCH, Image

DPI = 200.0
_MM = MM_PER_INCH / 72.0


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One line of text as drawn."""

    text: str
    """Without white space."""
    boxes: tuple[Box, ...]
    """Box of each character, mm from the page's top-left corner."""
    page: int
    """0-based."""

    def part(self, start: int, end: int) -> PrintedLine:
        """Return the line reduced to characters ``start`` to ``end`` (exclusive)."""
        return PrintedLine(self.text[start:end], self.boxes[start:end], self.page)

    @property
    def box(self) -> Box:
        """Bounding box of all characters, mm."""
        x0, y0, x1, y1 = zip(*self.boxes, strict=True)
        return min(x0), min(y0), max(x1), max(y1)


@dataclass(frozen=True, slots=True, eq=False)
class IssuedPage:
    """One page of an issued file."""

    image: Image
    """BGR at :data:`DPI`, the seal included."""
    page_mm: tuple[float, float]
    lines: tuple[PrintedLine, ...]
    """In drawing order: the lines of one value are consecutive."""


def issued_pages(pdf: bytes) -> tuple[IssuedPage, ...]:
    """Render the pages of a file that this service issued; call it for no other file, it parses without a sandbox."""
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


class _Character(TypedDict):
    """One character in PyMuPDF's ``rawdict``."""

    c: str
    bbox: Box
    """Points."""


def _line(chars: Sequence[_Character], page: int) -> PrintedLine:
    visible = [item for item in chars if not item["c"].isspace()]
    boxes = tuple(_to_mm(item["bbox"]) for item in visible)
    return PrintedLine("".join(item["c"] for item in visible), boxes, page)


def _to_mm(points: Box) -> Box:
    x0, y0, x1, y1 = (float(value) * _MM for value in points)
    return x0, y0, x1, y1


def find_text(lines: Sequence[PrintedLine], text: str) -> list[list[PrintedLine]]:
    """Find every occurrence of a text: one line each, or several where the text was wrapped.

    Whole lines take precedence; otherwise the text is searched inside longer lines.
    """
    wanted = "".join(text.split())
    if not wanted:
        return []
    found, start = [], 0
    while start < len(lines):
        whole = _whole_lines(lines, start, wanted)
        if whole:
            found.append(whole)
        start = lines.index(whole[-1]) + 1 if whole else start + 1
    if found:
        return found
    return [[line.part(at, at + len(wanted))] for line in lines if (at := line.text.find(wanted)) >= 0]


def _whole_lines(lines: Sequence[PrintedLine], start: int, wanted: str) -> list[PrintedLine]:
    """The lines from ``start`` that make up the text; it may continue below the heading of the next page."""
    whole: list[PrintedLine] = []
    joined, index = "", start
    while joined != wanted:
        fits = (at for at in range(index, len(lines)) if wanted.startswith(joined + lines[at].text))
        found = next(fits, None)
        here = found == index
        if found is None or (not here and (not whole or lines[found].page != whole[-1].page + 1)):
            return []
        whole.append(lines[found])
        joined, index = joined + lines[found].text, found + 1
    return whole
