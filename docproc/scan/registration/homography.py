"""Registration of a printed form in an image, by its corner marks and QR code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from docproc.domain import Turn
from docproc.marks import A4_MM, FormCode, mark_corners, qr_box
from docproc.scan.image.find_sheet import find_sheet
from docproc.scan.image.geometry import (
    MM_PER_INCH,
    Image,
    Matrix,
    corners_of,
    grey,
    mm_to_px,
    transform_points,
    turn_upright,
    warp_to,
)
from docproc.scan.registration.markers import MarkCorners, candidate_sets, find_code, find_marks, is_mirrored
from docproc.scan.registration.match import match_page, page_features, photo_features

RegistrationMethod = Literal["marks", "marks+qr", "edges", "print"]
Fit = Callable[[Matrix, Matrix], Matrix | None]
"""From image points and page points, N x 2 each, to the transform between them."""

_TRUSTED_MM = 1.5
"""RMS above which the marks are inconsistent: one of them is a false detection. A bent page stays below."""
_OUTLINE_MM = 2.0
"""Expected error of the paper's outline: the offset of the print on the sheet."""
_PRINT_MM = 1.0
"""Expected error of a page found by its printed text."""
_MEASURE_MM = 0.015
"""Expected error of a mark's corner; measured on generated scans and photographs at 150 to 300 dpi."""
_QR_PX_MM = 12.0
"""Pixels per millimetre at which the QR code is decoded."""
_QR_QUIET_MM = 3.0


@dataclass(frozen=True, slots=True)
class Registration:
    """Position of a page in an image."""

    code: FormCode | None
    """Content of the form's QR code; ``None`` when it cannot be read."""
    homography: Matrix
    """3 x 3, from image pixels (centres at integers) to page millimetres."""
    page_mm: tuple[float, float]
    marks_found: tuple[int, ...]
    """Ids of the corner marks used, ascending."""
    error_mm: float
    """RMS reprojection error of the marks' corners."""
    drift_mm: float
    """Expected error at the page's worst corner; grows quickly with each missing mark."""
    how: RegistrationMethod
    """``edges``: by the paper's outline or the QR code alone, to a few millimetres; ``print``: by the form's printed
    text, to about a millimetre. Align before reading cells."""


def turn_of_page(registration: Registration) -> Turn:
    """Return the quarter turn after which a registered page stands upright in its image."""
    width, height = registration.page_mm
    return turn_upright(np.linalg.inv(registration.homography), (width / 2, height / 2))


def find_registration(image: Image, page_mm: tuple[float, float] = A4_MM) -> Registration | None:
    """Register a form page in an image, in any orientation.

    Three or four marks determine a homography. With fewer, the QR code's corners are added, and the simplest transform
    that explains the points is taken: a flatbed scan is a similarity, whose error hardly grows with the distance from
    the marks. When that does not fit, the outline of the paper is used.

    Returns:
        The registration, or ``None`` when the image shows no form of ours, or shows it mirrored.
    """
    light = grey(image)
    marks, homography = _best_marks(find_marks(light), page_mm)
    code, qr_points = _read_qr(light, homography, page_mm)
    if len(marks) < 2 and (code is None or is_mirrored(light)):
        return None
    source, target = _points(marks, page_mm, qr_points if len(marks) < 4 else None)
    if len(source) == 0:
        return None
    how: RegistrationMethod = "marks+qr" if len(marks) < 4 and qr_points is not None else "marks"
    fitted, fit = _fit_simplest(source, target, len(marks))
    drift = 0.0 if fitted is None else _expected_drift(fitted, fit, source, target, page_mm)
    if len(marks) < 2:
        outline = _from_outline(image, source, target, page_mm)
        how = "edges"
        if outline is not None:
            fitted, drift = outline, max(_OUTLINE_MM, _rms(outline, source, target))
    if fitted is None:
        return None
    return Registration(code, fitted, page_mm, tuple(sorted(marks)), _rms(fitted, source, target), drift, how)


