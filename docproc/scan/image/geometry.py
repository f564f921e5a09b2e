"""Coordinates: between the pixels of an image and the millimetres of a page.

Pixel coordinates follow OpenCV: an integer is the centre of a pixel, so the image edge lies at -0.5. Boxes passed to
other packages use edge coordinates instead, as image viewers and browsers do.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.domain import Box, Turn

Image = NDArray[np.uint8]
"""H x W x 3 BGR or H x W grey, 0..255."""
Matrix = NDArray[np.floating[Any]]
"""3 x 3 homography, or N x 2 points."""
Mask = NDArray[np.bool_]
"""H x W."""

MM_PER_INCH = 25.4
WHITE = (255.0, 255.0, 255.0)


def grey(image: Image) -> Image:
    """Convert a BGR or grey image to one channel."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def shrink(image: Image, longest: int) -> tuple[Image, float]:
    """Reduce an image so that its longer side is at most ``longest`` px.

    Returns:
        The reduced image, and reduced size / full size (at most 1).
    """
    scale = longest / max(image.shape[:2])
    if scale >= 1.0:
        return image, 1.0
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    left = scale
    while left <= 0.5 and min(image.shape[:2]) >= 2:
        image, left = halve(image), 2 * left
    # The remaining factor is above a half: bilinear interpolation is as good as area averaging there, and much cheaper.
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8), scale


def halve(image: Image) -> Image:
    """Average blocks of 2 x 2 pixels, the cheapest reduction; an odd last row or column is dropped."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    even = image[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def transform_points(homography: Matrix, points: Matrix) -> Matrix:
    """Apply a homography to N x 2 points."""
    mapped = np.column_stack([points, np.ones(len(points))]) @ homography.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def turn_upright(to_image: Matrix, middle: tuple[float, float]) -> Turn:
    """Return the quarter turn after which a page stands upright in its image.

    Args:
        to_image: from coordinates of the upright page to pixels of the image.
        middle: of the page, in its coordinates; a page in perspective is turned as its middle is.
    """
    start, end = transform_points(to_image, np.array([middle, (middle[0] + 1.0, middle[1])]))
    along = end - start  # the direction of the page's lines in the image
    turns: tuple[Turn, ...] = (0, 270, 180, 90)
    return turns[round(float(np.arctan2(along[1], along[0])) / (np.pi / 2)) % 4]


def mm_to_px(dpi: float) -> Matrix:
    """Return the homography from page millimetres to the pixels of a page rendered at ``dpi``."""
    scale = dpi / MM_PER_INCH
    return np.array([[scale, 0, -0.5], [0, scale, -0.5], [0, 0, 1]], np.float64)


def corners_of(width: float, height: float) -> Matrix:
    """Return the corners of a ``width`` x ``height`` rectangle at the origin: clockwise from the top-left."""
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)


def box_corners(box: Box) -> Matrix:
    """Return the corners of a box, 4 x 2: clockwise from the top-left."""
    x0, y0, x1, y1 = box
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64)


def bounding_box(points: Matrix) -> Box:
    """Return the axis-aligned bounding box of N x 2 points."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def warp_to(image: Image, transform: Matrix, size: tuple[int, int]) -> Image:
    """Resample an image through a homography (image px to result px) into ``size`` (width, height).

    An image of much higher resolution than the result is averaged down first: point sampling would break thin strokes.
    """
    centre = transform_points(np.linalg.inv(transform), np.array([[0.0, 0.0], [1.0, 0.0]]) + np.array(size) / 2.0)
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
    """Return the axis-aligned box of the original image, in pixels, around a box of the page in millimetres."""
    return bounding_box(transform_points(np.linalg.inv(homography), box_corners(box_mm)) + 0.5)
