"""Lay paper that came later over the scan that was handed in, and tell where their ink differs.

Nothing is read: a number that was altered, a word that was added and a line that was covered are seen alike, whoever
wrote it and in whatever script. Both pictures may be scans, photographs or copies; what light, blur and folds explain
is no difference. What they do not explain is shown to a person, who decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.domain import Box
from docproc.marks import A4_MM, FormCode, mark_corners, qr_box
from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix, apply, corners_of, mm_to_px, shrink, warp_to
from docproc.scan.image.ink import even_light
from docproc.scan.registration.align import refine, slid, template_of
from docproc.scan.registration.clean import clean
from docproc.scan.registration.homography import register
from docproc.scan.registration.match import Features, match_page, page_features

Kind = Literal["added", "missing", "changed", "unseen"]
Ink = NDArray[np.float32]
"""H x W, 0 (paper) to 1 (the page's own ink)."""

Mask = NDArray[np.bool_]

DPI = 150.0
"""At which sheets are compared; a sheet without marks is taken to be as long as A4."""
_PX = DPI / MM_PER_INCH
_LONGEST = round(A4_MM[1] * _PX)
_ENOUGH_PX = 2600
"""Longer side that pictures are reduced to."""
_FOUND = 0.5
"""Least share of the scan's patches that must be found on the paper."""
_SOFT_MM = 0.25
"""Blur (standard deviation) under which pictures are compared: a sharp scan and a photograph look alike then."""
_SEAL_RED = 0.35
"""By how much of the paper's lightness seal ink is redder than it is green or blue."""
_STRONG, _WEAK = 0.3, 0.1
"""Ink that is surely there; ink that may be."""
_JOIN_MM, _WIDEST_MM, _RULE_MM = 0.5, 6.0, 8.0
"""Strokes so near are one character; wider ones are cut; straight lines so long may be rules."""
_BESIDE_MM = 0.7
"""How far a printed line may lie off."""
_PAD_MM, _SLIDE_MM = 0.3, 0.5
"""Margin around a character; how far it may still lie off."""
_FLAT = 0.04
"""Less spread of ink than this carries no shape."""
_NEAR_MM = 0.4
"""Ink this near to other ink is explained by it."""
_LEAST_MM2 = 0.25
"""Less ink is dust."""
_USUAL_PERCENT, _WORSE = 2.0, 0.1
"""A character is changed that correlates by so much less than all but so many percent of its page do, ..."""
_LEAST_ALIKE, _MOST_ALIKE = 0.6, 0.9
"""... at any rate below the first, never from the second on."""
_ALONE_MM2, _BIT_MM2, _ODD = 0.2, 0.03, 0.85
"""So much ink on one of the two alone is a difference; so little is one where the correlation is below the third."""
_RIM_MM = 7.0
"""Of the sheet, where its edges and what lies behind them show."""
_LID, _LID_MM = 0.54, 1.5
"""Share of the paper's lightness below which, and least width at which, something at the edge is not the sheet."""
_UNSEEN_MM2 = 4.0
"""So much ink beyond the paper's picture is a part of the page."""
_ONE_SIDED = 4.0
"""So many times as much ink on the one as on the other: added or missing, not changed."""
_QUIET_MM = 2.5
"""Around corner marks and the QR code."""
_GROUP_MM = 3.0
"""Differences so near are one place."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """One side of a sheet, straightened."""

    image: Image
    """BGR as handed in, reduced to what comparing needs."""
    reduced: float
    """Size of ``image`` / size as handed in, at most 1."""
    code: FormCode | None
    """Of a form that we printed."""
    to_flat: Matrix
    """3 x 3, pixels of ``image`` to pixels of ``flat``."""
    marked: bool
    """``flat`` lies in the millimetres of the page."""
    flat: Image
    """BGR at :data:`DPI`."""

    @cached_property
    def features(self) -> Features:
        """Of ``flat``; looked for once, and only where no code of a form tells which sheet it is."""
        return page_features(self.flat)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the two differ."""

    kind: Kind
    """``added``: on the paper alone; ``unseen``: the paper's picture does not show this part."""
    box: Box
    """Pixels of the scan's ``flat``."""


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """What laying a sheet over a scan gave."""

    places: tuple[Place, ...]
    shown: Image
    """The paper, BGR, laid over the scan's ``flat``."""
    alike: float
    """Median correlation of their characters, -1..1; low where one of the pictures is blurred."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of ink, about a character, on both."""

    box: tuple[int, int, int, int]
    """Pixels: left, top, right, bottom."""
    alike: float
    """Correlation at the best of small shifts, -1..1."""
    missing_mm2: float
    """Ink of the scan alone."""
    added_mm2: float
    """Ink of the paper alone."""


def straighten(image: Image) -> Sheet:
    """Straighten a page for comparing; BGR."""
    image, reduced = shrink(image, _ENOUGH_PX)
    found = register(image)
    code = found.code if found is not None else None
    if found is not None and found.how in ("marks", "marks+qr"):
        to_flat = mm_to_px(DPI) @ found.homography
        size = (round(found.page_mm[0] * _PX), round(found.page_mm[1] * _PX))
        return Sheet(image, reduced, code, to_flat, True, warp_to(image, to_flat, size))
    page = clean(image)
    height, width = page.image.shape[:2]
    scale = _LONGEST / max(height, width)
    half = 0.5 * (scale - 1)
    grow = np.array([[scale, 0, half], [0, scale, half], [0, 0, 1]], np.float64)
    to_flat, size = grow @ np.linalg.inv(page.to_original), (round(width * scale), round(height * scale))
    return Sheet(image, reduced, code, to_flat, False, warp_to(image, to_flat, size))


def differ(scan: Sheet, paper: Sheet) -> Difference | None:
    """Compare; ``None`` when the paper is another sheet, or too little of it is seen to tell."""
    laid = _lay(scan, paper)
    if laid is None:
        return None
    shown, covered = laid
    ink, sheet = ink_of(scan.flat), _beyond(scan.flat) == 0
    pieces = [
        piece for piece in compare_ink(ink, ink_of(shown), sheet & covered)
        if not (scan.marked and _is_mark(piece, scan))
    ]  # fmt: skip
    alike = [piece.alike for piece in pieces] or [1.0]
    usual = float(np.clip(np.percentile(alike, _USUAL_PERCENT) - _WORSE, _LEAST_ALIKE, _MOST_ALIKE))
    changed = _grouped([piece for piece in pieces if _differs(piece, usual)])
    unseen = _unseen((ink > _STRONG) & sheet & ~covered)
    return Difference((*changed, *unseen), shown, float(np.median(alike)))


def _differs(piece: Piece, usual: float) -> bool:
    alone = max(piece.missing_mm2, piece.added_mm2)
    return piece.alike < usual or alone > _ALONE_MM2 or (piece.alike < _ODD and alone > _BIT_MM2)


def _is_mark(piece: Piece, scan: Sheet) -> bool:
    """Whether it is a part of a corner mark or of the QR code, which are read and not looked at."""
    page_mm = scan.flat.shape[1] / _PX, scan.flat.shape[0] / _PX
    boxes = [qr_box(page_mm), *((c[0][0], c[0][1], c[2][0], c[2][1]) for c in mark_corners(page_mm).values())]
    x0, y0, x1, y1 = (value / _PX for value in piece.box)
    return any(
        x0 > box[0] - _QUIET_MM and y0 > box[1] - _QUIET_MM and x1 < box[2] + _QUIET_MM and y1 < box[3] + _QUIET_MM
        for box in boxes
    )


def _lay(scan: Sheet, paper: Sheet) -> tuple[Image, Mask] | None:
    """The paper laid exactly over the scan, and where it is seen."""
    across: Matrix = np.eye(3)
    if not (scan.marked and paper.marked):
        found = match_page(paper.features, scan.features)
        if found is None:
            return None
        across = found.homography
    transform = across @ paper.to_flat
    size = (scan.flat.shape[1], scan.flat.shape[0])
    rough = warp_to(paper.image, transform, size)
    refined = refine(rough, template_of(scan.flat, DPI))
    if refined.found < _FOUND:
        return None
    shown = slid(rough, refined, DPI)
    corners = apply(transform, corners_of(paper.image.shape[1], paper.image.shape[0]) - 0.5)
    covered = np.zeros(scan.flat.shape[:2], np.uint8)
    cv2.fillConvexPoly(covered, np.round(corners).astype(np.int32), 255)
    return shown, (covered > 0) & (_beyond(shown) == 0)


def ink_of(flat: Image) -> Ink:
    """How much ink there is, 1 where it is as dark as most of the page's black ink, or as red as a seal.

    Red ink is told by its colour alone: a large seal or emblem is no shadow, although light and dark would say so.
    """
    light = even_light(flat).max(axis=2).astype(np.float32)
    dark = np.clip(1.0 - light / 245.0, 0.0, 1.0)
    inked = dark[dark > 0.25]
    full = float(np.percentile(inked, 75)) if inked.size > 100 else 0.6
    white = np.percentile(flat.reshape(-1, 3)[::16], 80, axis=0).astype(np.float32)
    blue, green, red = cv2.split(flat.astype(np.float32) / np.maximum(white, 1.0))
    reddish = (red - np.maximum(blue, green)) / _SEAL_RED
    ink = np.clip(np.maximum(dark / max(full, 0.3), reddish), 0.0, 1.0)
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), _SOFT_MM * _PX), np.float32)


