"""Cut the writing of a form's box into crops for the recogniser: lines of open boxes, rows of comb cells."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.domain import Box
from docproc.read.form.ink import PAPER, InkLayers, Writing, extract_writing, is_noise, tone_of
from docproc.read.form.template import PX
from docproc.scan.image.geometry import Image, Mask

MARGIN_PX = 5
"""White margin around the ink of a crop."""
BLANK_MM2 = 0.5
"""Minimum ink of a box that is not blank: a single thin `1` written small has 0.9."""
LINE_MM = 2.0
"""Minimum height of a line of text."""
BARE_PX = 1.5
"""Ink of a pixel row, px, below which it separates two lines."""
VALLEY = 0.06
"""The same as a share of the fullest row nearby."""
STRIKE_MM = 9.0
"""Minimum length of a strikethrough; the longest stroke of one character is 6 mm in these boxes."""
STRIKE_HEIGHTS = 1.8
"""Minimum length of a strikethrough in heights of the writing."""
STRIKE_SLOPE_PX = 3
LINE_PX = round(7 * PX)
"""Height above which writing has several lines."""
CELL_GAP_MM = 1.0
"""White between the characters of a tightly set comb row."""
CELL_BLANK_MM2 = 0.22
HEAVY, HEAVIER = 0.80, 0.24
"""Ink density in a comb character's bounds from which it counts as overwritten, and its excess over the row's median.
Measured on clean rows: pens 0.38 to 0.64, brush-like fonts to 0.73, at most 0.2 above the median."""
HEAVY_LEAST = 0.60
CELL_SPILL_MM = 1.3
"""Distance by which digits leave their cell."""


def is_blank(writing: Writing) -> bool:
    """Whether a box contains at most specks."""
    return writing.area_mm2 < BLANK_MM2 or is_noise(writing)


def line_crops(writing: Writing) -> list[Image]:
    """Return the crops of the text lines in an open box, top to bottom."""
    bounds = writing.bounds()
    if bounds is None:
        return []
    x0, y0, x1, y1 = bounds
    bands = _bands(writing.ink[:, x0:x1], y0, y1)
    return [_crop(writing, band) for band in bands]


def _bands(ink: Mask, y0: int, y1: int) -> list[tuple[int, int]]:
    """Row ranges of the lines, by the projection profile."""
    profile = cv2.GaussianBlur(ink.sum(axis=1).astype(np.float32)[:, None], (1, 9), 0).ravel()
    bands = [
        (start + first, start + last)
        for start, end in _runs(profile > BARE_PX)  # a short last line has little ink beside a full one
        for first, last in _runs(profile[start:end] >= VALLEY * float(profile[start:end].max()))
    ]
    high = LINE_MM * PX
    lines = [band for band in bands if band[1] - band[0] >= high]
    if len(lines) <= 1:
        return [(y0, y1)]
    cuts = [y0] + [(a[1] + b[0]) // 2 for a, b in itertools.pairwise(lines)] + [y1]
    return list(itertools.pairwise(cuts))


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """First and last (exclusive) index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _crop(writing: Writing, band: tuple[int, int]) -> Image:
    columns = np.flatnonzero(writing.ink[band[0] : band[1]].any(axis=0))
    rows = np.flatnonzero(writing.ink[band[0] : band[1]].any(axis=1)) + band[0]
    if not len(columns):
        return np.full((48, 48, 3), PAPER, np.uint8)
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    picture = writing.picture[y0:y1, x0:x1]
    pad = max(MARGIN_PX, round(0.12 * (y1 - y0)))
    return np.asarray(
        cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(PAPER, PAPER, PAPER)), np.uint8
    )


def is_struck(writing: Writing) -> bool:
    """Whether a long horizontal stroke runs through the writing (not under it)."""
    bounds = writing.bounds()
    if bounds is None:
        return False
    x0, y0, x1, y1 = bounds
    part = writing.ink[y0:y1, x0:x1].astype(np.uint8)
    thick = cv2.dilate(part, np.ones((STRIKE_SLOPE_PX, 1), np.uint8))
    length = round(max(STRIKE_MM * PX, STRIKE_HEIGHTS * min(y1 - y0, LINE_PX)))
    if x1 - x0 < length:
        return False
    thick = cv2.copyMakeBorder(thick, 0, 0, length, length, cv2.BORDER_CONSTANT, value=0)
    strokes = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    rows = np.flatnonzero(strokes.any(axis=1))
    if not len(rows):
        return False
    middle = float(np.median(rows)) / max(part.shape[0], 1)
    return bool(0.2 < middle < 0.8)


@dataclass(frozen=True, slots=True)
class Comb:
    """The characters of a row of cells."""

    tight: Image
    """All characters set side by side, as a line of text."""
    spans: tuple[tuple[int, int], ...]
    """Columns of ``tight`` for each cell; empty where the cell is blank."""
    cells: tuple[Image | None, ...]
    """Each cell's own crop, ``None`` where it is blank."""
    heavy: bool
    """Whether a character looks overwritten."""
    tone: float
    """Tone of all its ink, see :func:`docproc.read.form.ink.tone_of`."""

    @property
    def filled(self) -> int:
        """Number of cells that are not blank."""
        return sum(cell is not None for cell in self.cells)

    @property
    def gaps(self) -> bool:
        """Whether a blank cell lies between written ones."""
        written = [place for place, cell in enumerate(self.cells) if cell is not None]
        return bool(written) and written[-1] - written[0] + 1 != len(written)


