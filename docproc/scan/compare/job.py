"""The child process of :mod:`docproc.scan.compare.paper_match`: decode, pair sheets with scans, compare."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import cv2
import numpy as np

from docproc.canonical import JsonObject
from docproc.domain import Box
from docproc.errors import LimitError
from docproc.sandbox import pace
from docproc.scan.compare.page_diff import DPI, DiffRegion, PageDiff, RectifiedPage, diff_pages, rectify_page
from docproc.scan.compare.paper_match import MAX_SHEETS, Outcome
from docproc.scan.files.split import PageImage, each_page
from docproc.scan.image.geometry import MM_PER_INCH, Image, to_image_box
from docproc.scan.registration.match import quick_inliers

_PIXELS = 600_000_000
"""Of all sheets together."""
_MIN_CORRELATION = 0.9
"""Minimum median correlation of the characters: below it the image is too blurred to exclude changes."""
_MARGIN_MM = 4.0
"""Margin around a region that is shown."""
_MAX_SPOTS = 12
"""Maximum number of regions shown of one page, the largest first."""


def paper_match_job(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[bytes]]:
    """Match and compare; ``data`` is the concatenation of the scans' files and the paper's files."""
    cv2.setNumThreads(1)
    end = sum(options["scans"])
    wanted = [(int(file), int(index)) for file, index in options["wanted"]]
    scans = [sheet for _, sheet in sorted(_scans(data[:end], options["scans"], wanted, options["sheet_s"]))]
    papers = list(_papers(data[end:], options["papers"], options["sheet_s"]))
    found = _match_pages(scans, papers)
    sheets, pictures = [], []
    for number, scan in enumerate(scans):
        paper, difference = found.get(number, (None, None))
        spots = _largest_regions(difference) if difference is not None else []
        code = papers[paper].code if paper is not None else None
        told = [{"kind": region.kind, "box": _to_original(region.box, scan)} for region in spots]
        outcome = _outcome(scan, papers[paper] if paper is not None else None, difference)
        places = len(difference.regions) if difference is not None else 0
        serial = code.form_id if code else ""
        sheets.append({"outcome": outcome, "paper": paper, "serial": serial, "places": places, "spots": told})
        for region in spots:
            pictures += [_jpeg(scan.flat, region.box), _jpeg(difference.shown if difference else scan.flat, region.box)]
    taken = {paper for paper, _ in found.values()}
    return {"sheets": sheets, "left": [n for n in range(len(papers)) if n not in taken]}, pictures


def _outcome(scan: RectifiedPage, paper: RectifiedPage | None, difference: PageDiff | None) -> Outcome:
    if paper is None:
        return "absent"
    if paper.code != scan.code and None not in (paper.code, scan.code):
        return "other_print"
    if difference is None or difference.alike < _MIN_CORRELATION or any(p.kind == "unseen" for p in difference.regions):
        return "unclear"
    return "differs" if difference.regions else "same"


def _match_pages(
    scans: Sequence[RectifiedPage], papers: Sequence[RectifiedPage]
) -> dict[int, tuple[int, PageDiff | None]]:
    """Scans by number, each with its sheet: by form codes first, then by feature matches, the best first."""
    found: dict[int, tuple[int, PageDiff | None]] = {}
    taken: set[int] = set()
    for same in (_same_print, _same_page):
        for number, scan in enumerate(scans):
            fits = (at for at, paper in enumerate(papers) if at not in taken and same(scan, paper))
            if number not in found and (sheet := next(fits, None)) is not None:
                found[number] = (sheet, diff_pages(scan, papers[sheet]))
                taken.add(sheet)
    ours = {number: scan for number, scan in enumerate(scans) if number not in found}
    theirs = {at: paper for at, paper in enumerate(papers) if at not in taken}
    for number, sheet in _by_features(ours, theirs):
        if number in found or sheet in taken:
            continue
        difference = diff_pages(scans[number], papers[sheet])
        if difference is not None:
            found[number] = (sheet, difference)
            taken.add(sheet)
    return found


def _same_print(scan: RectifiedPage, paper: RectifiedPage) -> bool:
    return scan.code is not None and scan.code == paper.code


def _same_page(scan: RectifiedPage, paper: RectifiedPage) -> bool:
    """Whether both are the same page of a form, and the same sheet of it, in any print-out."""
    if scan.code is None or paper.code is None:
        return False
    ours, theirs = scan.code, paper.code
    return (ours.material, ours.page, ours.sheet) == (theirs.material, theirs.page, theirs.sheet)


def _by_features(ours: Mapping[int, RectifiedPage], theirs: Mapping[int, RectifiedPage]) -> list[tuple[int, int]]:
    """Pairs with matching features, the most inliers first."""
    alike = {(a, b): quick_inliers(theirs[b].features, ours[a].features) for a in ours for b in theirs}
    return sorted((pair for pair, features in alike.items() if features), key=lambda pair: (-alike[pair], pair))


def _scans(
    data: bytes, sizes: Sequence[int], wanted: Collection[tuple[int, int]], sheet_s: float
) -> Iterator[tuple[int, RectifiedPage]]:
    """Requested pages of concatenated files, each with its index in the request."""
    order = {page: at for at, page in enumerate(wanted)}
    for file, page in _pages(data, sizes, sheet_s):
        if (file, page.index) in order:
            yield order[file, page.index], rectify_page(page.image)


def _papers(data: bytes, sizes: Sequence[int], sheet_s: float) -> Iterator[RectifiedPage]:
    """Every page of concatenated files.

    Raises:
        LimitError: more pages or pixels than the paper of an application has.
    """
    pages, pixels = MAX_SHEETS, _PIXELS
    for _, page in _pages(data, sizes, sheet_s):
        pages, pixels = pages - 1, pixels - page.image.shape[0] * page.image.shape[1]
        if pages < 0 or pixels < 0:
            raise LimitError(
                "more pages or pixels than the paper of an application has",
                message_zh=f"纸质材料页数过多（最多 {MAX_SHEETS} 页）或像素过大，请分次核对",
            )
        yield rectify_page(page.image)


def _pages(data: bytes, sizes: Sequence[int], sheet_s: float) -> Iterator[tuple[int, PageImage]]:
    """Every page of concatenated files, with the number of its file; one at a time, each in the time of a sheet."""
    start = 0
    for file, size in enumerate(sizes):
        pace.allow(sheet_s)
        for page in each_page(data[start : start + size]):
            yield file, page
            pace.allow(sheet_s)
        start += size
    pace.allow(0)


def _largest_regions(difference: PageDiff) -> list[DiffRegion]:
    """The regions to show: the largest, in reading order."""
    largest = sorted(difference.regions, key=lambda p: (p.box[0] - p.box[2]) * (p.box[3] - p.box[1]))[:_MAX_SPOTS]
    return sorted(largest, key=lambda region: (region.box[1], region.box[0]))


def _to_original(box: Box, scan: RectifiedPage) -> Box:
    """Map a box of the rectified scan to pixels of the original image."""
    x0, y0, x1, y1 = (value / scan.reduced for value in to_image_box(box, scan.to_flat))
    return x0, y0, x1, y1


def _jpeg(image: Image, box: Box) -> bytes:
    margin = _MARGIN_MM / MM_PER_INCH * DPI
    height, width = image.shape[:2]
    x0, y0 = (max(0, round(value - margin)) for value in box[:2])
    x1, y1 = min(width, round(box[2] + margin)), min(height, round(box[3] + margin))
    good, coded = cv2.imencode(
        ".jpg", image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)], [cv2.IMWRITE_JPEG_QUALITY, 80]
    )
    return np.asarray(coded, np.uint8).tobytes() if good else b""
