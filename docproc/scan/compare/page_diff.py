"""Page diff: align a later scan of the paper with the scan submitted first, and find where their ink differs.

No text is recognised: an altered number, an added word and a covered line are detected in the same way, in any hand and
script. Both images may be scans, photographs or copies; differences explained by illumination, blur and folds are
ignored. The others are shown to an official, who decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from docproc.domain import Box, DiffKind
from docproc.marks import A4_MM, FormCode, mark_corners, qr_box
from docproc.scan.image.geometry import (
    MM_PER_INCH,
    Image,
    Mask,
    Matrix,
    corners_of,
    mm_to_px,
    shrink,
    transform_points,
    warp_to,
)
from docproc.scan.image.ink import normalise_illumination
from docproc.scan.registration.align import align, apply_alignment, build_template
from docproc.scan.registration.clean import clean_page
from docproc.scan.registration.homography import find_registration
from docproc.scan.registration.match import Features, match_page, page_features

InkMap = NDArray[np.float32]
"""H x W, 0 (paper) to 1 (the page's own ink)."""

DPI = 150.0
"""Resolution of the comparison; a sheet without marks is taken to be as long as A4."""
_PX = DPI / MM_PER_INCH
_A4_PX = round(A4_MM[1] * _PX)
_MAX_PX = 2600
"""Longest side of the images."""
_MIN_FOUND = 0.5
"""Minimum share of the scan's patches found on the paper."""
_BLUR_MM = 0.25
"""Sigma of the blur applied before comparing: it makes a sharp scan and a photograph comparable."""
_SEAL_RED = 0.35
"""Excess of red over green and blue in full seal ink, share of the paper's lightness."""
_CERTAIN, _POSSIBLE = 0.3, 0.1
"""Thresholds of certain and of possible ink."""
_GAP_MM, _MAX_WIDTH_MM, _RULE_MM = 0.5, 6.0, 8.0
"""Maximum gap inside a character; maximum width of a piece; minimum length of a ruled line."""
_RULE_OFFSET_MM = 0.7
"""Maximum offset of a ruled line between the two."""
_PAD_MM, _SEARCH_MM = 0.3, 0.5
"""Margin around a character; its remaining search range."""
_UNIFORM = 0.04
"""Standard deviation of ink below which a correlation is meaningless."""
_MATCH_MM = 0.4
"""Distance within which ink matches the ink of the other image."""
_MIN_INK_MM2 = 0.25
"""Minimum ink of a piece; less is dust."""
_PERCENTILE, _BELOW = 2.0, 0.1
"""A character is changed when its correlation is this much below this percentile of its page, ..."""
_MIN_LIMIT, _MAX_LIMIT = 0.6, 0.9
"""... always when below the first, never from the second on."""
_UNMATCHED_MM2, _DOUBTFUL_MM2, _DOUBTFUL = 0.2, 0.03, 0.85
"""Unmatched ink that is a difference; and that is one where the correlation is below the third."""
_RIM_MM = 7.0
"""Rim of the sheet that is ignored: its edges and the background show there."""
_BACKGROUND, _BACKGROUND_MM = 0.54, 1.5
"""Lightness, as a share of the paper's, and minimum width of background at the image edge."""
_UNSEEN_MM2 = 4.0
"""Ink outside the paper's image from which a region counts as unseen."""
_ONE_SIDED = 4.0
"""Ratio of unmatched ink from which a region is added or missing, not changed."""
_QUIET_MM = 2.5
"""Ignored zone around corner marks and the QR code."""
_GROUP_MM = 3.0
"""Maximum distance of differences within one region."""


@dataclass(frozen=True, eq=False)
class RectifiedPage:
    """One page of a sheet, rectified."""

    image: Image
    """Original image, BGR, reduced to :data:`_MAX_PX`."""
    reduced: float
    """Size of ``image`` / original size, at most 1."""
    code: FormCode | None
    """Form code, for a form of ours."""
    to_flat: Matrix
    """3 x 3, from pixels of ``image`` to pixels of ``flat``."""
    marked: bool
    """Whether ``flat`` was rectified by marks, so that its pixels are page coordinates."""
    flat: Image
    """BGR at :data:`DPI`."""

    @cached_property
    def features(self) -> Features:
        """Features of ``flat``; extracted once, and only where no form code identifies the sheet."""
        return page_features(self.flat)


@dataclass(frozen=True, slots=True)
class DiffRegion:
    """A region in which the two pages differ."""

    kind: DiffKind
    """``added``: on the paper only; ``unseen``: outside the paper's image."""
    box: Box
    """Pixels of the scan's ``flat``."""


@dataclass(frozen=True, slots=True, eq=False)
class PageDiff:
    """Result of comparing a sheet with a scan."""

    regions: tuple[DiffRegion, ...]
    shown: Image
    """The paper, BGR, aligned with the scan's ``flat``."""
    alike: float
    """Median correlation of the characters, -1..1; low when one of the images is blurred."""


@dataclass(frozen=True, slots=True)
class InkPiece:
    """A piece of ink of about a character, compared."""

    box: tuple[int, int, int, int]
    """Pixels: left, top, right, bottom."""
    alike: float
    """Maximum correlation over small shifts, -1..1."""
    missing_mm2: float
    """Unmatched ink of the scan."""
    added_mm2: float
    """Unmatched ink of the paper."""


def rectify_page(image: Image) -> RectifiedPage:
    """Rectify a page, BGR, for comparison."""
    image, reduced = shrink(image, _MAX_PX)
    found = find_registration(image)
    code = found.code if found is not None else None
    if found is not None and found.how in ("marks", "marks+qr"):
        to_flat = mm_to_px(DPI) @ found.homography
        size = (round(found.page_mm[0] * _PX), round(found.page_mm[1] * _PX))
        return RectifiedPage(image, reduced, code, to_flat, True, warp_to(image, to_flat, size))
    page = clean_page(image)
    height, width = page.image.shape[:2]
    scale = _A4_PX / max(height, width)
    half = 0.5 * (scale - 1)
    grow = np.array([[scale, 0, half], [0, scale, half], [0, 0, 1]], np.float64)
    to_flat, size = grow @ np.linalg.inv(page.to_original), (round(width * scale), round(height * scale))
    return RectifiedPage(image, reduced, code, to_flat, False, warp_to(image, to_flat, size))


def diff_pages(scan: RectifiedPage, paper: RectifiedPage) -> PageDiff | None:
    """Compare two pages; ``None`` when the paper is another sheet, or too little of it is visible."""
    laid = _align_paper(scan, paper)
    if laid is None:
        return None
    shown, covered = laid
    ink, sheet = ink_map(scan.flat), _outside_sheet(scan.flat) == 0
    compared = diff_ink(ink, ink_map(shown), sheet & covered)
    pieces = [piece for piece in compared if not (scan.marked and _is_mark(piece, scan))]
    alike = [piece.alike for piece in pieces] or [1.0]
    limit = float(np.clip(np.percentile(alike, _PERCENTILE) - _BELOW, _MIN_LIMIT, _MAX_LIMIT))
    changed = _group_pieces([piece for piece in pieces if _differs(piece, limit)])
    unseen = _unseen((ink > _CERTAIN) & sheet & ~covered)
    return PageDiff((*changed, *unseen), shown, float(np.median(alike)))


def _differs(piece: InkPiece, limit: float) -> bool:
    alone = max(piece.missing_mm2, piece.added_mm2)
    return piece.alike < limit or alone > _UNMATCHED_MM2 or (piece.alike < _DOUBTFUL and alone > _DOUBTFUL_MM2)


def _is_mark(piece: InkPiece, scan: RectifiedPage) -> bool:
    """Whether a piece belongs to a corner mark or the QR code; these are decoded, not compared."""
    page_mm = scan.flat.shape[1] / _PX, scan.flat.shape[0] / _PX
    boxes = [qr_box(page_mm), *((c[0][0], c[0][1], c[2][0], c[2][1]) for c in mark_corners(page_mm).values())]
    x0, y0, x1, y1 = (value / _PX for value in piece.box)
    return any(
        x0 > box[0] - _QUIET_MM and y0 > box[1] - _QUIET_MM and x1 < box[2] + _QUIET_MM and y1 < box[3] + _QUIET_MM
        for box in boxes
    )


def _align_paper(scan: RectifiedPage, paper: RectifiedPage) -> tuple[Image, Mask] | None:
    """The paper aligned with the scan, and the mask of its visible part."""
    across: Matrix = np.eye(3)
    if not (scan.marked and paper.marked):
        found = match_page(paper.features, scan.features)
        if found is None:
            return None
        across = found.homography
    transform = across @ paper.to_flat
    size = (scan.flat.shape[1], scan.flat.shape[0])
    rough = warp_to(paper.image, transform, size)
    alignment = align(rough, build_template(scan.flat, DPI))
    if alignment.found < _MIN_FOUND:
        return None
    shown = apply_alignment(rough, alignment, DPI)
    corners = transform_points(transform, corners_of(paper.image.shape[1], paper.image.shape[0]) - 0.5)
    covered = np.zeros(scan.flat.shape[:2], np.uint8)
    cv2.fillConvexPoly(covered, np.round(corners).astype(np.int32), 255)
    return shown, (covered > 0) & (_outside_sheet(shown) == 0)


def ink_map(flat: Image) -> InkMap:
    """Return the ink density, 1 where it is as dark as most of the page's black ink, or as red as a seal.

    Red ink is detected by colour alone: by lightness a large seal or emblem would be removed as a shadow.
    """
    light = normalise_illumination(flat).max(axis=2).astype(np.float32)
    dark = np.clip(1.0 - light / 245.0, 0.0, 1.0)
    inked = dark[dark > 0.25]
    full = float(np.percentile(inked, 75)) if inked.size > 100 else 0.6
    white = np.percentile(flat.reshape(-1, 3)[::16], 80, axis=0).astype(np.float32)
    blue, green, red = cv2.split(flat.astype(np.float32) / np.maximum(white, 1.0))
    reddish = (red - np.maximum(blue, green)) / _SEAL_RED
    ink = np.clip(np.maximum(dark / max(full, 0.3), reddish), 0.0, 1.0)
    return np.asarray(cv2.GaussianBlur(ink, (0, 0), _BLUR_MM * _PX), np.float32)


def diff_ink(ours: InkMap, theirs: InkMap, inside: Mask) -> Iterator[InkPiece]:
    """Compare the ink of scan and paper piece by piece, where both are visible and outside the rim."""
    height, width = ours.shape
    strong = (((ours > _CERTAIN) | (theirs > _CERTAIN)) & inside & _within_rim(ours)).astype(np.uint8)
    strong &= ~_rules(ours, theirs)
    pad, slide = round(_PAD_MM * _PX), round(_SEARCH_MM * _PX)
    for x0, y0, x1, y1 in _pieces(strong):
        if int(strong[y0:y1, x0:x1].sum()) < _MIN_INK_MM2 * _PX**2:
            continue
        x0, y0, x1, y1 = (
            max(x0 - pad, slide),
            max(y0 - pad, slide),
            min(x1 + pad, width - slide),
            min(y1 + pad, height - slide),
        )
        here = (slice(y0, y1), slice(x0, x1))
        wide = (slice(y0 - slide, y1 + slide), slice(x0 - slide, x1 + slide))
        alike, (dy, dx) = _best_correlation(ours[here], theirs[wide])
        moved = (slice(y0 + dy, y1 + dy), slice(x0 + dx, x1 + dx))
        yield InkPiece((x0, y0, x1, y1), alike, *_unmatched_ink(ours[here], theirs[moved]))


def _within_rim(page: InkMap | Mask) -> Mask:
    rim = round(_RIM_MM * _PX)
    inner = np.zeros(page.shape, np.bool_)
    inner[rim:-rim, rim:-rim] = True
    return inner


def _best_correlation(known: InkMap, wide: InkMap) -> tuple[float, tuple[int, int]]:
    """Maximum correlation and its shift (rows, columns); for a uniform piece the similarity of the tones."""
    margin = (wide.shape[0] - known.shape[0]) // 2
    if min(float(known.std()), float(wide.std())) < _UNIFORM:
        return 1.0 - min(1.0, 2.0 * abs(float(known.mean() - wide.mean()))), (0, 0)
    scores = cv2.matchTemplate(wide, known, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(scores)
    return float(best), (row - margin, column - margin)


def _unmatched_ink(ours: InkMap, theirs: InkMap) -> tuple[float, float]:
    """Unmatched ink of each of the two, mm2."""
    near = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(_MATCH_MM * _PX) + 1,) * 2)
    alone = []
    for one, other in ((ours, theirs), (theirs, ours)):
        around = cv2.dilate((other > _POSSIBLE).astype(np.uint8), near)
        alone.append(float(((one > _CERTAIN) & (around == 0)).sum()) / _PX**2)
    return alone[0], alone[1]


