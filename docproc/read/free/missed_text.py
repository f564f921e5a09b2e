"""Missed text: the detector cut a line short or missed the next one, or the recogniser skipped characters.

Every character may have a high posterior although the value is incomplete; only the ink on the page shows it.
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
"""Threshold of ink, share of the way from the value's tone to paper: watermarks and guilloches are lighter."""
INKED = 0.1
"""Minimum ink coverage of a character's square: a full stop or a speck covers less."""
THIN = 0.4
"""Threshold of the ink of a thin, blurred stroke, share of the way from the threshold of ink to paper."""
FLAT, LONG = 0.3, 0.4
"""Maximum height and minimum length of a horizontal stroke, shares of the square."""
STROKE_OVERHANG = 0.15
"""Maximum distance by which a line's own strokes leave its box, share of its height."""
MIDDLE = 0.2
"""Ignored rim of a line, share of its height: ruled lines lie there."""
NEAR = 0.6
"""Maximum distance, in heights, of ink from the time step of its character; steps are off by up to 0.4."""
STROKE = 0.2
"""Minimum width, in heights, of unassigned ink that is a missed stroke."""
MOST_BELOW = 3.0
"""Length, in heights, that is checked at the start of the next line, at most the width of the value."""


def erase_lines(page: Image, lines: Sequence[TextLine]) -> Image:
    """Return a grey page with all recognised lines erased."""
    left = page.copy()
    for line in lines:
        cv2.fillConvexPoly(left, line.quad.round().astype(np.int32), 255)
    return left


def missed_beside(value: Value, lines: Sequence[TextLine], left: Image, below: bool = True) -> bool:
    """Whether ink outside all lines is directly before or behind a line of a value, or below its last line.

    Args:
        value: the value with its segments.
        lines: all lines of the page.
        left: the page after :func:`erase_lines`.
        below: whether the value may have a further line.
    """
    dark = _ink_level(value)
    ends = [_corners(segment, lines) for segment in value.segments]
    squares = [square for corners in ends for square in (_before(corners), _behind(corners))]
    if below:
        squares += _below(_corners(value.lines[-1][0], lines))
    return any(_holds_ink(_rectify_square(left, *square), dark) for square in squares)


def missed_inside(value: Value, lines: Sequence[TextLine], page: Image) -> bool:
    """Whether a line of a value has ink where no character was recognised.

    Args:
        value: the value with its segments.
        lines: all lines of the page.
        page: grey.
    """
    dark = _ink_level(value)
    return any(_has_unassigned_ink(segment, lines[segment.glyphs[0].line], page, dark) for segment in value.segments)


def _has_unassigned_ink(segment: Segment, line: TextLine, page: Image, dark: float) -> bool:
    """Whether a segment, up to its neighbouring characters, has ink away from every character."""
    along, across, width, height = _axes(line.quad.astype(np.float64))
    steps = [step for step, char, _ in greedy_steps(line.lattice) if not char.isspace()]
    places = np.array([line.lattice.place(step, 1.0) * width for step in steps])
    first, last = steps.index(segment.glyphs[0].step), steps.index(segment.glyphs[-1].step)
    start = places[first - 1] if first else 0.0
    end = places[last + 1] if last + 1 < len(steps) else width
    corner = line.quad[0] + along * start + across * height * MIDDLE
    shown = _rectify_square(page, corner, along, across, end - start, height * (1 - 2 * MIDDLE))
    inked = (shown < dark).mean(axis=0) >= INKED
    away = np.abs(np.arange(len(inked))[:, None] + start - places).min(axis=1) > NEAR * height
    return float((inked & away).sum()) >= STROKE * height


def _holds_ink(square: Image, dark: float) -> bool:
    """Whether a square holds a character: enough ink, or a single horizontal stroke, as in 一."""
    if float((square < dark).mean()) >= INKED:
        return True
    pale = square < dark + THIN * (PAPER - dark)
    rows = np.flatnonzero(pale.any(axis=1)) / len(square)
    level = len(rows) > 0 and rows[-1] - rows[0] <= FLAT and 0.25 <= float(rows.mean()) <= 0.75
    return bool(level and pale.any(axis=0).mean() >= LONG)


def _ink_level(value: Value) -> float:
    """Grey level up to which a pixel counts as ink of the value."""
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
    """Squares of the first characters of the next line, which may have only one."""
    along, across, width, height = _axes(corners)
    start = corners[3] + across * height * STROKE_OVERHANG
    places = np.arange(0.0, min(width, MOST_BELOW * height), height)
    return [(start + along * place, along, across, height, height * (1 - STROKE_OVERHANG)) for place in places]


def _rectify_square(
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