def find_registration_by_print(image: Image, blank: Image, page_mm: tuple[float, float] = A4_MM) -> Registration | None:
    """Register a page whose marks are lost, by the features of its print.

    Args:
        image: original image, BGR.
        blank: the blank page, BGR or grey, as wide and high as ``page_mm``.
        page_mm: width and height of the page.

    Returns:
        The registration, or ``None`` when too few features match.
    """
    found = match_page(photo_features(image), page_features(blank))
    if found is None:
        return None
    to_mm = np.linalg.inv(mm_to_px(blank.shape[1] / page_mm[0] * MM_PER_INCH))
    return Registration(None, to_mm @ found.homography, page_mm, (), 0.0, _PRINT_MM, "print")


def _read_qr(
    image: Image, homography: Matrix | None, page_mm: tuple[float, float]
) -> tuple[FormCode | None, tuple[Matrix, Matrix] | None]:
    """The form code, and its measured corners in the image and on the page."""
    if homography is not None:
        code, points = _read_qr_at(image, homography, page_mm)
        if code is not None:
            return code, points
    found = find_code(image)
    if found is None:
        return None, None
    rough = _homography(found[1], _qr_corners(page_mm))
    points = None if rough is None else _read_qr_at(image, rough, page_mm)[1]
    return found[0], points


def _best_marks(
    found: dict[int, list[MarkCorners]], page_mm: tuple[float, float]
) -> tuple[dict[int, MarkCorners], Matrix | None]:
    """The largest consistent set of marks, and the transform through them."""
    best: tuple[int, float, dict[int, MarkCorners], Matrix] | None = None
    for choice in candidate_sets(found):
        subsets = [choice] + [{k: v for k, v in choice.items() if k != drop} for drop in choice if len(choice) > 1]
        for subset in subsets:
            source, target = _points(subset, page_mm, None)
            fitted = _fit_simplest(source, target, len(subset))[0] if len(subset) > 1 else _homography(source, target)
            if fitted is None:
                continue
            error = _rms(fitted, source, target)
            if error < _TRUSTED_MM and (best is None or (len(subset), -error) > (best[0], -best[1])):
                best = (len(subset), error, subset, fitted)
    return ({}, None) if best is None else (best[2], best[3])


def _points(
    marks: dict[int, MarkCorners], page_mm: tuple[float, float], extra: tuple[Matrix, Matrix] | None
) -> tuple[Matrix, Matrix]:
    """Image points and page points, N x 2 each."""
    places = mark_corners(page_mm)
    source: list[Matrix] = [np.empty((0, 2)), *(marks[key] for key in sorted(marks))]
    target: list[Matrix] = [np.empty((0, 2)), *(np.array(places[key], np.float64) for key in sorted(marks))]
    if extra is not None:
        source.append(extra[0])
        target.append(extra[1])
    return np.concatenate(source), np.concatenate(target)


def _qr_corners(page_mm: tuple[float, float]) -> Matrix:
    x0, y0, x1, y1 = qr_box(page_mm)
    return np.asarray(corners_of(x1 - x0, y1 - y0) + np.array([x0, y0]), np.float64)


def _read_qr_at(
    image: Image, homography: Matrix, page_mm: tuple[float, float]
) -> tuple[FormCode | None, tuple[Matrix, Matrix] | None]:
    """Read the QR code where the homography predicts it, and measure its three finder corners."""
    x0, y0, x1, _ = qr_box(page_mm)
    origin = np.array([x0 - _QR_QUIET_MM, y0 - _QR_QUIET_MM])
    side = round((x1 - x0 + 2 * _QR_QUIET_MM) * _QR_PX_MM)
    to_patch = np.array(
        [[_QR_PX_MM, 0, -origin[0] * _QR_PX_MM - 0.5], [0, _QR_PX_MM, -origin[1] * _QR_PX_MM - 0.5], [0, 0, 1]]
    )
    transform = to_patch @ homography
    patch = warp_to(grey(image), transform, (side, side))
    found = find_code(patch)
    if found is None:
        return None, None
    wanted = transform_points(to_patch, _qr_corners(page_mm))[[0, 1, 3]]
    seen = found[1][[0, 1, 3]]
    if np.linalg.norm(seen - wanted, axis=1).max() > 2.5 * _QR_PX_MM:
        return found[0], None
    start = np.ascontiguousarray(seen[:, None, :], np.float32)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 30, 0.02)
    sharp = cv2.cornerSubPix(patch, start, (6, 6), (-1, -1), criteria).reshape(-1, 2).astype(np.float64)
    return found[0], (transform_points(np.linalg.inv(transform), sharp), _qr_corners(page_mm)[[0, 1, 3]])


