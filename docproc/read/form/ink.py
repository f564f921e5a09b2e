"""Ink separation: remove the print from a form page, and extract the writing of a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from docproc.domain import Box
from docproc.read.form.template import PX
from docproc.scan.image.geometry import Image, Mask
from docproc.scan.image.ink import estimate_background, normalise_illumination_in, red_mask, remove_red_in
from docproc.scan.image.resample import Window

PAPER = 245
"""Grey level of clean paper after illumination is normalised."""
DARK = 42
"""Minimum darkness of ink against paper: pencil and worn ball pens reach 60, shadows of folds 25."""
PRINTED = 30
"""Minimum darkness of print on the blank form against white."""
SPREAD_PX = 2
"""Dilation of the print, for blur and alignment errors."""
BRIDGE_MM = 1.0
"""Gap over which strokes that cross a printed line are joined."""


@dataclass(frozen=True, slots=True)
class InkLayers:
    """An aligned form page at :data:`docproc.read.form.template.DPI`, separated into layers."""

    written: Image
    """H x W x 3: the page without print and red ink, paper about 245."""
    ink: Mask
    """Pixels of black or blue writing."""
    red: Mask
    """Pixels of red ink: seals and fingerprints."""
    printed: Mask
    """Pixels of the blank form's print, where ink can hardly be detected."""


def separate_ink(page: Image, blank: Image) -> InkLayers:
    """Separate the writing on a page from its print.

    Args:
        page: H x W x 3, aligned with the blank form.
        blank: H x W grey, the blank form.
    """
    return separate_ink_in([page], [(0, 0, page.shape[1], page.shape[0])], blank, estimate_background(page))


def separate_ink_in(parts: Sequence[Image], windows: Sequence[Window], blank: Image, paper: Image) -> InkLayers:
    """As :func:`separate_ink`, for a page of which only parts were resampled; elsewhere the layers are empty.

    Args:
        parts: H x W x 3 each.
        windows: their positions on the page, without overlap.
        blank: grey, the whole blank form.
        paper: background of the whole page, see :func:`docproc.scan.image.ink.estimate_background`.
    """
    size = (blank.shape[1], blank.shape[0])
    ink, red, printed = (np.zeros(blank.shape, np.bool_) for _ in range(3))
    written = np.full((*blank.shape, 3), PAPER, np.uint8)
    lit = [normalise_illumination_in(part, w[0], w[1], paper, size) for part, w in zip(parts, windows, strict=True)]
    for even, black, (x0, y0, x1, y1) in zip(lit, remove_red_in(lit), windows, strict=True):
        here = np.s_[y0:y1, x0:x1]
        print_here = _print_mask(blank[here])
        written[here], ink[here] = _separate(black, print_here)
        red[here], printed[here] = red_mask(even) > 0, print_here > 0
    return InkLayers(written, ink, red, printed)


def _print_mask(blank: Image) -> Image:
    """Mask (1 or 0) of the blank form's print, dilated."""
    kernel = np.ones((2 * SPREAD_PX + 1, 2 * SPREAD_PX + 1), np.uint8)
    return np.asarray(cv2.dilate(cv2.threshold(blank, 254 - PRINTED, 1, cv2.THRESH_BINARY_INV)[1], kernel), np.uint8)


def _separate(black: Image, printed: Image) -> tuple[Image, Mask]:
    """A part without its print, and the mask of its writing; ``printed`` is 0 or 1."""
    dark = cv2.threshold(cv2.cvtColor(black, cv2.COLOR_BGR2GRAY), PAPER - DARK - 1, 1, cv2.THRESH_BINARY_INV)[1]
    free = cv2.bitwise_and(dark, 1 - printed)
    reach = round(BRIDGE_MM * PX) | 1
    joined = cv2.bitwise_or(
        cv2.morphologyEx(free, cv2.MORPH_CLOSE, np.ones((reach, 1), np.uint8)),
        cv2.morphologyEx(free, cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8)),
    )
    kept = cv2.bitwise_and(cv2.bitwise_and(joined, printed), dark)
    cover = cv2.multiply(cv2.subtract(printed, kept), PAPER)
    written = cv2.max(black, cv2.merge([cover, cover, cover]))
    return np.asarray(written, np.uint8), cv2.bitwise_or(free, kept).view(np.bool_)


