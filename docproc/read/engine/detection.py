"""Geometry of text detection: from the DB probability map (Liao et al., 2020) to quads, and from quads to crops.

Steps and constants are those of PaddleX's OCR pipeline, so that both engines see the same crops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.read.engine.recogniser import Image, Line, Quad

STRIDE = 32
"""The network's input sides must be multiples of this."""
MIN_SIDE = 3.0
"""Minimum side of a box, pixels of the map."""
SAME_ROW = 10.0
"""Vertical distance, pixels of the page, below which lines are ordered from left to right."""


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """Constants of the detector; the defaults are those of PaddleX's ``OCR.yaml``, except the side limit."""

    side: int = 960
    """Longest side of the network's input, pixels. Measured: 0.820 of fields exact; 0.827 without a limit, slower."""
    letter_px: float = 24.0
    """Letter height in the network's input from which detection is at its best: pages of larger print are reduced."""
    threshold: float = 0.3
    """Minimum probability of a text pixel."""
    box_threshold: float = 0.6
    """Minimum mean probability of a box."""
    unclip: float = 1.5
    """Expansion of a shrunk box: area × unclip / perimeter on each side."""
    max_boxes: int = 3000


def network_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Return the ``(height, width)`` of the network's input for a page."""
    ratio = min(1.0, side / max(height, width))

    def fit(length: int) -> int:
        return max(round(int(length * ratio) / STRIDE) * STRIDE, STRIDE)

    return fit(height), fit(width)


def side_for(longest: int, letter_px: float, options: DetectionOptions) -> int:
    """Return the longest input side for a page ``longest`` pixels long with letters ``letter_px`` high."""
    if letter_px <= options.letter_px:
        return options.side
    return min(options.side, math.ceil(longest * options.letter_px / letter_px))


def boxes_of(score_map: NDArray[np.float32], height: int, width: int, options: DetectionOptions) -> list[Line]:
    """Turn the network's H×W text map into quads on a page of ``height``×``width`` pixels, in reading order."""
    mask = (score_map > options.threshold).astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    scale = np.array([width / score_map.shape[1], height / score_map.shape[0]], dtype=np.float32)
    limit = np.array([width, height], dtype=np.float32)
    lines = []
    for contour in contours[: options.max_boxes]:
        (centre, (w, h), angle) = cv2.minAreaRect(contour)
        if min(w, h) < MIN_SIDE:
            continue
        score = _mean_inside(score_map, cv2.boxPoints((centre, (w, h), angle)))
        if score < options.box_threshold:
            continue
        grow = 2 * w * h * options.unclip / (2 * (w + h))
        if min(w, h) + grow < MIN_SIDE + 2:
            continue
        corners = cv2.boxPoints((centre, (w + grow, h + grow), angle)).astype(np.float32) * scale
        quad = np.clip(np.round(order_corners(corners)), 0, limit).astype(np.float32)
        lines.append(Line(quad, score))
    return reading_order(lines)


def _mean_inside(score_map: NDArray[np.float32], corners: Quad) -> float:
    height, width = score_map.shape
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((y1 - y0 + 1, x1 - x0 + 1), dtype=np.uint8)
    cv2.fillPoly(mask, [(corners - (x0, y0)).astype(np.int32)], 1)
    return float(cv2.mean(score_map[y0 : y1 + 1, x0 : x1 + 1], mask)[0])


def order_corners(corners: Quad) -> Quad:
    """Return four corners as top-left, top-right, bottom-right, bottom-left."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[np.argsort(left[:, 1], kind="stable")]
    top_right, bottom_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.array([top_left, top_right, bottom_right, bottom_left], dtype=np.float32)


def reading_order(lines: list[Line]) -> list[Line]:
    """Sort from top to bottom, and from left to right where the tops are nearly level."""
    ordered = sorted(lines, key=lambda line: (line.quad[0][1], line.quad[0][0]))
    for i in range(len(ordered) - 1):
        for j in range(i, -1, -1):
            upper, lower = ordered[j].quad[0], ordered[j + 1].quad[0]
            if abs(lower[1] - upper[1]) >= SAME_ROW or lower[0] >= upper[0]:
                break
            ordered[j], ordered[j + 1] = ordered[j + 1], ordered[j]
    return ordered


def crop_line(image: Image, quad: Quad) -> Image:
    """Crop and rectify one line; one much taller than wide is rotated by 90 degrees anticlockwise."""
    corners = order_corners(cv2.boxPoints(cv2.minAreaRect(quad.astype(np.int32))).astype(np.float32))
    width = max(int(max(_gap(corners, 0, 1), _gap(corners, 2, 3))), 1)
    height = max(int(max(_gap(corners, 0, 3), _gap(corners, 1, 2))), 1)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    transform = cv2.getPerspectiveTransform(corners, target)
    size = (width, height)
    crop = cv2.warpPerspective(image, transform, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return cast(Image, np.rot90(crop) if height >= 1.5 * width else crop)


def _gap(corners: Quad, a: int, b: int) -> float:
    return float(np.linalg.norm(corners[a] - corners[b]))
