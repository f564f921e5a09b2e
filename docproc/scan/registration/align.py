"""Align a rectified page with its blank form, also where the paper was folded or bent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from docproc.domain import Box
from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix, grey, halve, to_image_box
from docproc.scan.image.warp import DisplacementField, PatchShift, apply_field, fit_field, residual, sample_field

ALIGN_DPI = 75.0
"""Resolution at which a page is compared with its form."""
_COARSE, _FINE = (40.0, 40.0, 30.0, 6.0), (ALIGN_DPI, 18.0, 14.0, 1.6)
"""Of a pass: working dpi; side, spacing and search range of the patches in mm."""
_NEAR = (0.75, 0.8, 0.25)
"""Minimum share of patches found, maximum displacement and maximum residual (mm) at which the fine pass is enough:
content beyond its search range is not found, or found at the end of the range."""
_WORTH_MM = 0.12
"""Displacement below which a page is not warped: it lies within the cells' margins."""
_INK_SPREAD = 6.0
"""Minimum standard deviation of grey levels of a patch that can be matched."""
_FOUND = 0.35
"""Minimum correlation (-1..1) of a patch that counts as found."""
_RECOGNISED = 0.4
"""Minimum share of patches found for the page to be this form; measured: 0.86 and more against 0.0."""
_BLIND, _ALONG = 0.03, 0.12
"""Precision below this, or below this share of the other direction's, is noise: a line is uniform along itself."""
_NEARNESS = 0.06
"""Penalty on the correlation at the end of the search range: of similar patches (comb cells) the nearer one wins."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Displacement between a rectified page and its blank form."""

    shift_mm: DisplacementField
    """(x, y) mm on a regular grid from corner to corner: measured minus nominal position."""
    max_shift_mm: float
    found: float
    """Share of the form's patches found on the page, 0..1; low for another form or a bad image."""
    residual_mm: float
    """90th percentile of the patches' distance from the fitted field; infinite when the form was not found."""

    @property
    def needs_warp(self) -> bool:
        """Whether the displacement is large enough for the page to be warped."""
        return self.max_shift_mm >= _WORTH_MM


@dataclass(frozen=True, slots=True)
class _Patch:
    """A patch of the blank form that can be matched."""

    x: int
    """Its centre, px at the pass's resolution."""
    y: int
    picture: Image
    precision: Matrix
    """2 x 2, see :class:`docproc.scan.image.warp.PatchShift`."""


@dataclass(frozen=True, slots=True)
class FormTemplate:
    """Patches of a blank form, prepared once for all pages."""

    shape: tuple[int, ...]
    """Of the form's image, px."""
    dpi: float
    coarse: tuple[_Patch, ...]
    fine: tuple[_Patch, ...]


def build_template(blank: Image, dpi: float = 200.0) -> FormTemplate:
    """Cut a blank form, rendered at ``dpi``, into patches with print."""
    half = halve(grey(blank))
    passes = []
    for work_dpi, side, spacing, _ in (_COARSE, _FINE):
        small = cv2.resize(half, _size(blank.shape, work_dpi / dpi), interpolation=cv2.INTER_AREA)
        passes.append(tuple(_patches(np.asarray(small, np.uint8), work_dpi / MM_PER_INCH, side, spacing)))
    return FormTemplate(blank.shape, dpi, *passes)