def _fit_simplest(source: Matrix, target: Matrix, marks: int) -> tuple[Matrix | None, Fit]:
    """The transform with the fewest parameters that fits about as well as a full homography."""
    full = _homography(source, target)
    if marks < 4:
        best = 2 * _MEASURE_MM if full is None else max(_rms(full, source, target), 2 * _MEASURE_MM)
        for fit in (_similarity, _affine):
            simple = fit(source, target)
            if simple is not None and _rms(simple, source, target) < 1.4 * best:
                return simple, fit
    return (full if marks >= 2 else None), _homography


def _expected_drift(fitted: Matrix, fit: Fit, source: Matrix, target: Matrix, page_mm: tuple[float, float]) -> float:
    """Error of the worst page corner under noise in the measured points: RMS over simulated trials."""
    random = np.random.default_rng(0)
    noise = max(_MEASURE_MM, _rms(fitted, source, target) / np.sqrt(2))
    corners = transform_points(np.linalg.inv(fitted), corners_of(*page_mm))
    trials = [fit(source, target + random.normal(0, noise, target.shape)) for _ in range(12)]
    moved = [transform_points(trial, corners) - corners_of(*page_mm) for trial in trials if trial is not None]
    return float(np.sqrt((np.array(moved) ** 2).sum(axis=2).mean(axis=0)).max()) if moved else float("inf")


def _homography(source: Matrix, target: Matrix) -> Matrix | None:
    if len(source) < 4:
        return None
    matrix, _ = cv2.findHomography(source, target, 0)
    return None if matrix is None else np.asarray(matrix, np.float64)


def _affine(source: Matrix, target: Matrix) -> Matrix | None:
    design = np.column_stack([source, np.ones(len(source))])
    solution, _, rank, _ = np.linalg.lstsq(design, target, rcond=None)
    return np.vstack([solution.T, [0, 0, 1]]) if rank == 3 else None


def _similarity(source: Matrix, target: Matrix) -> Matrix | None:
    """Least-squares rotation, scale and translation (Umeyama 1991), without reflection."""
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    centred, wanted = source - from_mean, target - to_mean
    spread = float((centred**2).sum())
    if spread == 0:
        return None
    a = float((centred * wanted).sum()) / spread
    b = float((centred[:, 0] * wanted[:, 1] - centred[:, 1] * wanted[:, 0]).sum()) / spread
    linear = np.array([[a, -b], [b, a]])
    shift = to_mean - linear @ from_mean
    return np.array([[a, -b, shift[0]], [b, a, shift[1]], [0, 0, 1]], np.float64)


def _rms(homography: Matrix, source: Matrix, target: Matrix) -> float:
    return float(np.sqrt(((transform_points(homography, source) - target) ** 2).sum(axis=1).mean()))


def _from_outline(image: Image, source: Matrix, target: Matrix, page_mm: tuple[float, float]) -> Matrix | None:
    """Homography from the paper's outline, in the rotation that fits the known points best."""
    quad = find_sheet(image)
    if quad is None:
        return None
    fits = [_homography(np.roll(quad, turn, axis=0), corners_of(*page_mm)) for turn in range(4)]
    usable = [fit for fit in fits if fit is not None]
    best = min(usable, key=lambda fit: _rms(fit, source, target), default=None)
    return best if best is not None and _rms(best, source, target) < 12.0 else None
