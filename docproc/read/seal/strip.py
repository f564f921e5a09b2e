"""Unroll the name along the rim of a pressed seal into a straight line of text."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.scan.image.geometry import Image, Mask
from docproc.scan.image.ring import Ring, unwrap

SCALE = 1.3
"""Pixels of a strip for a pixel of the page at 200 dpi: a character of 5 mm is then as high as the network's input."""
BAND = 0.46
"""Depth of the band that holds the name, from the rim inwards, as a share of the shorter half axis."""
RIM_MM = 3.2
"""Greatest depth of a rim with its inner rings."""
RIM_SHARE = 0.62
"""Share of a row in ink from which it belongs to a rim: a row of text has up to half."""
INKED = 0.4
"""Share of the rim's darkness from which a pixel is ink."""
CLOSE_MM = 0.6
"""Gap that does not part a character."""
TALL = 0.55
"""Height, as a share of that of most characters, from which a patch of ink is one. The figures of a number on the
lower arc are smaller, and only the ends of a line across the seal (合同专用章) reach into the band."""
LOW = 0.45
"""Distance of such an end from the characters' upper edge, as a share of their height."""
LEAST_MM = 8.0
"""Least length of a name."""
SIDE_MM, EDGE_MM = 0.8, 0.35
"""White at the ends of a strip, and above and below."""


@dataclass(frozen=True, slots=True)
class Strip:
    """The name of a seal as a straight line of dark text."""

    picture: Image
    """Grey, paper white."""
    covered: Mask
    """Pixels under black ink, where the seal cannot be seen; of the picture's size."""


def seal_ink(even: Image) -> tuple[Image, Image]:
    """Separate red ink from black.

    A JPEG keeps colour at half the resolution of lightness. So strokes are taken from the green channel, in which red
    ink is dark, and colour only says which of them are red; black ink is dark in the red channel too.

    Args:
        even: BGR with normalised illumination.

    Returns:
        How dark each pixel is with red ink, and whether (255 or 0) it is under black ink.
    """
    blue, green, red = (channel.astype(np.float32) for channel in cv2.split(even))
    colour = cv2.GaussianBlur(red - np.maximum(green, blue), (0, 0), 1.5)
    is_red = np.clip((colour - 8.0) / 24.0, 0, 1)
    lit = np.clip((red - 95.0) / 70.0, 0, 1)
    dark = np.clip(245.0 - green, 0, 255)
    return np.asarray(dark * is_red * lit, np.uint8), np.asarray((red < 120) * 255, np.uint8)


def cut_strip(ink: Image, black: Image, ring: Ring, per_mm: float) -> Strip | None:
    """Unroll the name of a seal, from the widest gap of its arc once around.

    Args:
        ink: see :func:`seal_ink`.
        black: the same.
        ring: the seal's rim, px of these pictures.
        per_mm: their pixels per millimetre.

    Returns:
        ``None`` where there is no arc of text.
    """
    depth, mm = BAND * min(ring.a, ring.b), per_mm * SCALE
    strip = unwrap(ink, ring, depth, SCALE)
    top = _rim_end(strip, mm)
    level = max(float(np.percentile(strip[:top], 70)), 30.0)
    band, hidden = strip[top:], unwrap(black, ring, depth, SCALE)[top:] > 127
    inked = band > INKED * level
    patches = _characters(inked, mm)
    if sum(end - start for start, end in patches) < LEAST_MM * mm:
        return None
    start, length = _arc(patches, inked.shape[1])
    around_start = np.s_[:, np.arange(start, start + length) % inked.shape[1]]
    band, inked, hidden = band[around_start], inked[around_start], hidden[around_start]
    rows = np.flatnonzero(inked.mean(axis=1) > 0.04)
    if not len(rows):
        return None
    line = np.s_[max(int(rows[0]) - 1, 0) : int(rows[-1]) + 2]
    grey = 255 - np.clip(band[line].astype(np.float32) * (230.0 / level), 0, 255)
    side, edge = round(SIDE_MM * mm), round(EDGE_MM * mm)
    around = {"top": edge, "bottom": edge, "left": side, "right": side, "borderType": cv2.BORDER_CONSTANT}
    picture = cv2.copyMakeBorder(grey.astype(np.uint8), **around, value=(255,))
    covered = cv2.copyMakeBorder(hidden[line].astype(np.uint8), **around, value=(0,))
    return Strip(np.asarray(picture, np.uint8), covered > 0)


def _rim_end(strip: Image, mm: float) -> int:
    """The first row after the rim and its inner rings."""
    rows = strip[: round(RIM_MM * mm)]
    share = (rows > INKED * np.percentile(rows, 90)).mean(axis=1)
    rim = np.flatnonzero(share > RIM_SHARE)
    return (int(rim[-1]) + 1 if len(rim) else round(mm)) + round(0.15 * mm)


def _characters(inked: Mask, mm: float) -> list[tuple[int, int]]:
    """First and last (exclusive) column of each patch of ink that is as high as characters."""
    runs = _runs(inked, round(CLOSE_MM * mm) | 1)
    extents = [np.flatnonzero(inked[:, start:end].any(axis=1))[[0, -1]] for start, end in runs]
    if not runs:
        return []
    heights = np.array([bottom - top + 1 for top, bottom in extents], np.float64)
    common = _weighted_median(heights, np.array([end - start for start, end in runs], np.float64))
    upper = float(np.median([top for (top, _), height in zip(extents, heights, strict=True) if height > 0.7 * common]))
    return [
        run
        for run, (top, _), height in zip(runs, extents, heights, strict=True)
        if height >= TALL * common and top <= upper + LOW * common and run[1] - run[0] > 0.4 * mm
    ]


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]), 0.6 * weights.sum())])


def _runs(inked: Mask, close: int) -> list[tuple[int, int]]:
    """Runs of columns with ink, gaps up to ``close`` px closed."""
    columns = np.asarray(inked.any(axis=0), np.uint8)
    around: Image = np.concatenate([columns[-close:], columns, columns[:close]])[None]
    joined = np.asarray(cv2.morphologyEx(around, cv2.MORPH_CLOSE, np.ones((1, close), np.uint8)), np.uint8)
    closed = joined.reshape(-1)[close:-close]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], closed.astype(np.int8), [0]])))
    found = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    return [(start, end) for start, end in found if inked[:, start:end].any()]


def _arc(patches: list[tuple[int, int]], width: int) -> tuple[int, int]:
    """The first column of the name, after the widest gap, and its length in columns, around the end of the strip."""
    following = [*patches[1:], patches[0]]
    gaps = [(after[0] - before[1]) % width for before, after in zip(patches, following, strict=True)]
    widest = int(np.argmax(gaps))
    start, end = following[widest][0], patches[widest][1]
    return start, (end - start) % width or width
