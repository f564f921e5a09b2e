"""Image quality measures: sharpness, brightness, contrast, ink, glare."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import Image, Matrix, grey, halve, shrink

_PREVIEW_PX = 1000
_TILE_PX = 256
_TILES = 12
_PRE_BLUR = 0.7
"""Sigma in px of the smoothing before edges are measured, so that noise does not count as sharpness."""
_REBLUR = 0.12
"""Sigma of the additional blur that measures sharpness, share of letter height: about a stroke's width."""
_LETTER_SHARES = (0.007, 0.045)
"""Range of letter heights, share of the page's longer side: 6 pt to 36 pt on A4."""
_HOLES = 0.06
"""Maximum share of holes in a large overexposed area."""
_SOFT_RIM, _DULL_PAPER = 205, 238
"""Grey levels just around and further away from an overexposed area; a white sheet or frame ends abruptly instead."""


@dataclass(frozen=True, slots=True)
class Measures:
    """Quality measures of one image."""

    short_side: int
    """Px."""
    letter_px: float
    """Median letter height, full-size px; 0 when no text is found."""
    blur: float
    """Sigma of the blur / letter height; 0 when no edge can be measured."""
    ink: float
    """Share of the image covered by dark strokes."""
    paper: float
    """Grey level of the paper, 0..255: 75th percentile of the inner image."""
    contrast: float
    """Darkness of strokes relative to the paper around them, share of its brightness; 0 without strokes."""
    glare: float
    """Share of the image in overexposed areas on paper that is not itself white."""
    missing: float
    """Share of the image height, from below, that is uniform mid grey: a truncated JPEG."""