def compare_ink(ours: Ink, theirs: Ink, inside: Mask) -> Iterator[Piece]:
    """Every piece of ink of a scan and the paper that lies over it, where both are seen and away from the rim."""
    height, width = ours.shape
    strong = (((ours > _STRONG) | (theirs > _STRONG)) & inside & _within_rim(ours)).astype(np.uint8)
    strong &= ~_rules(ours, theirs)
    pad, slide = round(_PAD_MM * _PX), round(_SLIDE_MM * _PX)
    for x0, y0, x1, y1 in _pieces(strong):
        if int(strong[y0:y1, x0:x1].sum()) < _LEAST_MM2 * _PX**2:
            continue
        x0, y0, x1, y1 = (
            max(x0 - pad, slide),
            max(y0 - pad, slide),
            min(x1 + pad, width - slide),
            min(y1 + pad, height - slide),
        )
        here = (slice(y0, y1), slice(x0, x1))
        wide = (slice(y0 - slide, y1 + slide), slice(x0 - slide, x1 + slide))
        alike, (dy, dx) = _alike(ours[here], theirs[wide])
        moved = (slice(y0 + dy, y1 + dy), slice(x0 + dx, x1 + dx))
        yield Piece((x0, y0, x1, y1), alike, *_alone(ours[here], theirs[moved]))