def extract_comb(layers: InkLayers, boxes: tuple[Box, ...]) -> Comb:
    """Extract the characters of comb cells."""
    whole = (boxes[0][0], boxes[0][1], boxes[-1][2], boxes[-1][3])
    row = extract_writing(layers, whole, follow_mm=CELL_SPILL_MM, inside=0.4)
    if is_noise(row):
        return Comb(row.picture, ((0, 0),) * len(boxes), (None,) * len(boxes), False, 0.0)
    edges = _edges(row, boxes)
    owners = _owners(row, edges)
    cut = [_cell(row, owners, edges, index) for index in range(len(boxes))]
    cells = [cell for cell, _ in cut]
    tight, spans = _set_tight(cells)
    heavy = _heavy([density for _, density in cut if density > 0])
    return Comb(tight, spans, tuple(cells), heavy, tone_of(row.picture, row.ink))


def _heavy(densities: list[float]) -> bool:
    """Whether one character of a row has far more ink than the others."""
    if not densities:
        return False
    densest, median = max(densities), float(np.median(densities))
    return bool(densest > HEAVY or (densest > HEAVY_LEAST and densest > median + HEAVIER))


def _edges(row: Writing, boxes: tuple[Box, ...]) -> NDArray[np.int64]:
    """Columns between the cells, and at both ends, in pixels of the row's picture."""
    return np.array([round(x * PX) - row.left for x in (*(box[0] for box in boxes), boxes[-1][2])])


def _owners(row: Writing, edges: NDArray[np.int64]) -> NDArray[np.int32]:
    """For each ink pixel the cell (1-based) of its stroke; strokes over several cells are cut."""
    cells = len(edges) - 1
    _, labels, stats, centres = cv2.connectedComponentsWithStats(row.ink.astype(np.uint8), connectivity=8)
    owner = np.clip(np.searchsorted(edges, centres[:, 0], side="right"), 1, cells).astype(np.int32)
    wide = stats[:, cv2.CC_STAT_WIDTH] > 1.35 * (edges[-1] - edges[0]) / cells
    owner[0], wide[0] = 0, False
    by_column = np.clip(np.searchsorted(edges, np.arange(row.ink.shape[1]), side="right"), 1, cells).astype(np.int32)
    owners = owner[labels]
    return np.where(wide[labels], by_column, owners) if wide.any() else owners


def _cell(row: Writing, owners: NDArray[np.int32], edges: NDArray[np.int64], index: int) -> tuple[Image | None, float]:
    """A cell's crop, white elsewhere, and the ink density in its character's bounds, 0 for a narrow one."""
    reach = int(edges[1] - edges[0])  # a stroke that is not cut leaves its cell by less
    first = max(int(edges[index]) - reach, 0)
    window = np.s_[:, first : int(edges[index + 1]) + reach]
    mask, picture = owners[window] == index + 1, row.picture[window]
    if mask.sum() < CELL_BLANK_MM2 * PX**2:
        return None, 0.0
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    pad = 2
    top, left = max(y0 - pad, 0), max(x0 - pad, 0)
    cut = picture[top : y1 + pad, left : x1 + pad].copy()
    cut[~near[top : y1 + pad, left : x1 + pad]] = PAPER
    wide, high = (x1 - x0) / PX, (y1 - y0) / PX
    dense = float(mask[y0:y1, x0:x1].mean()) if wide > 1.5 and high > 2.0 else 0.0
    full = np.full((picture.shape[0], cut.shape[1], 3), PAPER, np.uint8)
    full[top : top + cut.shape[0]] = cut
    return full, dense


def _set_tight(cells: list[Image | None]) -> tuple[Image, tuple[tuple[int, int], ...]]:
    """Set the crops of the cells side by side, cropped to their common height."""
    written = [cell for cell in cells if cell is not None]
    if not written:
        return np.full((48, 48, 3), PAPER, np.uint8), tuple((0, 0) for _ in cells)
    gap = round(CELL_GAP_MM * PX)
    used = np.any([(cell < PAPER - 30).any(axis=(1, 2)) for cell in written], axis=0)
    rows = np.flatnonzero(used)
    y0, y1 = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, written[0].shape[0])
    blank = np.full((y1 - y0, gap, 3), PAPER, np.uint8)
    parts, spans, at = [blank], [], gap
    for cell in cells:
        if cell is None:
            spans.append((at, at))
            continue
        parts += [cell[y0:y1], blank]
        spans.append((at - gap // 2, at + cell.shape[1] + gap // 2))
        at += cell.shape[1] + gap
    row = np.concatenate(parts, axis=1)
    pad = max(MARGIN_PX, round(0.12 * (y1 - y0)))
    tight = cv2.copyMakeBorder(row, pad, pad, 0, 0, cv2.BORDER_CONSTANT, value=(PAPER, PAPER, PAPER))
    return np.asarray(tight, np.uint8), tuple(spans)