def measure(image: Image, letter_px: float | None = None) -> Measures:
    """Measure an image; ``letter_px`` is the letter height where it is known from elsewhere."""
    reduced, scale = shrink(image, _PREVIEW_PX)
    small = grey(reduced)
    depth, around = _depth(small)
    strokes = _strokes(depth, around)
    ink, contrast = _ink(depth, around)
    letters = _letter_height(strokes) / scale if letter_px is None else letter_px
    inner = small[
        small.shape[0] // 10 : -small.shape[0] // 10 or None, small.shape[1] // 10 : -small.shape[1] // 10 or None
    ]
    paper = float(np.percentile(inner, 75))
    return Measures(
        min(image.shape[:2]),
        letters,
        _blur(image, strokes, scale, letters) / letters if letters else 0.0,
        ink,
        paper,
        contrast,
        _glare(shrink(reduced, _PREVIEW_PX // 2)[0]),
        _missing(small),
    )


def letters_and_ink(page: Image) -> tuple[float, float]:
    """Return the letter height in px (0 when no text is found) and the share of ink of a rectified page."""
    small, scale = shrink(grey(page), _PREVIEW_PX)
    depth, around = _depth(small)
    return _letter_height(_strokes(depth, around)) / scale, _ink(depth, around)[0]


def _depth(small: Image) -> tuple[Image, Image]:
    """By how many grey levels each pixel is darker than the paper around it, and the level of that paper."""
    around = cv2.medianBlur(cv2.resize(small, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), 11)
    around = cv2.resize(around, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_LINEAR)
    depth = cv2.subtract(around, cv2.GaussianBlur(small, (3, 3), 0))
    margin = max(3, min(small.shape) // 50)
    depth[:margin], depth[-margin:], depth[:, :margin], depth[:, -margin:] = 0, 0, 0, 0
    return np.asarray(depth, np.uint8), np.asarray(around, np.uint8)


def _strokes(depth: Image, around: Image) -> Image:
    """Mask (255) of strokes as dark as the letters of a good print."""
    return np.asarray(depth > np.maximum(10, around // 8), np.uint8) * np.uint8(255)


def _ink(depth: Image, around: Image) -> tuple[float, float]:
    """Share of the page covered by strokes, and the contrast of the darker ones as a share of the paper's level."""
    strokes = depth > np.maximum(8, around // 20)
    found = depth[strokes] / np.maximum(around[strokes], 1)
    return float(strokes.mean()), float(np.percentile(found, 75)) if found.size else 0.0


def _letter_height(strokes: Image) -> float:
    """Median height in px of text lines, weighted by length; 0 when there are fewer than two."""
    joined = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, np.ones((1, 13), np.uint8))
    _, _, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    widths, heights = boxes[1:, cv2.CC_STAT_WIDTH], boxes[1:, cv2.CC_STAT_HEIGHT]
    low, high = (share * max(strokes.shape) for share in _LETTER_SHARES)
    lines = (heights >= low) & (heights <= high) & (widths >= 2 * heights)
    if np.count_nonzero(lines) < 2:
        return 0.0
    return float(np.median(np.repeat(heights[lines], widths[lines])))


def _blur(image: Image, strokes: Image, scale: float, letters: float) -> float:
    """Sigma in px of the blur at the steepest edges, measured by their response to additional blur.

    The slope of an edge blurred by sigma is proportional to 1 / sigma, so additional blur of sigma r leaves the share
    s = sigma / sqrt(sigma^2 + r^2) of it.
    """
    if letters <= 0:
        return 0.0
    more = max(1.0, _REBLUR * letters)
    bell = cv2.getGaussianKernel(2 * round(3 * more) + 1, more, cv2.CV_32F)
    found = []
    for y, x in _busiest(strokes, scale):
        tile = cv2.GaussianBlur(grey(image[y : y + _TILE_PX, x : x + _TILE_PX]), (0, 0), _PRE_BLUR)
        before, after = _slope(tile), _slope(cv2.sepFilter2D(tile, cv2.CV_32F, bell, bell))
        edge = float(np.percentile(before, 97))
        if edge > 4.0:
            share = min(float(np.percentile(after, 97)) / edge, 0.98)
            found.append(more * share / np.sqrt(1 - share**2))
    if not found:
        return 0.0
    return float(np.sqrt(max(float(np.median(found)) ** 2 - _PRE_BLUR**2, 0.0)))


def _slope(tile: Image) -> Matrix:
    """Gradient magnitude at every second pixel of every second row: enough for a percentile."""
    dx, dy = cv2.Sobel(tile, cv2.CV_32F, 1, 0)[::2, ::2], cv2.Sobel(tile, cv2.CV_32F, 0, 1)[::2, ::2]
    return np.asarray(np.hypot(dx, dy), np.float32) / 8


def _busiest(strokes: Image, scale: float) -> list[tuple[int, int]]:
    """Corners (y, x) in full-size px of the tiles with the most strokes."""
    size = max(8, round(_TILE_PX * scale))
    rows, columns = max(1, strokes.shape[0] // size), max(1, strokes.shape[1] // size)
    counts = cv2.resize(halve(halve(strokes)), (columns, rows), interpolation=cv2.INTER_AREA)
    order = np.argsort(counts.ravel())[::-1][:_TILES]
    return [(int(i // columns * size / scale), int(i % columns * size / scale)) for i in order if counts.ravel()[i] > 0]


def _glare(small: Image) -> float:
    """Share of the image in overexposed areas: white, with a soft rim, on paper that is not itself white."""
    darkest = small if small.ndim == 2 else _darkest(small)
    burnt = np.asarray(darkest >= 250, np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(burnt, cv2.MORPH_OPEN, kernel))
    total = 0.0
    for label in range(1, count):
        x, y, width, height, area = (int(value) for value in boxes[label])
        if not 0.0008 < area / burnt.size < 0.8 or area < 0.35 * width * height:
            continue
        if area > 0.1 * burnt.size and _holes(labels == label) > _HOLES:
            continue
        pad = 14
        window = np.s_[max(0, y - pad) : y + height + pad, max(0, x - pad) : x + width + pad]
        spot = (labels[window] == label).astype(np.uint8)
        away = cv2.distanceTransform(1 - spot, cv2.DIST_L2, 3)
        rim, paper = darkest[window][(away > 1) & (away <= 3)], darkest[window][(away > 9) & (away <= 13)]
        if rim.size and paper.size and np.median(rim) > _SOFT_RIM and np.median(paper) < _DULL_PAPER:
            total += area
    return total / burnt.size


def _darkest(image: Image) -> Image:
    """The minimum of the channels of each pixel."""
    blue, green, red = cv2.split(image)
    return np.asarray(cv2.min(cv2.min(blue, green), red), np.uint8)


def _holes(spot: NDArray[np.bool_]) -> float:
    """Share of an area's outline that it does not fill: letters on a white sheet leave holes, glare does not."""
    contours, _ = cv2.findContours(spot.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(cv2.contourArea(contour) for contour in contours)
    return 1 - float(np.count_nonzero(spot)) / max(outline, 1.0)


def _missing(small: Image) -> float:
    """Share of the height, from below, whose rows have one and the same mid grey."""
    rows = small.astype(np.int16)
    even = (np.ptp(rows, axis=1) <= 2) & (np.abs(rows[:, 0] - rows[-1, 0]) <= 2)
    if not 90 <= int(rows[-1, 0]) <= 170:
        return 0.0
    uneven = np.flatnonzero(~even)
    return float(len(rows) - 1 - uneven[-1]) / len(rows) if len(uneven) else 1.0
