"""Corner marks and QR codes in a picture, to a fraction of a pixel."""

from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import zxingcpp

from docproc.errors import InputError
from docproc.marks import FormCode, parse_code
from docproc.scan.image.geometry import Image, Matrix, grey, shrink

Quad = Matrix
"""4 x 2 corners: top-left, top-right, bottom-right, bottom-left, in the mark's own orientation."""

_DICTIONARY = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
_MARKS = range(4)
_SIDES = 4
_SAMPLES = 16
"""Edge positions measured along each side of a mark."""


_GRAINY = 10.5
"""Noise from which a picture is smoothed before marks are looked for; paper and sensors give 1 to 8."""


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
"""Longest side in px and threshold windows: cheap looks, then a thorough one when marks are missing."""


def find_marks(image: Image) -> dict[int, list[Quad]]:
    """Corner marks by id; an id may have several candidates, since print or handwriting can look like a mark."""
    full = grey(image)
    found: dict[int, list[Quad]] = {}
    for longest, detector in _PASSES:
        reduced, scale = shrink(full, longest)
        if _grain(reduced) > _GRAINY:
            reduced = np.asarray(cv2.GaussianBlur(reduced, (0, 0), 1.0), np.uint8)
        corners, ids, _ = detector.detectMarkers(reduced)
        for quad, mark in zip(corners, [] if ids is None else ids.ravel(), strict=True):
            if int(mark) in _MARKS:
                candidate = (np.asarray(quad[0], np.float64) + 0.5) / scale - 0.5
                _add(found.setdefault(int(mark), []), candidate)
        if len(found) == len(_MARKS):
            break
    return {mark: [sharpen(full, quad) for quad in quads] for mark, quads in found.items()}


def _grain(image: Image) -> float:
    """Median strength of single-pixel noise in grey levels; every speck would be tried as a mark."""
    height, width = image.shape
    middle = np.ascontiguousarray(image[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4])
    laplacian = cv2.Laplacian(middle, cv2.CV_16S)
    return float(np.median(np.abs(laplacian[::2, ::2])))


def mirrored(image: Image) -> bool:
    """Whether a picture shows a form's marks the wrong way round, as a selfie camera or the sheet's back does."""
    longest, detector = _PASSES[1]
    flipped = cv2.flip(shrink(grey(image), longest)[0], 1)
    ids = detector.detectMarkers(flipped)[1]
    return ids is not None and len({int(mark) for mark in ids.ravel()} & set(_MARKS)) >= 2


def _add(quads: list[Quad], candidate: Quad) -> None:
    side = np.linalg.norm(candidate[1] - candidate[0])
    if all(np.linalg.norm(candidate.mean(axis=0) - quad.mean(axis=0)) > side for quad in quads):
        quads.append(candidate)


def choices(found: dict[int, list[Quad]], limit: int = 16) -> list[dict[int, Quad]]:
    """Every way to take one candidate for each id, at most ``limit`` ways."""
    ways = product(*[[(mark, quad) for quad in quads] for mark, quads in sorted(found.items())])
    return [dict(way) for way, _ in zip(ways, range(limit), strict=False)]


def sharpen(image: Image, quad: Quad) -> Quad:
    """Move the corners of a dark square to where its edges really cross.

    Each side is measured at :data:`_SAMPLES` places across the edge, at the
    centroid of the squared brightness gradient; a line goes through them and
    neighbouring lines are intersected. That stays unbiased under blur, where a
    corner detector is drawn inwards.

    Returns:
        The corners, or the quad as it came when a side cannot be measured.
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
    """Homogeneous line through points, outliers weighted down."""
    vx, vy, x, y = cv2.fitLine(points.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    return np.array([vy, -vx, vx * y - vy * x], np.float64)


def _cross(first: Matrix, second: Matrix) -> Matrix:
    point = np.cross(first, second)
    return np.asarray(point[:2] / point[2], np.float64)


def read_code(image: Image) -> FormCode | None:
    """The form code of a page in any orientation, or ``None``."""
    found = find_code(image)
    return found[0] if found else None


def find_code(image: Image, longest: int = 2400) -> tuple[FormCode, Quad] | None:
    """The form code and the corners of its QR code (about one pixel exact), or ``None``.

    A mirrored code is read like any other; its corners then lie.
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
