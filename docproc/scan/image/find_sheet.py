"""Detect the sheet of paper in a photograph."""

from __future__ import annotations

import cv2
import numpy as np

from docproc.scan.image.geometry import Image, Matrix, corners_of, shrink

_LONGEST = 480
"""Longest side in px of the reduced image in which the sheet is detected."""
_MIN_AREA, _MAX_AREA = 0.22, 0.985
"""Share of the image: a smaller sheet is too small to read, a larger one leaves no background to crop."""
_ANGLES_DEG = (58.0, 122.0)
"""Corner angles of a sheet seen at up to about 35 degrees from its normal."""
_CONTRAST = 10.0
"""Minimum median difference across a side that is an edge of paper, see :func:`_contrast`."""
_LIGHT_WEIGHT = 0.35
"""Weight of lightness against colour: the two halves of a folded sheet differ in lightness only."""
_BORDER = 0.012
"""Share of the longer side within which a corner counts as lying on the image border."""


def find_sheet(image: Image) -> Matrix | None:
    """Find the four corners of the sheet.

    Returns:
        4 x 2 px, clockwise from the corner nearest the image's top-left, or ``None`` when the sheet fills the image or
        cannot be separated from the background.
    """
    reduced, scale = shrink(image, _LONGEST)
    if reduced.ndim == 2:
        reduced = np.asarray(cv2.cvtColor(reduced, cv2.COLOR_GRAY2BGR), np.uint8)
    lab = np.asarray(cv2.cvtColor(cv2.GaussianBlur(reduced, (5, 5), 0), cv2.COLOR_BGR2LAB), np.uint8)
    best: tuple[float, Matrix] | None = None
    for mask in _masks(lab):
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:3]:
            quad = _quad(contour, lab.shape[1], lab.shape[0])
            score = 0.0 if quad is None else _score(quad, contour, lab)
            if quad is not None and score > 0 and (best is None or score > best[0]):
                best = (score, quad)
    return None if best is None else (_ordered(best[1]) + 0.5) / scale - 0.5


def _masks(lab: Image) -> list[Image]:
    """Candidate masks of the sheet: brighter than the rest, unlike the image border, enclosed by edges."""
    light = np.ascontiguousarray(lab[..., 0])
    _, bright = cv2.threshold(light, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    rim = np.concatenate([lab[:3].reshape(-1, 3), lab[-3:].reshape(-1, 3), lab[:, :3].reshape(-1, 3)])
    distance = np.linalg.norm(lab.astype(np.float32) - np.median(rim, axis=0).astype(np.float32), axis=2)
    _, unlike = cv2.threshold(np.clip(distance, 0, 255).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    middle = float(np.median(light))
    edges = cv2.dilate(cv2.Canny(light, 0.25 * middle, 0.6 * middle), np.ones((3, 3), np.uint8))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    solid = [cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel) for mask in (bright, unlike)]
    opened = [cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel) for mask in solid]
    return [*opened, edges]


def _quad(contour: Matrix, width: int, height: int) -> Matrix | None:
    """Four corners of a contour's convex hull, or ``None`` when it is not a quadrilateral of a sheet's shape."""
    hull = cv2.convexHull(contour)
    area = cv2.contourArea(hull)
    if not _MIN_AREA * width * height < area < _MAX_AREA * width * height:
        return None
    perimeter = cv2.arcLength(hull, True)
    for share in (0.01, 0.015, 0.02, 0.03, 0.045, 0.06):
        corners = cv2.approxPolyDP(hull, share * perimeter, True)
        if len(corners) == 4:
            quad = corners.reshape(4, 2).astype(np.float64)
            fits = cv2.contourArea(corners) > 0.93 * area
            return quad if fits and _square_enough(quad) else None
    return None


def _square_enough(quad: Matrix) -> bool:
    before, after = np.roll(quad, 1, axis=0) - quad, np.roll(quad, -1, axis=0) - quad
    cosine = (before * after).sum(axis=1) / (np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1))
    angles = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return bool(angles.min() > _ANGLES_DEG[0] and angles.max() < _ANGLES_DEG[1])


def _score(quad: Matrix, contour: Matrix, lab: Image) -> float:
    """Share of the image covered, 0 when the sides are not edges of paper."""
    height, width = lab.shape[:2]
    centre = quad.mean(axis=0)
    near = _BORDER * max(width, height) + 2
    clear = 0
    for start, end in zip(quad, np.roll(quad, -1, axis=0), strict=True):
        places = start + (end - start) * np.linspace(0.08, 0.92, 24)[:, None]
        limits = np.array([width - 1, height - 1])
        if float(np.minimum(places, limits - places).min(axis=1).mean()) < near:
            continue
        outward = np.array([end[1] - start[1], start[0] - end[0]]) / np.linalg.norm(end - start)
        outward *= np.sign(((start + end) / 2 - centre) @ outward)
        if min(_contrast(lab, places, outward, step) for step in (5.0, 11.0)) < _CONTRAST:
            return 0.0
        clear += 1
    return cv2.contourArea(quad.astype(np.float32)) / (width * height) if clear >= 2 else 0.0


def _contrast(lab: Image, places: Matrix, outward: Matrix, step: float) -> float:
    """Median difference between the two sides of an edge, ``step`` px away from it.

    Cropping a part of the page loses content, keeping some background loses nothing, so a printed frame or the shadow
    of a fold must be rejected.
    """
    change = np.abs(_pick(lab, places - step * outward) - _pick(lab, places + step * outward))
    return float(np.median(_LIGHT_WEIGHT * change[:, 0] + np.hypot(change[:, 1], change[:, 2])))


def _pick(lab: Image, places: Matrix) -> Matrix:
    rows = np.clip(places[:, 1].round().astype(int), 0, lab.shape[0] - 1)
    columns = np.clip(places[:, 0].round().astype(int), 0, lab.shape[1] - 1)
    return np.asarray(lab[rows, columns], np.float64)


def _ordered(quad: Matrix) -> Matrix:
    """The corners clockwise from the one nearest the top-left."""
    centre = quad.mean(axis=0)
    turned = quad[np.argsort(np.arctan2(quad[:, 1] - centre[1], quad[:, 0] - centre[0]))]
    return np.asarray(np.roll(turned, -int(np.argmin(turned.sum(axis=1))), axis=0), np.float64)


def rectified_size(quad: Matrix) -> tuple[float, float]:
    """Return the width and height in px of the rectified sheet: means of opposite sides."""
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    return float((sides[0] + sides[2]) / 2), float((sides[1] + sides[3]) / 2)


def rectify(quad: Matrix) -> tuple[Matrix, tuple[float, float]]:
    """Return the homography that rectifies the sheet, and the width and height of the result in px."""
    width, height = rectified_size(quad)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), (corners_of(width, height) - 0.5).astype(np.float32))
    return np.asarray(matrix, np.float64), (width, height)