def _within_rim(page: Ink | Mask) -> Mask:
    rim = round(_RIM_MM * _PX)
    inner = np.zeros(page.shape, np.bool_)
    inner[rim:-rim, rim:-rim] = True
    return inner


def _alike(known: Ink, wide: Ink) -> tuple[float, tuple[int, int]]:
    """Best correlation and the shift (rows, columns) there; where either is all of one tone, how near the tones are."""
    margin = (wide.shape[0] - known.shape[0]) // 2
    if min(float(known.std()), float(wide.std())) < _FLAT:
        return 1.0 - min(1.0, 2.0 * abs(float(known.mean() - wide.mean()))), (0, 0)
    scores = cv2.matchTemplate(wide, known, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(scores)
    return float(best), (row - margin, column - margin)


def _alone(ours: Ink, theirs: Ink) -> tuple[float, float]:
    """mm2 of ink that only one of the two has."""
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_NEAR_MM * _PX) + 1,) * 2)
    alone = []
    for one, other in ((ours, theirs), (theirs, ours)):
        around = cv2.dilate((other > _WEAK).astype(np.uint8), near)
        alone.append(float(((one > _STRONG) & (around == 0)).sum()) / _PX**2)
    return alone[0], alone[1]


def _beyond(flat: Image) -> Image:
    """Where the desk or the scanner's lid shows beside the sheet (255 or 0): dark parts at the picture's edge."""
    white = np.percentile(flat.reshape(-1, 3)[::16], 80, axis=0)
    dark = (flat < _LID * white).all(axis=2).astype(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((round(_LID_MM * _PX),) * 2, np.uint8))
    edged = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(edged, None, (0, 0), 2)
    reach = 2 * round(_LID_MM * _PX) + 1
    return np.asarray(cv2.dilate((edged[1:-1, 1:-1] == 2).astype(np.uint8) * 255, np.ones((reach, reach), np.uint8)))