def _outside_sheet(flat: Image) -> Image:
    """Mask (255 or 0) of the desk or scanner lid beside the sheet: dark areas at the image edge."""
    white = np.percentile(flat.reshape(-1, 3)[::16], 80, axis=0)
    dark = (flat < _BACKGROUND * white).all(axis=2).astype(np.uint8)
    dark = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((round(_BACKGROUND_MM * _PX),) * 2, np.uint8))
    edged = cv2.copyMakeBorder(dark, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    cv2.floodFill(edged, None, (0, 0), 2)
    reach = 2 * round(_BACKGROUND_MM * _PX) + 1
    return np.asarray(cv2.dilate((edged[1:-1, 1:-1] == 2).astype(np.uint8) * 255, np.ones((reach, reach), np.uint8)))


def _rules(ours: InkMap, theirs: InkMap) -> Image:
    """Mask (1 or 0) of ruled lines: straight ink present in both, so that a strikethrough is not one."""
    reach, near = round(_RULE_MM * _PX), np.ones((2 * round(_RULE_OFFSET_MM * _PX) + 1,) * 2, np.uint8)
    found = np.zeros(ours.shape, np.uint8)
    for one, other in ((ours, theirs), (theirs, ours)):
        strong = (one > _CERTAIN).astype(np.uint8)
        known = cv2.dilate((other > _POSSIBLE).astype(np.uint8), near)
        for shape in ((1, reach), (reach, 1)):
            found |= cv2.morphologyEx(strong, cv2.MORPH_OPEN, np.ones(shape, np.uint8)) & known
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8)


