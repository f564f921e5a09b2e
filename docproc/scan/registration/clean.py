"""Clean a page without marks: crop the sheet, rotate it upright, deskew, normalise the illumination."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from docproc.domain import Box, Turn
from docproc.scan.image.find_sheet import find_sheet, rectify
from docproc.scan.image.geometry import (
    Image,
    Matrix,
    bounding_box,
    box_corners,
    corners_of,
    shrink,
    transform_points,
    turn_upright,
    warp_to,
)
from docproc.scan.image.ink import normalise_illumination, remove_red
from docproc.scan.image.measure import letters_and_ink
from docproc.scan.image.skew import estimate_skew

Rotation = Literal[0, 90, 180, 270]
Orientation = Callable[[Image], tuple[int, float]]
"""From a BGR image to the clockwise rotation of its content in degrees (0, 90, 180, 270) and a score 0..1."""

_PREVIEW_PX = 960
"""Longest side of the reduced page on which everything is measured."""
_SURE = 0.6
"""Minimum score for the orientation to be corrected."""
_MIN_SKEW_DEG = 0.15
"""Minimum skew that is corrected: below it resampling costs more than it gains."""
_MARGIN = 0.012
"""Margin kept around the sheet, share of its size: the outline is exact to a pixel or two of a reduced image."""
_LONGEST = 3600
"""Longest side of a cleaned page in px: 300 dpi on A4."""


@dataclass(frozen=True, slots=True)
class CleanPage:
    """An upright, deskewed page with normalised illumination."""

    image: Image
    """H x W x 3 BGR."""
    to_original: Matrix
    """3 x 3 homography from pixels of ``image`` to pixels of the original image."""
    found_sheet: bool
    """Whether a sheet was found before a background and cropped."""
    skew_deg: float
    """Corrected skew, degrees clockwise, after cropping and before the quarter turns."""
    rotated: Rotation
    """Corrected clockwise rotation of the content in the original image, degrees."""
    black: Image
    """``image`` without red ink, H x W x 3 BGR."""
    letter_px: float
    """Letter height in pixels of ``image``; 0 when no text is found."""
    ink: float
    """Share of the page covered by strokes."""


def clean_page(image: Image, orientation: Orientation | None = None) -> CleanPage:
    """Clean a photograph or scan of a page.

    Args:
        image: original image, BGR.
        orientation: classifier of the quarter turn; without it the image is taken to be upright.
    """
    small, scale = shrink(image, _PREVIEW_PX)
    quad = find_sheet(small)
    if quad is not None:
        quad = (quad + 0.5) / scale - 0.5
    steps, size = _crop(image, quad)
    preview = _preview(small, scale, steps, size)
    angle = estimate_skew(preview)
    if abs(angle) >= _MIN_SKEW_DEG:
        turn, size = _rotation(size, angle)
        steps = turn @ steps
    else:
        angle = 0.0
    rotated = _detect_quarter_turns(preview, angle, orientation)
    if rotated:
        turn, size = _quarter_rotation(size, rotated)
        steps = turn @ steps
    flat = warp_to(image, steps, (round(size[0]), round(size[1]))) if _moved(steps, image, size) else image
    lit = normalise_illumination(flat)
    back = np.linalg.inv(steps)
    return CleanPage(lit, back, quad is not None, angle, rotated, remove_red(lit), *letters_and_ink(lit))


def box_to_original(page: CleanPage, box: Box) -> Box:
    """Return the axis-aligned box in the original image around a box of the cleaned page; both in px."""
    return bounding_box(transform_points(page.to_original, box_corners(box) - 0.5) + 0.5)


def turn_of_sheet(page: CleanPage) -> Turn:
    """Return the quarter turn after which the page stands upright in the original image."""
    return turn_upright(page.to_original, (page.image.shape[1] / 2, page.image.shape[0] / 2))


def _crop(image: Image, quad: Matrix | None) -> tuple[Matrix, tuple[float, float]]:
    """Transform to the sheet with a narrow margin (or to the whole image), and the size in px."""
    steps: Matrix = np.eye(3)
    if quad is None:
        width, height = float(image.shape[1]), float(image.shape[0])
    else:
        steps, (inner_width, inner_height) = rectify(quad)
        width, height = inner_width * (1 + 2 * _MARGIN), inner_height * (1 + 2 * _MARGIN)
        steps = _translation(inner_width * _MARGIN, inner_height * _MARGIN) @ steps
    scale = _LONGEST / max(width, height)
    if scale < 1.0:
        steps = _scaling(scale) @ steps
        width, height = width * scale, height * scale
    return steps, (width, height)


def _preview(small: Image, scale: float, steps: Matrix, size: tuple[float, float]) -> Image:
    """The page so far, reduced, from the reduced image."""
    result = min(1.0, _PREVIEW_PX / max(size))
    transform = _scaling(result) @ steps @ np.linalg.inv(_scaling(scale))
    target = (round(size[0] * result), round(size[1] * result))
    return warp_to(small, transform, target) if _moved(transform, small, target) else small


def _scaling(scale: float) -> Matrix:
    """Homography of a scaling that keeps the image edges in place."""
    offset = 0.5 * (scale - 1)
    return np.array([[scale, 0, offset], [0, scale, offset], [0, 0, 1]], np.float64)


def _moved(steps: Matrix, image: Image, size: tuple[float, float]) -> bool:
    same = (round(size[0]), round(size[1])) == (image.shape[1], image.shape[0])
    return not (same and bool(np.allclose(steps, np.eye(3), atol=1e-3)))


def _translation(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _rotation(size: tuple[float, float], angle: float) -> tuple[Matrix, tuple[float, float]]:
    """Rotation by ``-angle`` degrees about the centre, and the size that holds the whole page."""
    turn = np.vstack([cv2.getRotationMatrix2D((0.0, 0.0), angle, 1.0), [0, 0, 1]]).astype(np.float64)
    corners = transform_points(turn, corners_of(*size) - 0.5)
    low, high = corners.min(axis=0), corners.max(axis=0)
    return _translation(-low[0] - 0.5, -low[1] - 0.5) @ turn, (float(high[0] - low[0]), float(high[1] - low[1]))


def _quarter_rotation(size: tuple[float, float], rotated: Rotation) -> tuple[Matrix, tuple[float, float]]:
    """Undo a clockwise quarter turn of the content."""
    width, height = size
    if rotated == 90:
        return np.array([[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]], np.float64), (height, width)
    if rotated == 180:
        return np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]], np.float64), (width, height)
    return np.array([[0, -1, height - 1], [1, 0, 0], [0, 0, 1]], np.float64), (height, width)


def _detect_quarter_turns(preview: Image, angle: float, orientation: Orientation | None) -> Rotation:
    if orientation is None:
        return 0
    if angle:
        turn, size = _rotation((float(preview.shape[1]), float(preview.shape[0])), angle)
        preview = warp_to(preview, turn, (round(size[0]), round(size[1])))
    degrees, score = orientation(preview)
    turns: tuple[Rotation, ...] = (0, 90, 180, 270)
    return turns[round(degrees / 90) % 4] if score >= _SURE else 0
