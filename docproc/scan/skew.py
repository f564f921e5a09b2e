"""Measure by how much the lines of a page are turned."""

from __future__ import annotations

import cv2
import numpy as np

from docproc.scan.geometry import Image, Matrix, grey, shrink

_COARSE = (400, 19.5, 1.5)
_FINE = (760, 1.5, 0.25)
"""Longest side in px, reach and step in degrees."""
_CLEAR = 1.12
"""The best direction must be this much sharper than the median one, or the page has no lines."""


def skew_deg(image: Image) -> float:
    """Angle by which the lines on a page run downwards to the right, -20..20 degrees; 0 when it has no lines.

    The ink of the page is summed along each direction; along the lines' own
    direction the sums jump most from row to row (Postl 1986). Lines may run
    along either axis, so pages lying on their side are measured too.
    """
    angle = 0.0
    for longest, reach, step in (_COARSE, _FINE):
        ink = _ink(shrink(grey(image), longest)[0])
        angles = np.arange(angle - reach, angle + reach + step / 2, step)
        sharpness = np.array([_sharpness(ink, float(value)) for value in angles])
        best = int(np.argmax(sharpness))
        if sharpness[best] < _CLEAR * max(float(np.median(sharpness)), 1e-9) and longest == _COARSE[0]:
            return 0.0
        angle = float(angles[best]) + step * _peak(sharpness, best)
    return angle


def _ink(image: Image) -> Image:
    """Dark strokes as 255 on 0."""
    block = max(11, max(image.shape) // 24) | 1
    blurred = cv2.GaussianBlur(image, (3, 3), 0)
    ink = cv2.adaptiveThreshold(blurred, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, block, 12)
    margin = max(2, max(image.shape) // 60)
    framed = np.zeros_like(ink)
    framed[margin:-margin, margin:-margin] = ink[margin:-margin, margin:-margin]
    return np.asarray(framed, np.uint8)


def _sharpness(ink: Image, angle: float) -> float:
    """Summed squared jumps of the ink profile after turning back by ``angle``, along the better axis."""
    height, width = ink.shape
    turn: Matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(ink, turn, (width, height), flags=cv2.INTER_LINEAR)
    rows = np.diff(cv2.reduce(turned, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel().astype(np.float64) / 255)
    columns = np.diff(cv2.reduce(turned, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel().astype(np.float64) / 255)
    return max(float((rows**2).sum()), float((columns**2).sum()))


def _peak(values: Matrix, index: int) -> float:
    """Offset of the parabola's top from ``index``, -0.5..0.5."""
    if not 0 < index < len(values) - 1:
        return 0.0
    left, middle, right = values[index - 1 : index + 2]
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
