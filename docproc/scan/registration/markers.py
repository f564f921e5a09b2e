"""Detect corner marks and QR codes with subpixel accuracy."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import zxingcpp

from docproc.errors import InputError
from docproc.marks import FormCode, parse_code
from docproc.scan.image.geometry import Image, Matrix, grey, shrink

MarkCorners = Matrix
"""4 x 2 corners: top-left, top-right, bottom-right, bottom-left, in the mark's own orientation."""

_DICTIONARY = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
_MARKS = range(4)
_SIDES = 4
_SAMPLES = 16
"""Edge positions measured along each side of a mark."""
_NOISY = 10.5
"""Noise level from which an image is smoothed before detection; paper and sensors give 1 to 8."""


def _detector(window_min: int, window_max: int, step: int) -> cv2.aruco.ArucoDetector:
    parameters = cv2.aruco.DetectorParameters()
    parameters.adaptiveThreshWinSizeMin = window_min
    parameters.adaptiveThreshWinSizeMax = window_max
    parameters.adaptiveThreshWinSizeStep = step
    parameters.minMarkerPerimeterRate = 0.03
    parameters.maxMarkerPerimeterRate = 0.6
    parameters.polygonalApproxAccuracyRate = 0.05
    parameters.perspectiveRemovePixelPerCell = 6
    return cv2.aruco.ArucoDetector(_DICTIONARY, parameters)


_PASSES = ((1000, _detector(13, 13, 10)), (1400, _detector(13, 13, 10)), (2000, _detector(7, 47, 20)))
"""Longest side in px and threshold windows: fast passes, then a thorough one when marks are missing."""


def find_marks(image: Image) -> dict[int, list[MarkCorners]]:
    """Detect corner marks by id; an id may have several candidates, since print or handwriting can resemble a mark."""
    full = grey(image)
    found: dict[int, list[MarkCorners]] = {}
    for longest, detector in _PASSES:
        reduced, scale = shrink(full, longest)
        if _noise(reduced) > _NOISY:
            reduced = np.asarray(cv2.GaussianBlur(reduced, (0, 0), 1.0), np.uint8)
        corners, ids, _ = detector.detectMarkers(reduced)
        for quad, mark in zip(corners, [] if ids is None else ids.ravel(), strict=True):
            if int(mark) in _MARKS:
                candidate = (np.asarray(quad[0], np.float64) + 0.5) / scale - 0.5
                _add(found.setdefault(int(mark), []), candidate)
        if len(found) == len(_MARKS):
            break
    return {mark: [refine_corners(full, quad) for quad in quads] for mark, quads in found.items()}


def _noise(image: Image) -> float:
    """Median of single-pixel noise in grey levels; without smoothing every speck becomes a candidate."""
    height, width = image.shape
    middle = np.ascontiguousarray(image[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4])
    laplacian = cv2.Laplacian(middle, cv2.CV_16S)
    return float(np.median(np.abs(laplacian[::2, ::2])))


def is_mirrored(image: Image) -> bool:
    """Whether an image shows a form's marks mirrored, as from a selfie camera or through the sheet's back."""
    longest, detector = _PASSES[1]
    flipped = cv2.flip(shrink(grey(image), longest)[0], 1)
    ids = detector.detectMarkers(flipped)[1]
    return ids is not None and len({int(mark) for mark in ids.ravel()} & set(_MARKS)) >= 2


def _add(quads: list[MarkCorners], candidate: MarkCorners) -> None:
    side = np.linalg.norm(candidate[1] - candidate[0])
    if all(np.linalg.norm(candidate.mean(axis=0) - quad.mean(axis=0)) > side for quad in quads):
        quads.append(candidate)


def candidate_sets(found: dict[int, list[MarkCorners]], limit: int = 16) -> list[dict[int, MarkCorners]]:
    """Return the combinations of one candidate for each id, at most ``limit``."""
    ways = product(*[[(mark, quad) for quad in quads] for mark, quads in sorted(found.items())])
    return [dict(way) for way, _ in zip(ways, range(limit), strict=False)]


def refine_corners(image: Image, quad: MarkCorners) -> MarkCorners:
    """Refine the corners of a dark square to the intersections of its edges.

    Each side is sampled at :data:`_SAMPLES` profiles across the edge; the edge lies at the centroid of the squared
    gradient. A line is fitted to each side and neighbouring lines are intersected. This is unbiased under blur, where a
    corner detector is drawn inwards.

    Returns:
        The corners, or the quad unchanged when a side cannot be measured.
    """
    along = np.roll(quad, -1, axis=0) - quad
    length = np.linalg.norm(along, axis=1)
    if length.min() < 8:
        return quad
    reach = float(length.min()) / 7
    offsets = np.linspace(-reach, reach, 2 * int(np.ceil(reach / 0.5)) + 1)
    normal = np.column_stack([along[:, 1], -along[:, 0]]) / length[:, None]
    steps = np.linspace(0.12, 0.88, _SAMPLES)
    base = quad[:, None, :] + along[:, None, :] * steps[None, :, None]
    places = (base[:, :, None, :] + normal[:, None, None, :] * offsets[None, None, :, None]).astype(np.float32)
    flat = places.reshape(_SIDES * _SAMPLES, len(offsets), 2)
    profile = cv2.remap(image, flat[..., 0], flat[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    rise = np.maximum(np.diff(profile.astype(np.float64), axis=1), 0.0) ** 2
    weight = rise.sum(axis=1)
    middle = (offsets[1:] + offsets[:-1]) / 2
    shift = (rise @ middle) / np.maximum(weight, 1e-9)
    clear = (weight > 0.15 * np.median(weight)).reshape(_SIDES, _SAMPLES) & (np.median(weight) > 4.0)
    if clear.sum(axis=1).min() < _SAMPLES // 3:
        return quad
    edges = base + normal[:, None, :] * shift.reshape(_SIDES, _SAMPLES, 1)
    lines = [_line(edges[side][clear[side]]) for side in range(_SIDES)]
    corners = np.array([_cross(lines[side - 1], lines[side]) for side in range(_SIDES)])
    moved = np.linalg.norm(corners - quad, axis=1).max()
    return corners if moved < 1.5 * reach else quad


def _line(points: Matrix) -> Matrix:
    """Homogeneous line through points, robust to outliers (Huber)."""
    vx, vy, x, y = cv2.fitLine(points.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    return np.array([vy, -vx, vx * y - vy * x], np.float64)


def _cross(first: Matrix, second: Matrix) -> Matrix:
    point = np.cross(first, second)
    return np.asarray(point[:2] / point[2], np.float64)


def read_code(image: Image) -> FormCode | None:
    """Return the form code of a page in any orientation, or ``None``."""
    found = find_code(image)
    return found[0] if found else None


def find_code(image: Image, longest: int = 2400) -> tuple[FormCode, MarkCorners] | None:
    """Return the form code and the corners of its QR code, to about one pixel, or ``None``.

    A mirrored code is decoded like any other; its corners are then in the wrong order.
    """
    reduced, scale = shrink(grey(image), longest)
    for code in zxingcpp.read_barcodes(reduced, formats=zxingcpp.BarcodeFormat.QRCode):
        try:
            content = parse_code(code.text)
        except InputError:
            continue
        place = code.position
        points = [place.top_left, place.top_right, place.bottom_right, place.bottom_left]
        return content, (np.array([(p.x, p.y) for p in points], np.float64) + 0.5) / scale - 0.5
    return None