def _size(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    return round(shape[1] * scale), round(shape[0] * scale)


def _patches(blank: Image, per_mm: float, side: float, spacing: float) -> Iterator[_Patch]:
    half = round(side * per_mm / 2)
    height, width = blank.shape
    columns = np.linspace(half, width - half - 1, max(2, round(width / per_mm / spacing))).astype(int)
    rows = np.linspace(half, height - half - 1, max(2, round(height / per_mm / spacing))).astype(int)
    for y in rows.tolist():
        for x in columns.tolist():
            picture = blank[y - half : y + half, x - half : x + half]
            if cv2.meanStdDev(picture)[1].item() >= _INK_SPREAD:
                yield _Patch(x, y, picture, _precision(picture))


def align(page: Image, template: FormTemplate) -> Alignment:
    """Measure the displacement of a page against its blank form.

    Patches of the blank form are matched on the page by normalised cross-correlation, which is robust to ink in the
    cells and to shadows. A patch with only a line does not constrain the displacement along it, so each measurement has
    a precision in each direction. Most pages lie within the search range of the fine pass; a folded or roughly
    registered one needs a coarse pass first.

    Args:
        page: rectified page, BGR or grey, at :data:`ALIGN_DPI` or finer.
        template: of the blank form.
    """
    look = grey(page)
    if look.shape[0] > 2 * template.shape[0] * ALIGN_DPI / template.dpi:
        look = halve(look)
    still: DisplacementField = np.zeros((2, 2, 2), np.float32)
    near = _pass(look, template, still, _FINE, template.fine)
    min_found, max_shift_mm, max_residual_mm = _NEAR
    if near.found >= min_found and near.max_shift_mm <= max_shift_mm and near.residual_mm <= max_residual_mm:
        return near
    rough = _pass(look, template, still, _COARSE, template.coarse)
    return rough if rough.found < _RECOGNISED else _pass(look, template, rough.shift_mm, _FINE, template.fine)


def _pass(
    look: Image,
    template: FormTemplate,
    field: DisplacementField,
    how: tuple[float, float, float, float],
    patches: Sequence[_Patch],
) -> Alignment:
    """Match patches on the page warped by a field; returns the total displacement."""
    work_dpi, _, _, reach = how
    size = _size(template.shape, work_dpi / template.dpi)
    small = look if (look.shape[1], look.shape[0]) == size else cv2.resize(look, size, interpolation=cv2.INTER_AREA)
    measured, found = _measure_shifts(
        apply_field(np.asarray(small, np.uint8), field, work_dpi), patches, work_dpi / MM_PER_INCH, reach
    )
    if found < _RECOGNISED:
        return Alignment(np.zeros((2, 2, 2), np.float32), 0.0, found, float("inf"))
    page_mm = (template.shape[1] / template.dpi * MM_PER_INCH, template.shape[0] / template.dpi * MM_PER_INCH)
    step = fit_field(measured, page_mm, tolerance_mm=0.25 * reach)
    grown = cv2.resize(field, (step.shape[1], step.shape[0]), interpolation=cv2.INTER_LINEAR)
    total = np.asarray(grown + step, np.float32)
    largest = float(np.linalg.norm(total, axis=2).max())
    return Alignment(total, largest, found, residual(measured, step, page_mm))


def apply_alignment(page: Image, alignment: Alignment, dpi: float) -> Image:
    """Warp a rectified page onto its blank form; unchanged where the displacement is negligible."""
    return apply_field(page, alignment.shift_mm, dpi) if alignment.needs_warp else page


def to_aligned_image_box(box_mm: Box, homography: Matrix, page_mm: tuple[float, float], alignment: Alignment) -> Box:
    """As :func:`docproc.scan.image.geometry.to_image_box`, with the displacement at the box's centre."""
    middle = np.array([[(box_mm[0] + box_mm[2]) / 2, (box_mm[1] + box_mm[3]) / 2]])
    dx, dy = (float(value) for value in sample_field(alignment.shift_mm, middle, page_mm)[0])
    return to_image_box((box_mm[0] + dx, box_mm[1] + dy, box_mm[2] + dx, box_mm[3] + dy), homography)


def _measure_shifts(
    page: Image, patches: Sequence[_Patch], per_mm: float, reach: float
) -> tuple[list[PatchShift], float]:
    """Match patches of the blank form on the page; returns the measurements and the share found."""
    margin = round(reach * per_mm)
    padded = cv2.copyMakeBorder(page, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    away = np.linspace(-1, 1, 2 * margin + 1) ** 2
    penalty = (_NEARNESS * (away[:, None] + away[None, :])).astype(np.float32)
    measured = []
    for patch in patches:
        half = patch.picture.shape[0] // 2
        window = padded[patch.y - half : patch.y + half + 2 * margin, patch.x - half : patch.x + half + 2 * margin]
        shift, correlation = _match_patch(window, patch.picture, penalty)
        if correlation >= _FOUND:
            place = (np.array([patch.x, patch.y]) + 0.5) / per_mm
            measured.append(PatchShift(place, shift / per_mm, patch.precision * correlation**2))
    return measured, len(measured) / len(patches) if patches else 0.0


def _match_patch(window: Image, patch: Image, penalty: Matrix) -> tuple[Matrix, float]:
    """Displacement of the patch in px, subpixel, and its correlation there."""
    scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
    row, column = divmod(int(np.argmax(scores - penalty)), scores.shape[1])
    margin = scores.shape[0] // 2
    dx = column - margin + _parabola_offset(scores[row], column)
    dy = row - margin + _parabola_offset(scores[:, column], row)
    return np.array([dx, dy], np.float64), float(scores[row, column])


def _parabola_offset(scores: Matrix, index: int) -> float:
    """Offset of the vertex of the parabola through three scores, -0.5..0.5."""
    if not 0 < index < len(scores) - 1:
        return 0.0
    left, middle, right = float(scores[index - 1]), float(scores[index]), float(scores[index + 1])
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < -1e-6 else 0.0


def _precision(patch: Image) -> Matrix:
    """2 x 2 structure tensor of a patch, scaled so that text gives about 1 in both directions."""
    dx = cv2.Sobel(patch, cv2.CV_32F, 1, 0).ravel()
    dy = cv2.Sobel(patch, cv2.CV_32F, 0, 1).ravel()
    tensor = np.array([[dx @ dx, dx @ dy], [dx @ dy, dy @ dy]], np.float64) / (dx.size * 60.0**2)
    values, vectors = np.linalg.eigh(tensor)
    values = np.where(values < max(_BLIND, _ALONG * float(values[1])), 0.0, np.minimum(values, 1.0))
    return np.asarray((vectors * values) @ vectors.T, np.float64)