def _rules(ours: Ink, theirs: Ink) -> Image:
    """Printed lines (1 or 0): straight ink of the one where the other has ink too, so no line that strikes out text."""
    reach, near = round(_RULE_MM * _PX), np.ones((2 * round(_BESIDE_MM * _PX) + 1,) * 2, np.uint8)
    found = np.zeros(ours.shape, np.uint8)
    for one, other in ((ours, theirs), (theirs, ours)):
        strong = (one > _STRONG).astype(np.uint8)
        known = cv2.dilate((other > _WEAK).astype(np.uint8), near)
        for shape in ((1, reach), (reach, 1)):
            found |= cv2.morphologyEx(strong, cv2.MORPH_OPEN, np.ones(shape, np.uint8)) & known
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8)


def _pieces(strong: Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of about a character each: strokes that lie near each other; px."""
    join = round(_JOIN_MM * _PX) | 1
    near = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones((join, join), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(near)
    for x, y, width, height, _ in stats[1:count].tolist():
        columns, rows = (max(1, round(side / (_WIDEST_MM * _PX))) for side in (width, height))
        for row in range(rows):
            for column in range(columns):
                yield (
                    x + width * column // columns, y + height * row // rows,
                    x + width * (column + 1) // columns, y + height * (row + 1) // rows,
                )  # fmt: skip


def _grouped(pieces: Sequence[Piece]) -> Iterator[Place]:
    """Places of pieces that lie near each other."""
    left = list(pieces)
    near = _GROUP_MM * _PX
    while left:
        group, rest = [left.pop()], left
        while True:
            x0, y0 = (min(piece.box[axis] for piece in group) - near for axis in (0, 1))
            x1, y1 = (max(piece.box[axis] for piece in group) + near for axis in (2, 3))
            joined = [p for p in rest if p.box[0] < x1 and p.box[2] > x0 and p.box[1] < y1 and p.box[3] > y0]
            if not joined:
                break
            group, rest = group + joined, [piece for piece in rest if piece not in joined]
        left = rest
        missing, added = (sum(side) for side in zip(*((p.missing_mm2, p.added_mm2) for p in group), strict=True))
        kind: Kind = (
            "added" if added > _ONE_SIDED * missing else "missing" if missing > _ONE_SIDED * added else "changed"
        )
        yield Place(kind, (x0 + near, y0 + near, x1 - near, y1 - near))


def _unseen(ink: Mask) -> Iterator[Place]:
    """The part of the scan whose ink the paper's picture does not show."""
    rows, columns = np.nonzero(ink & _within_rim(ink))
    if len(rows) > _UNSEEN_MM2 * _PX**2:
        x0, y0, x1, y1 = (float(edge) for edge in (columns.min(), rows.min(), columns.max(), rows.max()))
        yield Place("unseen", (x0, y0, x1, y1))
