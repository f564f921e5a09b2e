"""The characters of a page with their places, and the rows they stand in.

Coordinates are those of the page turned by its own mean line angle, so that
rows are level; pixels otherwise. All text is NFKC without spaces; the space
between characters is kept as geometry, because a form's labels are spaced out
(``名　　称``) and the gap to a value is what tells them apart.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from docproc.read.recogniser import BLANK, Lattice, TextLine

LEVEL = 0.5
"""Two lines whose middles differ by less than this share of the lower one's height stand in one row."""
TALL = 1.5
"""A box so many times taller than wide holds characters that stand above each other (see ``crop_line``)."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character."""

    char: str
    """NFKC, one character."""
    printed: str
    """As the engine read it."""
    x: float
    """Middle, pixels of the levelled page."""
    y: float
    h: float
    """Height of its line, pixels."""
    confidence: float
    """Posterior of the character, 0..1."""
    line: int
    """Index of its line."""
    step: int
    """Time step in the line's lattice."""

    @property
    def half(self) -> float:
        """About half its width, pixels."""
        return self.h * (0.28 if self.char.isascii() else 0.48)


def level_angle(lines: Sequence[TextLine]) -> float:
    """Median angle of the long lines, radians, clockwise on the screen."""
    edges = [line.quad[1] - line.quad[0] for line in lines]
    sizes = [float(np.hypot(*edge)) for edge in edges]
    angles = [float(np.arctan2(e[1], e[0])) for e, s, ln in zip(edges, sizes, lines, strict=True) if s > 3 * _height(ln)]
    return float(np.median(angles)) if angles else 0.0


def _height(line: TextLine) -> float:
    quad = line.quad
    return float((np.hypot(*(quad[3] - quad[0])) + np.hypot(*(quad[2] - quad[1]))) / 2)


def glyphs_of(lines: Sequence[TextLine]) -> list[list[Glyph]]:
    """Characters of every line, left to right; a tall box gives characters from top to bottom."""
    angle = level_angle(lines)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [_line_glyphs(line, index, line.quad.astype(np.float64) @ turn.T) for index, line in enumerate(lines)]


def _line_glyphs(line: TextLine, index: int, quad: NDArray[np.float64]) -> list[Glyph]:
    start, end = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
    height = float((np.hypot(*(quad[3] - quad[0])) + np.hypot(*(quad[2] - quad[1]))) / 2)
    width = float(np.hypot(*(end - start)))
    if height >= TALL * width:
        start, end = (quad[0] + quad[1]) / 2, (quad[2] + quad[3]) / 2
        height = width
    found = []
    for step, char, score in steps_of(line.lattice):
        share = line.lattice.place(step, 1.0)
        x, y = start + (end - start) * share
        plain = unicodedata.normalize("NFKC", char)
        plain = plain if len(plain) == 1 else char
        if not plain.isspace():
            found.append(Glyph(plain, char, float(x), float(y), height, score, index, step))
    return found


def steps_of(lattice: Lattice) -> list[tuple[int, str, float]]:
    """Time step, character and posterior of the plain reading."""
    if not len(lattice.probs):
        return []
    best = lattice.probs.argmax(axis=1)
    fresh = np.ones(len(best), dtype=bool)
    fresh[1:] = best[1:] != best[:-1]
    steps = np.flatnonzero(fresh & (best != BLANK))
    return [(int(t), lattice.charset[lattice.columns[best[t]]], float(lattice.probs[t, best[t]])) for t in steps]


def rows_of(lines: Sequence[Sequence[Glyph]]) -> list[list[Glyph]]:
    """Join lines that stand level beside each other into rows, top to bottom; upright stacks become single characters."""
    pieces = [piece for line in lines for piece in _pieces(line)]
    pieces.sort(key=lambda piece: piece[0].x)
    rows: list[list[Glyph]] = []
    for piece in pieces:
        best = min((row for row in rows if _level(row[-1], piece[0])), key=lambda r: _distance(r[-1], piece[0]), default=None)
        if best is None:
            rows.append(list(piece))
        else:
            best.extend(piece)
    return sorted(rows, key=lambda row: float(np.median([g.y for g in row])))


def _pieces(line: Sequence[Glyph]) -> Iterable[Sequence[Glyph]]:
    if len(line) > 1 and abs(line[-1].y - line[0].y) > abs(line[-1].x - line[0].x):
        return [[glyph] for glyph in line]
    return [line] if line else []


def _level(left: Glyph, right: Glyph) -> bool:
    if right.x <= left.x or not 0.4 < left.h / max(right.h, 1.0) < 2.5:
        return False
    return abs(left.y - right.y) < LEVEL * min(left.h, right.h) + 0.004 * (right.x - left.x)


def _distance(left: Glyph, right: Glyph) -> float:
    return right.x - left.x + 6 * abs(right.y - left.y)


def text_of(glyphs: Iterable[Glyph]) -> str:
    """The characters as one string."""
    return "".join(glyph.char for glyph in glyphs)
