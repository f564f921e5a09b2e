"""What was written on a form: the page less what is printed on it, and the pieces of ink in a box."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.domain import Box
from docproc.read.form.template import PX
from docproc.scan.image.geometry import Image
from docproc.scan.image.ink import even_light_in, paper_of, red_mask, remove_red_in
from docproc.scan.image.resample import Window

Mask = NDArray[np.bool_]
"""H x W."""

PAPER = 245
"""Grey level of clean paper after evening out the light."""
DARK = 42
"""A pixel so much darker than the paper is ink: pencil and worn ball pens reach 60, shadows of folds 25."""
PRINTED = 30
"""A pixel of the blank form so much darker than white is print."""
SPREAD_PX = 2
"""Print is taken to be so much wider than drawn: blur, and what registration leaves."""
BRIDGE_MM = 1.0
"""Strokes that cross a printed line are joined over so much."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A straightened form page at :data:`docproc.read.form.template.DPI`, its ink parted."""

    written: Image
    """H x W x 3: the page without print and without red ink, paper about 245."""
    ink: Mask
    """Pixels of black or blue writing."""
    red: Mask
    """Pixels of red ink: seals and finger prints."""
    printed: Mask
    """Pixels of the blank form's print, where ink can hardly be told."""


def part_ink(page: Image, blank: Image) -> Sheet:
    """Part the writing on a page from its print.

    Args:
        page: H x W x 3, straightened and slid onto the blank form.
        blank: H x W grey, the blank form.
    """
    return part_ink_in([page], [(0, 0, page.shape[1], page.shape[0])], blank, paper_of(page))


def part_ink_in(parts: Sequence[Image], windows: Sequence[Window], blank: Image, paper: Image) -> Sheet:
    """As :func:`part_ink`, of a page of which only parts were drawn; elsewhere the sheet has no ink.

    Args:
        parts: H x W x 3 each.
        windows: where they lie on the page, none overlapping.
        blank: grey, the whole blank form.
        paper: of the whole page, see :func:`docproc.scan.image.ink.paper_of`.
    """
    size = (blank.shape[1], blank.shape[0])
    ink, red, printed = (np.zeros(blank.shape, np.bool_) for _ in range(3))
    written = np.full((*blank.shape, 3), PAPER, np.uint8)
    lit = [even_light_in(part, w[0], w[1], paper, size) for part, w in zip(parts, windows, strict=True)]
    for even, black, (x0, y0, x1, y1) in zip(lit, remove_red_in(lit), windows, strict=True):
        here = np.s_[y0:y1, x0:x1]
        print_here = _print_of(blank[here])
        written[here], ink[here] = _part(black, print_here)
        red[here], printed[here] = red_mask(even) > 0, print_here > 0
    return Sheet(written, ink, red, printed)


def _print_of(blank: Image) -> Image:
    """1 where the blank form's print may lie, else 0."""
    kernel = np.ones((2 * SPREAD_PX + 1, 2 * SPREAD_PX + 1), np.uint8)
    return np.asarray(cv2.dilate(cv2.threshold(blank, 254 - PRINTED, 1, cv2.THRESH_BINARY_INV)[1], kernel), np.uint8)


def _part(black: Image, printed: Image) -> tuple[Image, Mask]:
    """A part without its print, and its writing; ``printed`` is 0 or 1."""
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
    """A box in mm as pixel indices within a picture, widened all round."""
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
    """The ink that belongs to one box."""

    picture: Image
    """H x W x 3, everything else white."""
    ink: Mask
    """H x W."""
    left: int
    """Place of the picture on the sheet, pixels."""
    top: int
    left_out_mm2: float = 0.0
    """Ink well inside the box that was taken for another's, because most of its stroke lies outside."""

    @property
    def area_mm2(self) -> float:
        """Area of the ink."""
        return float(self.ink.sum()) / PX**2

    def bounds(self) -> tuple[int, int, int, int] | None:
        """Pixel bounds of the ink inside the picture: x0, y0, x1, y1 (exclusive)."""
        rows, columns = np.flatnonzero(self.ink.any(axis=1)), np.flatnonzero(self.ink.any(axis=0))
        if not len(rows):
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


NEXT_TO_NOTHING = 52
"""Ink whose darker part is no darker than this is what shadows, creases and noise leave: pencil reaches 65."""
DARKER_PART = 75
"""Percentile of the ink's darkness that tells strokes from what is left of a shadow."""
STROKE_MM2 = 0.6
"""The smallest stroke that is a character by itself: a thin `1` written small has 0.9."""
RIM_MM = 0.8
"""Strokes of the neighbours reach so far into a box."""
SPECK_MM2 = 0.08
"""Ink smaller than this is dust, unless it lies near larger ink: dots of characters and decimal points."""


def tone_of(picture: Image, ink: Mask) -> float:
    """How much darker than paper the darker part of ink is, 0..245; 0 where there is none."""
    darkness = PAPER - cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)[ink].astype(np.int16)
    return float(np.percentile(darkness, DARKER_PART)) if darkness.size else 0.0


def is_noise(writing: Writing) -> bool:
    """Whether ink is next to nothing, and all of it in specks: a ring, a crease or a pale word has longer strokes."""
    if tone_of(writing.picture, writing.ink) > NEXT_TO_NOTHING:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(writing.ink.astype(np.uint8), connectivity=8)
    return bool(stats[1:, cv2.CC_STAT_AREA].max(initial=0) < STROKE_MM2 * PX**2)


def writing_in(sheet: Sheet, box: Box, follow_mm: float = 1.8, inside: float = 0.5) -> Writing:
    """Take the ink of a box, following strokes that leave it a little, without what belongs to the neighbours.

    Args:
        sheet: the page.
        box: mm.
        follow_mm: how far strokes are followed.
        inside: share of a stroke that must lie in the box for it to belong there.
    """
    x0, y0, x1, y1 = to_px(box, sheet.ink.shape, follow_mm)
    ink = sheet.ink[y0:y1, x0:x1].astype(np.uint8)
    core = np.zeros_like(ink)
    bx0, by0, bx1, by1 = to_px(box, sheet.ink.shape)
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
    picture = sheet.written[y0:y1, x0:x1].copy()
    others = cv2.dilate(((ink > 0) & ~chosen).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    picture[others & ~near] = PAPER
    picture[(core == 0) & ~near] = PAPER
    return Writing(picture, chosen, x0, y0, left_out)
