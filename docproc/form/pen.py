"""Draw on PDF pages in millimetres; the only module of ``form`` that imports PyMuPDF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pymupdf

from docproc.domain import Box
from docproc.form.fonts import subset_font

PT = 72.0 / 25.4
"""Points in a millimetre."""
CAP = 0.36
"""Half the height of a full-width character over its baseline, in ems: centres text vertically."""

Align = Literal["left", "centre", "right"]
Face = Literal["serif", "sans"]


@dataclass(frozen=True, slots=True)
class Faces:
    """Font files for body text and for headings."""

    serif: Path
    sans: Path


class PdfCanvas:
    """A PDF document whose pages are drawn in sequence."""

    def __init__(self, faces: Faces, texts: str) -> None:
        """Create an empty document; ``texts`` contains every character to be drawn."""
        self._document: Any = pymupdf.open()
        self._cuts = {"serif": subset_font(faces.serif, texts), "sans": subset_font(faces.sans, texts)}
        self._metrics = {face: pymupdf.Font(fontbuffer=cut) for face, cut in self._cuts.items()}
        self._page: Any = None
        self._shape: Any = None

    def new_page(self, size_mm: tuple[float, float]) -> None:
        """Begin a page."""
        self._flush()
        self._page = self._document.new_page(width=size_mm[0] * PT, height=size_mm[1] * PT)
        for face, cut in self._cuts.items():
            self._page.insert_font(face, fontbuffer=cut)
        self._shape = self._page.new_shape()

    def width(self, text: str, size: float, face: Face = "serif") -> float:
        """Return the advance of a text in mm."""
        return float(self._metrics[face].text_length(text, size))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        face: Face = "serif",
        align: Align = "left",
        grey: float = 0.0,
        bold: bool = False,
        red: bool = False,
    ) -> None:
        """Draw a text line centred vertically at ``y``; ``bold`` thickens the outline by 3% of an em."""
        width = self.width(text, size, face)
        x -= {"left": 0.0, "centre": width / 2, "right": width}[align]
        colour = (0.75, 0.1, 0.1) if red else (grey, grey, grey)
        self._page.insert_text(
            (x * PT, (y + CAP * size) * PT),
            text,
            fontname=face,
            fontsize=size * PT,
            color=colour,
            fill=colour,
            render_mode=2 if bold else 0,
            border_width=0.03 if bold else 0.0,
        )

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float, grey: float = 0.0) -> None:
        """Draw a straight line."""
        self._shape.draw_line(pymupdf.Point(start) * PT, pymupdf.Point(end) * PT)
        self._shape.finish(width=width * PT, color=(grey, grey, grey), lineCap=2)

    def frame(self, box: Box, width: float, grey: float = 0.0) -> None:
        """Draw the outline of a box."""
        self._shape.draw_rect(pymupdf.Rect(box) * pymupdf.Matrix(PT, PT))
        self._shape.finish(width=width * PT, color=(grey, grey, grey))

    def blocks(self, boxes: list[Box]) -> None:
        """Fill boxes with black, without hairlines between adjacent ones."""
        for box in boxes:
            self._shape.draw_rect(pymupdf.Rect(box) * pymupdf.Matrix(PT, PT))
        self._shape.finish(width=0, color=None, fill=(0, 0, 0))

    def strokes(self, points: list[tuple[float, float]], width: float, grey: float = 0.0) -> None:
        """Draw a polyline."""
        self._shape.draw_polyline([pymupdf.Point(p) * PT for p in points])
        self._shape.finish(width=width * PT, color=(grey, grey, grey), closePath=False, lineCap=1, lineJoin=1)

    def clear(self, box: Box) -> None:
        """Paint a box white over the lines drawn so far; later text stays visible."""
        self._shape.draw_rect(pymupdf.Rect(box) * pymupdf.Matrix(PT, PT))
        self._shape.finish(width=0, color=None, fill=(1, 1, 1))

    def to_bytes(self, title: str, subject: str) -> bytes:
        """Close the document and return its bytes, without dates and random ids: equal drawings give equal bytes."""
        self._flush()
        self._document.set_metadata({"title": title, "subject": subject, "producer": "docproc"})
        data: bytes = self._document.tobytes(garbage=3, deflate=True, no_new_id=True)
        self._document.close()
        return data

    def _flush(self) -> None:
        if self._shape is not None:
            self._shape.commit(overlay=False)
            self._shape = None
