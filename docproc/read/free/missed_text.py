"""Print that was not read: the detector cut a line short or missed the next one, or the reader passed over characters.

Every character that was read may be sure, and the value still lacks its end; only the ink tells.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.read.decoding.fields import TextRun
from docproc.read.decoding.glyphs import PAPER, greedy_steps
from docproc.read.engine.recogniser import Image, TextLine
from docproc.read.free.key_value import Segment, Value
from docproc.scan.image.geometry import Matrix, warp_to

DARK = 0.5
"""Ink is darker than this share of the way from the value's own ink to paper: watermarks and guilloches are lighter."""
INKED = 0.1
"""Share of a character's square that ink covers at least: a full stop or a speck covers less."""
THIN = 0.4
"""A thin stroke is blurred into its paper: its ink is so much of the way from the limit of ink to paper lighter."""
FLAT, LONG = 0.3, 0.4
"""Most height and least length of a level stroke, shares of the square."""
STROKE_OVERHANG = 0.15
"""A line's own strokes reach out of its box by at most this share of its height."""
MIDDLE = 0.2
"""Rules under the writing lie in this share of a line's height, and its rim is not looked at."""
NEAR = 0.6
"""Heights from where a character was read within which ink is its own: its step lies up to 0.4 aside."""
STROKE = 0.2
"""Heights of inked columns that make an unread stroke."""
MOST_BELOW = 3.0
"""Where the next line would start, so many heights are looked at, and no more than the value is wide."""


def erase_lines(page: Image, lines: Sequence[TextLine]) -> Image:
    """A grey page with all lines that were read painted as paper."""
    left = page.copy()
    for line in lines:
        cv2.fillConvexPoly(left, line.quad.round().astype(np.int32), 255)
    return left


def missed_beside(value: Value, lines: Sequence[TextLine], left: Image, below: bool = True) -> bool:
    """Whether ink that belongs to no line stands right before or behind one of a value's lines, or below its last.

    Args:
        value: the pieces of print it was read from.
        lines: all lines of the page.
        left: see :func:`erase_lines`.
        below: whether the value may take a further line.
    """
    dark = _dark(value)
    ends = [_corners(segment, lines) for segment in value.segments]
    squares = [square for corners in ends for square in (_before(corners), _behind(corners))]
    if below:
        squares += _below(_corners(value.lines[-1][0], lines))
    return any(_holds_ink(_look(left, *square), dark) for square in squares)


def missed_inside(value: Value, lines: Sequence[TextLine], page: Image) -> bool:
    """Whether ink stands in one of a value's lines where no character was read.

    Args:
        value: the pieces of print it was read from.
        lines: all lines of the page.
        page: grey.
    """
    dark = _dark(value)
    return any(_unexplained(segment, lines[segment.glyphs[0].line], page, dark) for segment in value.segments)


def _unexplained(segment: Segment, line: TextLine, page: Image, dark: float) -> bool:
    """Whether a piece's stretch of its line, up to the characters beside it, holds ink away from every character."""
    along, across, width, height = _axes(line.quad.astype(np.float64))
    steps = [step for step, char, _ in greedy_steps(line.lattice) if not char.isspace()]
    places = np.array([line.lattice.place(step, 1.0) * width for step in steps])
    first, last = steps.index(segment.glyphs[0].step), steps.index(segment.glyphs[-1].step)
    start = places[first - 1] if first else 0.0
    end = places[last + 1] if last + 1 < len(steps) else width
    corner = line.quad[0] + along * start + across * height * MIDDLE
    shown = _look(page, corner, along, across, end - start, height * (1 - 2 * MIDDLE))
    inked = (shown < dark).mean(axis=0) >= INKED
    away = np.abs(np.arange(len(inked))[:, None] + start - places).min(axis=1) > NEAR * height
    return float((inked & away).sum()) >= STROKE * height


def _holds_ink(square: Image, dark: float) -> bool:
    """Whether a character's square holds one: so much ink, or a level stroke alone, for 一 covers next to nothing."""
    if float((square < dark).mean()) >= INKED:
        return True
    pale = square < dark + THIN * (PAPER - dark)
    rows = np.flatnonzero(pale.any(axis=1)) / len(square)
    level = len(rows) > 0 and rows[-1] - rows[0] <= FLAT and 0.25 <= float(rows.mean()) <= 0.75
    return bool(level and pale.any(axis=0).mean() >= LONG)


def _dark(value: Value) -> float:
    """Grey level up to which ink is that of a value."""
    tone = float(np.median([glyph.tone for segment in value.segments for glyph in segment.glyphs]))
    return tone + DARK * (PAPER - tone)


def _corners(segment: Segment, lines: Sequence[TextLine]) -> NDArray[np.float64]:
    return TextRun(segment.glyphs, lines[segment.glyphs[0].line]).corners()


_Square = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float, float]
"""Corner, directions along and across the line, width and height; pixels."""


def _axes(corners: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    along, across = corners[1] - corners[0], corners[3] - corners[0]
    width, height = max(float(np.hypot(*along)), 1.0), max(float(np.hypot(*across)), 1.0)
    return along / width, across / height, width, height


def _behind(corners: NDArray[np.float64]) -> _Square:
    along, across, _, height = _axes(corners)
    return _square_at(corners[1], along, across, height)


def _before(corners: NDArray[np.float64]) -> _Square:
    along, across, _, height = _axes(corners)
    return _square_at(corners[0] - along * height, along, across, height)


def _square_at(
    corner: NDArray[np.float64], along: NDArray[np.float64], across: NDArray[np.float64], height: float
) -> _Square:
    """Square of a character without the margin into which the strokes of neighbouring lines reach."""
    return corner + across * height * STROKE_OVERHANG, along, across, height, height * (1 - 2 * STROKE_OVERHANG)


def _below(corners: NDArray[np.float64]) -> list[_Square]:
    """The places of the first characters of the next line: it may have but one."""
    along, across, width, height = _axes(corners)
    start = corners[3] + across * height * STROKE_OVERHANG
    places = np.arange(0.0, min(width, MOST_BELOW * height), height)
    return [(start + along * place, along, across, height, height * (1 - STROKE_OVERHANG)) for place in places]


def _look(
    page: Image,
    corner: NDArray[np.float64],
    along: NDArray[np.float64],
    across: NDArray[np.float64],
    width: float,
    height: float,
) -> Image:
    to_page: Matrix = np.array(
        [[along[0], across[0], corner[0]], [along[1], across[1], corner[1]], [0.0, 0.0, 1.0]], np.float64
    )
    return warp_to(page, np.linalg.inv(to_page), (max(round(width), 1), max(round(height), 1)))