def _pieces(strong: Image) -> Iterator[tuple[int, int, int, int]]:
    """Boxes, px, of about a character each: strokes close to each other."""
    join = round(_GAP_MM * _PX) | 1
    near = cv2.morphologyEx(strong, cv2.MORPH_CLOSE, np.ones((join, join), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(near)
    for x, y, width, height, _ in stats[1:count].tolist():
        columns, rows = (max(1, round(side / (_MAX_WIDTH_MM * _PX))) for side in (width, height))
        for row in range(rows):
            for column in range(columns):
                left, right = (x + width * at // columns for at in (column, column + 1))
                top, bottom = (y + height * at // rows for at in (row, row + 1))
                yield left, top, right, bottom


def _group_pieces(pieces: Sequence[InkPiece]) -> Iterator[DiffRegion]:
    """Group pieces close to each other into regions."""
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
        kind: DiffKind = (
            "added" if added > _ONE_SIDED * missing else "missing" if missing > _ONE_SIDED * added else "changed"
        )
        yield DiffRegion(kind, (x0 + near, y0 + near, x1 - near, y1 - near))


def _unseen(ink: Mask) -> Iterator[DiffRegion]:
    """The region of the scan's ink outside the paper's image."""
    rows, columns = np.nonzero(ink & _within_rim(ink))
    if len(rows) > _UNSEEN_MM2 * _PX**2:
        x0, y0, x1, y1 = (float(edge) for edge in (columns.min(), rows.min(), columns.max(), rows.max()))
        yield DiffRegion("unseen", (x0, y0, x1, y1))
