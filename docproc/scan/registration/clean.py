"""Straighten a page that carries no marks: cut it out, turn it upright, even out the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from docproc.scan.image.find_sheet import find_page, flatten
from docproc.scan.image.geometry import Image, Matrix, apply, corners_of, shrink, warp_to
from docproc.scan.image.ink import even_light, remove_red
from docproc.scan.image.measure import letters_and_ink
from docproc.scan.image.skew import skew_deg

Rotation = Literal[0, 90, 180, 270]
Orientation = Callable[[Image], tuple[int, float]]
"""BGR picture to the degrees by which its content is turned clockwise (0, 90, 180, 270), and a score 0..1."""

_PREVIEW_PX = 960
"""Longest side of the reduced page on which all is measured."""
_SURE = 0.6
"""Below this score the orientation is left as it is."""
_STRAIGHT_DEG = 0.15
"""Skew below this is left alone: resampling would cost more sharpness than it mends."""
_MARGIN = 0.012
"""Rim kept around the sheet, share of its size: its outline is found to a pixel or two of a reduced picture."""
_LONGEST = 3600
"""Cleaned pages are at most this many px long: 300 dpi on A4."""


@dataclass(frozen=True, slots=True)
class CleanPage:
    """A page made upright, straight and evenly lit."""

    image: Image
    """H x W x 3 BGR."""
    to_original: Matrix
    """3 x 3 homography from pixels of ``image`` to pixels of the picture as handed in."""
    found_page: bool
    """A sheet was found before a background and cut out."""
    skew_deg: float
    """Residual turn that was taken away, degrees clockwise, after cutting out and before the quarter turns."""
    rotated: Rotation
    """Degrees by which the content was turned clockwise in the picture, and was turned back."""
    black: Image
    """``image`` without red ink, H x W x 3 BGR."""
    letter_px: float
    """Height of the page's letters in pixels of ``image``; 0 when none are found."""
    ink: float
    """Share of the page covered by strokes."""


def clean(image: Image, orientation: Orientation | None = None) -> CleanPage:
    """Straighten a photograph or scan of a page.

    Args:
        image: BGR picture as handed in.
        orientation: Tells the content's quarter turn; without it the picture is taken to be upright.
    """
    small, scale = shrink(image, _PREVIEW_PX)
    quad = find_page(small)
    if quad is not None:
        quad = (quad + 0.5) / scale - 0.5
    steps, size = _cut_out(image, quad)
    preview = _preview(small, scale, steps, size)
    angle = skew_deg(preview)
    if abs(angle) >= _STRAIGHT_DEG:
        turn, size = _turned(size, angle)
        steps = turn @ steps
    else:
        angle = 0.0
    rotated = _quarter_turns(preview, angle, orientation)
    if rotated:
        turn, size = _quarter(size, rotated)
        steps = turn @ steps
    flat = warp_to(image, steps, (round(size[0]), round(size[1]))) if _moved(steps, image, size) else image
    lit = even_light(flat)
    back = np.linalg.inv(steps)
    return CleanPage(lit, back, quad is not None, angle, rotated, remove_red(lit), *letters_and_ink(lit))


def box_to_original(page: CleanPage, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Upright box in the picture as handed in around a box of the cleaned page; both in px."""
    x0, y0, x1, y1 = box
    corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64) - 0.5
    points = apply(page.to_original, corners) + 0.5
    low, high = points.min(axis=0), points.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _cut_out(image: Image, quad: Matrix | None) -> tuple[Matrix, tuple[float, float]]:
    """Transform to the sheet with a narrow rim around it (or to the whole picture), and the size in px."""
    steps: Matrix = np.eye(3)
    if quad is None:
        width, height = float(image.shape[1]), float(image.shape[0])
    else:
        steps, (inner_width, inner_height) = flatten(quad)
        width, height = inner_width * (1 + 2 * _MARGIN), inner_height * (1 + 2 * _MARGIN)
        steps = _shift(inner_width * _MARGIN, inner_height * _MARGIN) @ steps
    scale = _LONGEST / max(width, height)
    if scale < 1.0:
        steps = _scaling(scale) @ steps
        width, height = width * scale, height * scale
    return steps, (width, height)


def _preview(small: Image, scale: float, steps: Matrix, size: tuple[float, float]) -> Image:
    """The page so far, reduced, from the reduced picture."""
    result = min(1.0, _PREVIEW_PX / max(size))
    transform = _scaling(result) @ steps @ np.linalg.inv(_scaling(scale))
    target = (round(size[0] * result), round(size[1] * result))
    return warp_to(small, transform, target) if _moved(transform, small, target) else small


def _scaling(scale: float) -> Matrix:
    """Homography of a change of size that keeps the picture's edges in place."""
    offset = 0.5 * (scale - 1)
    return np.array([[scale, 0, offset], [0, scale, offset], [0, 0, 1]], np.float64)


def _moved(steps: Matrix, image: Image, size: tuple[float, float]) -> bool:
    same = (round(size[0]), round(size[1])) == (image.shape[1], image.shape[0])
    return not (same and bool(np.allclose(steps, np.eye(3), atol=1e-3)))


def _shift(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _turned(size: tuple[float, float], angle: float) -> tuple[Matrix, tuple[float, float]]:
    """Turn back by ``angle`` degrees about the middle; the result holds the whole page."""
    turn = np.vstack([cv2.getRotationMatrix2D((0.0, 0.0), angle, 1.0), [0, 0, 1]]).astype(np.float64)
    corners = apply(turn, corners_of(*size) - 0.5)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return _shift(-low[0] - 0.5, -low[1] - 0.5) @ turn, (float(high[0] - low[0]), float(high[1] - low[1]))


def _quarter(size: tuple[float, float], rotated: Rotation) -> tuple[Matrix, tuple[float, float]]:
    """Undo a clockwise quarter turn of the content."""
    width, height = size
    if rotated == 90:
        return np.array([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]], np.float64), (height, width)
    if rotated == 180:
        return np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]], np.float64), (width, height)
    return np.array([[0, -1, height - 1], [1, 0, 0], [0, 0, 1]], np.float64), (height, width)


def _quarter_turns(preview: Image, angle: float, orientation: Orientation | None) -> Rotation:
    if orientation is None:
        return 0
    if angle:
        turn, size = _turned((float(preview.shape[1]), float(preview.shape[0])), angle)
        preview = warp_to(preview, turn, (round(size[0]), round(size[1])))
    degrees, score = orientation(preview)
    turns: tuple[Rotation, ...] = (0, 90, 180, 270)
    return turns[round(degrees / 90) % 4] if score >= _SURE else 0
