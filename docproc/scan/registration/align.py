"""Lay a straightened page exactly over its blank form, also where paper was folded or bent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from docproc.domain import Box
from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix, grey, halve, to_image_box
from docproc.scan.image.warp import Field, Measured, fit_field, misfit, sample, slide

LOOK_DPI = 75.0
"""Resolution at which a page is compared with its form."""
_COARSE, _FINE = (40.0, 40.0, 30.0, 6.0), (LOOK_DPI, 18.0, 14.0, 1.6)
"""Of a pass: working dpi; side, spacing and search reach of the patches in mm."""
_NEAR = (0.75, 0.8, 0.25)
"""A page needs no coarse pass when the fine one finds so many of the patches, slides by at most so much and misfits by
at most so much (mm): what lies further away than it reaches is not found, or at the end of its reach."""
_WORTH_MM = 0.12
"""Shifts below this everywhere are left alone: they lie within the cells' margins."""
_INK_SPREAD = 6.0
"""Least standard deviation of grey levels of a patch of the blank form that can be looked for."""
_FOUND = 0.35
"""Least correlation (-1..1) at which a patch counts as found."""
_RECOGNISED = 0.4
"""Least share of patches found for the page to be this form at all; measured: 0.86 and more against 0.0."""
_BLIND, _ALONG = 0.03, 0.12
"""Knowledge below this, or below this share of the other direction's, is noise: a line looks alike all along."""
_NEARNESS = 0.06
"""Correlation given up at the end of the reach: of look-alikes (cells of a comb) the nearer one is taken."""


@dataclass(frozen=True, slots=True)
class Refined:
    """By how much the content of a straightened page has to slide."""

    shift_mm: Field
    """(x, y) mm at an even grid from corner to corner: where content lay minus where it belongs."""
    max_shift_mm: float
    found: float
    """Share of the form's patches that were found on the page, 0..1; a wrong form or a bad picture finds few."""
    misfit_mm: float
    """How far patches still lie from the fitted field, 90th percentile; infinite when nothing was found."""

    @property
    def bends(self) -> bool:
        """Whether content lies so far off that it must be slid."""
        return self.max_shift_mm >= _WORTH_MM


@dataclass(frozen=True, slots=True)
class _Patch:
    """A piece of the blank form that can be looked for."""

    x: int
    """Its middle, px at the pass's resolution."""
    y: int
    picture: Image
    knowledge: Matrix
    """2 x 2, see :class:`docproc.scan.image.warp.Measured`."""


@dataclass(frozen=True, slots=True)
class Template:
    """A blank form made ready to be looked for, once for all pages."""

    shape: tuple[int, ...]
    """Of the form's picture, px."""
    dpi: float
    coarse: tuple[_Patch, ...]
    fine: tuple[_Patch, ...]


def template_of(blank: Image, dpi: float = 200.0) -> Template:
    """Cut the blank form, drawn at ``dpi``, into the patches that carry print."""
    half = halve(grey(blank))
    passes = []
    for work_dpi, side, spacing, _ in (_COARSE, _FINE):
        small = cv2.resize(half, _size(blank.shape, work_dpi / dpi), interpolation=cv2.INTER_AREA)
        passes.append(tuple(_patches(np.asarray(small, np.uint8), work_dpi / MM_PER_INCH, side, spacing)))
    return Template(blank.shape, dpi, *passes)


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
                yield _Patch(x, y, picture, _knowledge(picture))


def refine(page: Image, template: Template) -> Refined:
    """Find how every part of a page must slide to where the blank form has it.

    Patches of the blank form are looked for on the page by normalised
    correlation, so that ink in the cells and shadows hardly matter. A patch
    that holds only a line says nothing about sliding along it, so each
    measurement counts by what it knows in each direction. Most pages lie within
    the reach of small patches; a folded or roughly placed one is looked at coarsely before.

    Args:
        page: Straightened page, BGR or grey, at :data:`LOOK_DPI` or finer.
        template: Of the blank form.
    """
    look = grey(page)
    if look.shape[0] > 2 * template.shape[0] * LOOK_DPI / template.dpi:
        look = halve(look)
    still: Field = np.zeros((2, 2, 2), np.float32)
    near = _pass(look, template, still, _FINE, template.fine)
    share, slid, misfits = _NEAR
    if near.found >= share and near.max_shift_mm <= slid and near.misfit_mm <= misfits:
        return near
    rough = _pass(look, template, still, _COARSE, template.coarse)
    return rough if rough.found < _RECOGNISED else _pass(look, template, rough.shift_mm, _FINE, template.fine)


