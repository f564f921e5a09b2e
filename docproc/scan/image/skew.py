"""Estimate the skew of a page."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import Image, Matrix, grey, shrink

_COARSE = (400, 19.5, 1.5)
_FINE = (760, 1.5, 0.25)
"""Longest side in px, search range and step in degrees."""
_CLEAR = 1.12
"""Minimum ratio of the best sharpness to the median; below it the page has no text lines."""


def estimate_skew(image: Image) -> float:
    """Return the angle by which text lines fall to the right, -20..20 degrees; 0 when the page has no lines.

    Ink is projected along each direction; along the direction of the lines the profile has the largest differences
    between rows (Postl 1986). Both axes are tried, so a page turned by a quarter is measured too.
    """
    angle = 0.0
    for longest, reach, step in (_COARSE, _FINE):
        points = _points(_ink(shrink(grey(image), longest)[0]))
        angles = np.arange(angle - reach, angle + reach + step / 2, step)
        sharpness = np.array([_sharpness(points, float(value)) for value in angles])
        best = int(np.argmax(sharpness))
        if sharpness[best] < _CLEAR * max(float(np.median(sharpness)), 1e-9) and longest == _COARSE[0]:
            return 0.0
        angle = float(angles[best]) + step * _peak(sharpness, best)
    return angle


def _ink(image: Image) -> Image:
    """Mask (255 or 0) of dark strokes."""
    block = max(11, max(image.shape) // 24) | 1
    blurred = cv2.GaussianBlur(image, (3, 3), 0)
    ink = cv2.adaptiveThreshold(blurred, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 12)
    margin = max(2, max(image.shape) // 60)
    framed = np.zeros_like(ink)
    framed[margin:-margin, margin:-margin] = ink[margin:-margin, margin:-margin]
    return np.asarray(framed, np.uint8)


def _points(ink: Image) -> NDArray[np.float32]:
    """N x 2 coordinates (x, y) of ink pixels from the image centre: far fewer than all pixels."""
    found = cv2.findNonZero(ink)
    if found is None:
        return np.zeros((0, 2), np.float32)
    middle = np.array([ink.shape[1] / 2, ink.shape[0] / 2], np.float32)
    return np.asarray(found.reshape(-1, 2) - middle, np.float32)


def _sharpness(points: NDArray[np.float32], angle: float) -> float:
    """Sum of squared differences of the ink profile after rotation by ``-angle``, along the better axis."""
    turn = np.deg2rad(np.float32(angle))
    along, across = np.cos(turn), np.sin(turn)
    x, y = points[:, 0], points[:, 1]
    return max(_jumps(along * y - across * x), _jumps(along * x + across * y))


def _jumps(places: NDArray[np.float32]) -> float:
    """Sum of squared differences of the projection profile; each point is split linearly between two bins."""
    if not len(places):
        return 0.0
    shifted = places - places.min()
    lower = shifted.astype(np.int32)
    upper_share = shifted - lower
    upper = np.bincount(lower, upper_share)
    density = np.bincount(lower, minlength=len(upper) + 1).astype(np.float64)
    density[:-1] -= upper
    density[1:] += upper
    return float((np.diff(density) ** 2).sum())


def _peak(values: Matrix, index: int) -> float:
    """Offset of the parabola's vertex from ``index``, -0.5..0.5."""
    if not 0 < index < len(values) - 1:
        return 0.0
    left, middle, right = values[index - 1 : index + 2]
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