def to_px(box: Box, shape: tuple[int, ...], grow_mm: float = 0.0) -> tuple[int, int, int, int]:
    """Convert a box in mm, grown on all sides, to pixel indices clipped to an image."""
    x0, y0, x1, y1 = ((v + d) * PX for v, d in zip(box, (-grow_mm, -grow_mm, grow_mm, grow_mm), strict=True))
    height, width = shape[:2]
    left, top = max(round(x0), 0), max(round(y0), 0)
    return left, top, max(min(round(x1), width), left + 1), max(min(round(y1), height), top + 1)


def coverage(mask: Mask, box: Box, grow_mm: float = 0.0) -> float:
    """Share of a box (mm) that a mask covers."""
    x0, y0, x1, y1 = to_px(box, mask.shape, grow_mm)
    return float(mask[y0:y1, x0:x1].mean())


@dataclass(frozen=True, slots=True)
class Writing:
    """The ink of one box."""

    picture: Image
    """H x W x 3, white elsewhere."""
    ink: Mask
    """H x W."""
    left: int
    """Position of ``picture`` on the page, pixels."""
    top: int
    left_out_mm2: float = 0.0
    """Ink well inside the box that was excluded, because most of its stroke lies outside."""

    @property
    def area_mm2(self) -> float:
        """Area of the ink."""
        return float(self.ink.sum()) / PX**2

    def bounds(self) -> tuple[int, int, int, int] | None:
        """Return the pixel bounds of the ink in ``picture``: x0, y0, x1, y1 (exclusive)."""
        rows, columns = np.flatnonzero(self.ink.any(axis=1)), np.flatnonzero(self.ink.any(axis=0))
        if not len(rows):
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


FAINT_TONE = 52
"""Maximum tone, see :func:`tone_of`, of residues of shadows, creases and noise: pencil reaches 65."""
DARKER_PART = 75
"""Percentile of the ink's darkness that separates strokes from residues of a shadow."""
STROKE_MM2 = 0.6
"""Minimum area of a stroke that is a character by itself: a thin `1` written small has 0.9."""
RIM_MM = 0.8
"""Distance by which strokes of neighbouring boxes reach into a box."""
SPECK_MM2 = 0.08
"""Minimum area of ink that is not dust, unless it is close to larger ink: dots of characters, decimal points."""


def tone_of(picture: Image, ink: Mask) -> float:
    """Return the darkness of the darker part of ink against paper, 0..245; 0 without ink."""
    darkness = PAPER - cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[ink].astype(np.int16)
    return float(np.percentile(darkness, DARKER_PART)) if darkness.size else 0.0


def is_noise(writing: Writing) -> bool:
    """Whether ink is faint and consists of specks only: a ring, a crease or a pale word has longer strokes."""
    if tone_of(writing.picture, writing.ink) > FAINT_TONE:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(writing.ink.astype(np.uint8), connectivity=8)
    return bool(stats[1:, cv2.CC_STAT_AREA].max(initial=0) < STROKE_MM2 * PX**2)


def extract_writing(layers: InkLayers, box: Box, follow_mm: float = 1.8, inside: float = 0.5) -> Writing:
    """Extract the ink of a box, with strokes that leave it slightly and without those of neighbouring boxes.

    Args:
        layers: the page.
        box: mm.
        follow_mm: distance up to which strokes are followed outside the box.
        inside: minimum share of a stroke inside the box for it to belong to it.
    """
    x0, y0, x1, y1 = to_px(box, layers.ink.shape, follow_mm)
    ink = layers.ink[y0:y1, x0:x1].astype(np.uint8)
    core = np.zeros_like(ink)
    bx0, by0, bx1, by1 = to_px(box, layers.ink.shape)
    core[by0 - y0 : by1 - y0, bx0 - x0 : bx1 - x0] = 1
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    inner = np.bincount(labels[core > 0], minlength=count)
    area = stats[:, cv2.CC_STAT_AREA]
    keep = (inner >= inside * area) & (area >= SPECK_MM2 * PX**2 * 0.35)
    keep[0] = False
    chosen = keep[labels]
    rim = round(RIM_MM * PX)
    well_inside = np.s_[by0 - y0 + rim : max(by1 - y0 - rim, 0), bx0 - x0 + rim : max(bx1 - x0 - rim, 0)]
    left_out = float(((ink > 0) & ~chosen)[well_inside].sum()) / PX**2
    near = cv2.dilate(chosen.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    picture = layers.written[y0:y1, x0:x1].copy()
    others = cv2.dilate(((ink > 0) & ~chosen).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    picture[others & ~near] = PAPER
    picture[(core == 0) & ~near] = PAPER
    return Writing(picture, chosen, x0, y0, left_out)