def _pass(
    look: Image, template: Template, field: Field, how: tuple[float, float, float, float], patches: Sequence[_Patch]
) -> Refined:
    """Look for patches on the page after it was slid by a field; gives the whole slide."""
    work_dpi, _, _, reach = how
    size = _size(template.shape, work_dpi / template.dpi)
    small = look if (look.shape[1], look.shape[0]) == size else cv2.resize(look, size, interpolation=cv2.INTER_AREA)
    measured, found = _measure(
        slide(np.asarray(small, np.uint8), field, work_dpi), patches, work_dpi / MM_PER_INCH, reach
    )
    if found < _RECOGNISED:
        return Refined(np.zeros((2, 2, 2), np.float32), 0.0, found, float("inf"))
    page_mm = (template.shape[1] / template.dpi * MM_PER_INCH, template.shape[0] / template.dpi * MM_PER_INCH)
    step = fit_field(measured, page_mm, tolerance_mm=0.25 * reach)
    grown = cv2.resize(field, (step.shape[1], step.shape[0]), interpolation=cv2.INTER_LINEAR)
    total = np.asarray(grown + step, np.float32)
    largest = float(np.linalg.norm(total, axis=2).max())
    return Refined(total, largest, found, misfit(measured, step, page_mm))


def slid(page: Image, refined: Refined, dpi: float) -> Image:
    """A straightened page with its content where the blank form has it; as it came where that is too little to see."""
    return slide(page, refined.shift_mm, dpi) if refined.bends else page


def to_refined_image_box(box_mm: Box, homography: Matrix, page_mm: tuple[float, float], refined: Refined) -> Box:
    """As :func:`docproc.scan.image.geometry.to_image_box`, with the slide of the content at the box's middle."""
    middle = np.array([[(box_mm[0] + box_mm[2]) / 2, (box_mm[1] + box_mm[3]) / 2]])
    dx, dy = (float(value) for value in sample(refined.shift_mm, middle, page_mm)[0])
    return to_image_box((box_mm[0] + dx, box_mm[1] + dy, box_mm[2] + dx, box_mm[3] + dy), homography)


def _measure(page: Image, patches: Sequence[_Patch], per_mm: float, reach: float) -> tuple[list[Measured], float]:
    """Look for patches of the blank form on the page; returns what was found and the share found."""
    margin = round(reach * per_mm)
    padded = cv2.copyMakeBorder(page, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    away = np.linspace(-1, 1, 2 * margin + 1) ** 2
    penalty = (_NEARNESS * (away[:, None] + away[None, :])).astype(np.float32)
    measured = []
    for patch in patches:
        half = patch.picture.shape[0] // 2
        window = padded[patch.y - half : patch.y + half + 2 * margin, patch.x - half : patch.x + half + 2 * margin]
        shift, correlation = _look(window, patch.picture, penalty)
        if correlation >= _FOUND:
            place = (np.array([patch.x, patch.y]) + 0.5) / per_mm
            measured.append(Measured(place, shift / per_mm, patch.knowledge * correlation**2))
    return measured, len(measured) / len(patches) if patches else 0.0


def _look(window: Image, patch: Image, penalty: Matrix) -> tuple[Matrix, float]:
    """Shift of the patch in px, to a fraction, and its correlation there."""
    scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
    row, column = divmod(int(np.argmax(scores - penalty)), scores.shape[1])
    margin = scores.shape[0] // 2
    dx = column - margin + _top(scores[row], column)
    dy = row - margin + _top(scores[:, column], row)
    return np.array([dx, dy], np.float64), float(scores[row, column])


def _top(scores: Matrix, index: int) -> float:
    """Offset of the parabola's top through three scores, -0.5..0.5."""
    if not 0 < index < len(scores) - 1:
        return 0.0
    left, middle, right = float(scores[index - 1]), float(scores[index]), float(scores[index + 1])
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < -1e-6 else 0.0


def _knowledge(patch: Image) -> Matrix:
    """2 x 2 structure tensor of a patch, scaled so that a page of text gives about 1 in both directions."""
    dx = cv2.Sobel(patch, cv2.CV_32F, 1, 0).ravel()
    dy = cv2.Sobel(patch, cv2.CV_32F, 0, 1).ravel()
    tensor = np.array([[dx @ dx, dx @ dy], [dx @ dy, dy @ dy]], np.float64) / (dx.size * 60.0**2)
    values, vectors = np.linalg.eigh(tensor)
    values = np.where(values < max(_BLIND, _ALONG * float(values[1])), 0.0, np.minimum(values, 1.0))
    return np.asarray((vectors * values) @ vectors.T, np.float64)
