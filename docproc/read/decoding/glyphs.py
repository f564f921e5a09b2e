"""The characters of a page with their positions, and the text rows that they form.

Coordinates are pixels of the page rotated by its median line angle, so that rows are horizontal. All text is NFKC
without spaces; white space is kept as geometry, because labels are letter-spaced (``名　　称``) and only the gap
separates them from the value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from docproc.read.decoding.grammar import nfkc_char
from docproc.read.engine.recogniser import BLANK, Lattice, Quad, TextLine

LEVEL = 0.5
"""Maximum vertical distance of two lines in one row, share of the smaller height."""
OVERLAY_TONE = 0.62
"""Tone from which a character belongs to a watermark, as a share of the way from median ink to paper."""
OVERLAY_ANGLE_DEG = 6.0
"""Minimum angle of a line against the others to count as a watermark."""
PAPER = 245.0
"""Grey level of paper after illumination is normalised."""
TALL = 1.5
"""Minimum ratio of height to width of a box with vertical text (see ``crop_line``)."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character."""

    char: str
    """NFKC, one character."""
    printed: str
    """As the engine read it."""
    x: float
    """Centre, pixels of the rotated page."""
    y: float
    h: float
    """Height of its line, pixels."""
    confidence: float
    """Posterior of the character in any of its forms, 0..1."""
    line: int
    """Index of its line."""
    step: int
    """Time step in the line's lattice."""
    tone: float = 0.0
    """Grey level of its ink, 0..255; 0 where no image was given."""

    @property
    def half(self) -> float:
        """Approximate half width, pixels."""
        return self.h * (0.28 if self.char.isascii() else 0.48)


def level_angle(lines: Sequence[TextLine]) -> float:
    """Return the median angle of the long lines, radians, clockwise."""
    angles = [_slant(line.quad) for line in lines if _length(line.quad) > 3 * _height(line.quad)]
    return float(np.median(angles)) if angles else 0.0


def _height(quad: Quad) -> float:
    return float((np.hypot(*(quad[3] - quad[0])) + np.hypot(*(quad[2] - quad[1]))) / 2)


def glyphs_of(lines: Sequence[TextLine], grey: NDArray[np.uint8] | None = None) -> list[list[Glyph]]:
    """Return the characters of every line, left to right; from top to bottom for vertical text.

    Args:
        lines: of one page.
        grey: H x W, the page that was read; needed to measure the characters' tones.
    """
    angle = level_angle(lines)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return [_line_glyphs(line, index, turn, grey) for index, line in enumerate(lines)]


def remove_overlay(lines: Sequence[Sequence[Glyph]], quads: Sequence[Quad]) -> list[list[Glyph]]:
    """Remove watermarks: tilted lines, and runs much lighter than the page's median character.

    Args:
        lines: characters with their tones.
        quads: the lines' quads, in the same order.
    """
    tones = [glyph.tone for line in lines for glyph in line]
    if not tones:
        return [list(line) for line in lines]
    ink = float(np.median(tones))
    limit = ink + OVERLAY_TONE * (PAPER - ink)
    level = float(np.median([_slant(quad) for quad in quads if _length(quad) > 3 * _height(quad)] or [0.0]))
    return [
        [] if _is_overlaid(quad, level) else _without_light_runs(line, limit)
        for line, quad in zip(lines, quads, strict=True)
    ]


def _is_overlaid(quad: Quad, level: float) -> bool:
    """Whether a line runs at an angle to the others; the shorter the line, the less exact its angle."""
    stretch = _length(quad) / max(_height(quad), 1.0)
    limit = OVERLAY_ANGLE_DEG if stretch > 3 else 2 * OVERLAY_ANGLE_DEG
    return stretch > 1.6 and abs(_slant(quad) - level) > np.deg2rad(limit)


def _without_light_runs(line: Sequence[Glyph], limit: float) -> list[Glyph]:
    light = [glyph.tone > limit and glyph.char.isalnum() for glyph in line]
    beside = [False, *light, False]
    return [g for i, g in enumerate(line) if not (light[i] and (beside[i] or beside[i + 2]))]


def _slant(quad: Quad) -> float:
    edge = quad[1] - quad[0]
    return float(np.arctan2(edge[1], edge[0]))


def _length(quad: Quad) -> float:
    return float(np.hypot(*(quad[1] - quad[0])))


def _line_glyphs(line: TextLine, index: int, turn: NDArray[np.float64], grey: NDArray[np.uint8] | None) -> list[Glyph]:
    quad = line.quad.astype(np.float64)
    start, end = (quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2
    height = _height(line.quad)
    width = float(np.hypot(*(end - start)))
    if height >= TALL * width:
        start, end = (quad[0] + quad[1]) / 2, (quad[2] + quad[3]) / 2
        height = width
    found = []
    for step, char, score in greedy_steps_merged(line.lattice):
        spot = start + (end - start) * line.lattice.place(step, 1.0)
        x, y = turn @ spot
        plain = nfkc_char(char)
        if not plain.isspace():
            found.append(Glyph(plain, char, float(x), float(y), height, score, index, step, _tone(grey, spot, height)))
    return found


def _tone(grey: NDArray[np.uint8] | None, spot: NDArray[np.float64], height: float) -> float:
    """Grey level of the darkest part of a character's box."""
    if grey is None:
        return 0.0
    half = np.maximum(np.array([0.25, 0.4]) * height, 2.0)  # narrow: a step lies a little beside its character
    (x0, y0), (x1, y1) = np.maximum(spot - half, 0).astype(int), (spot + half + 1).astype(int)
    square = grey[y0:y1, x0:x1].ravel()
    place = len(square) // 50
    return float(np.partition(square, place)[place]) if square.size else 0.0  # many times quicker than a percentile


def greedy_steps(lattice: Lattice) -> list[tuple[int, str, float]]:
    """Return time step, character and posterior of each character of the greedy reading."""
    if not len(lattice.probs):
        return []
    best = lattice.probs.argmax(axis=1)
    fresh = np.ones(len(best), dtype=bool)
    fresh[1:] = best[1:] != best[:-1]
    steps = np.flatnonzero(fresh & (best != BLANK))
    return [(int(t), lattice.charset[lattice.columns[best[t]]], float(lattice.probs[t, best[t]])) for t in steps]


def greedy_steps_merged(lattice: Lattice) -> list[tuple[int, str, float]]:
    """As :func:`greedy_steps`, with the posteriors of all forms of a character added.

    The engine splits the posterior of a punctuation mark between its full-width and half-width form, which look the
    same in print and are equal under NFKC.
    """
    forms: dict[str, list[int]] = {}
    for column, char in enumerate(lattice.characters):
        forms.setdefault(nfkc_char(char), []).append(column)
    steps = [(step, char, forms[nfkc_char(char)]) for step, char, _ in greedy_steps(lattice)]
    return [(step, char, min(float(lattice.probs[step, same].sum()), 1.0)) for step, char, same in steps]


def rows_of(lines: Sequence[Sequence[Glyph]]) -> list[list[Glyph]]:
    """Join lines side by side into rows, top to bottom; vertical text is split into characters."""
    pieces = [piece for line in lines for piece in _pieces(line)]
    pieces.sort(key=lambda piece: piece[0].x)
    rows: list[list[Glyph]] = []
    for piece in pieces:
        best = min(
            (row for row in rows if _level(row[-1], piece[0])), key=lambda r: _distance(r[-1], piece[0]), default=None
        )
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
