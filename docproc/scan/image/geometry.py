"""Moving between the pixels of a picture and the millimetres of a page.

Pixel coordinates follow OpenCV: an integer is the centre of a pixel, so the
picture's own edge lies at -0.5. Boxes handed to other parts are in edge
coordinates instead, as image viewers and the web draw them.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.domain import Box

Image = NDArray[np.uint8]
"""H x W x 3 BGR or H x W grey, 0..255."""
Matrix = NDArray[np.floating[Any]]
"""3 x 3 homography, or N x 2 points."""

MM_PER_INCH = 25.4
WHITE = (255.0, 255.0, 255.0)


def grey(image: Image) -> Image:
    """One channel of a BGR or grey picture."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def shrink(image: Image, longest: int) -> tuple[Image, float]:
    """Reduce a picture so that its longer side is at most ``longest`` px.

    Returns:
        The reduced picture and reduced size / full size (at most 1).
    """
    scale = longest / max(image.shape[:2])
    if scale >= 1.0:
        return image, 1.0
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    left = scale
    while left <= 0.5 and min(image.shape[:2]) >= 2:
        image, left = halve(image), 2 * left
    # what is left is less than a half: there two pixels each way blend as well as an area, many times cheaper
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8), scale


def halve(image: Image) -> Image:
    """Average blocks of 2 x 2 pixels, many times cheaper than any other reduction; an odd last row or column goes."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def apply(homography: Matrix, points: Matrix) -> Matrix:
    """Map N x 2 points."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def mm_to_px(dpi: float) -> Matrix:
    """Homography from page millimetres to the pixels of a page drawn at ``dpi``."""
    scale = dpi / MM_PER_INCH
    return np.array([[scale, 0, -0.5], [0, scale, -0.5], [0, 0, 1]], np.float64)


def corners_of(width: float, height: float) -> Matrix:
    """Corners of a ``width`` x ``height`` rectangle at the origin: top-left and on clockwise."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)


def warp_to(image: Image, transform: Matrix, size: tuple[int, int]) -> Image:
    """Resample a picture through a homography (picture px to result px) into ``size`` (width, height).

    A picture much finer than the result is averaged down first: point sampling
    would turn thin strokes into dots.
    """
    centre = apply(np.linalg.inv(transform), np.array([[0.0, 0.0], [1.0, 0.0]]) + np.array(size) / 2.0)
    ratio = float(np.linalg.norm(centre[1] - centre[0]))
    if ratio > 1.5:
        image, scale = shrink(image, round(max(image.shape[:2]) / ratio))
        offset = 0.5 * (1 - 1 / scale)
        transform = transform @ np.array([[1 / scale, 0, -offset], [0, 1 / scale, -offset], [0, 0, 1]], np.float64)
    warped = cv2.warpPerspective(
        image, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=WHITE
    )
    return np.asarray(warped, np.uint8)


def to_image_box(box_mm: Box, homography: Matrix) -> Box:
    """Smallest upright box of the picture as handed in, in pixels, around a box of the page in millimetres."""
    x0, y0, x1, y1 = box_mm
    points = apply(np.linalg.inv(homography), np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)) + 0.5
    low, high = points.min(axis=0), points.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
