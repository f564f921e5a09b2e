"""The child's side of :mod:`docproc.scan.compare.paper_match`: decode, pair sheets with scans, compare."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from docproc.domain import Box
from docproc.errors import LimitError
from docproc.scan.compare.page_diff import DPI, Difference, Place, Sheet, differ, straighten
from docproc.scan.compare.paper_match import MAX_SHEETS, Outcome
from docproc.scan.files.split import PageImage, split
from docproc.scan.image.geometry import MM_PER_INCH, Image, to_image_box
from docproc.scan.registration.match import likeness

_PIXELS = 600_000_000
"""Of all sheets of the paper together."""
_CLEAR = 0.9
"""Least median correlation of the characters: below it a picture is too blurred to say that nothing was changed."""
_MARGIN_MM = 4.0
"""Around a place that is shown."""
_MOST_SPOTS = 12
"""Places shown of one page, the largest first."""


def papers_job(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Compare; ``data`` holds the scans' files and then the paper's, one behind the other."""
    cv2.setNumThreads(1)
    end = sum(options["scans"])
    wanted = [(int(file), int(index)) for file, index in options["wanted"]]
    scans = [sheet for _, sheet in sorted(_scans(data[:end], options["scans"], wanted))]
    papers = list(_papers(data[end:], options["papers"]))
    found = _pair(scans, papers)
    sheets, pictures = [], []
    for number, scan in enumerate(scans):
        paper, difference = found.get(number, (None, None))
        spots = _shown(difference) if difference is not None else []
        code = papers[paper].code if paper is not None else None
        told = [{"kind": place.kind, "box": _as_handed_in(place.box, scan)} for place in spots]
        outcome = _outcome(scan, papers[paper] if paper is not None else None, difference)
        places = len(difference.places) if difference is not None else 0
        serial = code.form_id if code else ""
        sheets.append({"outcome": outcome, "paper": paper, "serial": serial, "places": places, "spots": told})
        for place in spots:
            pictures += [_jpeg(scan.flat, place.box), _jpeg(difference.shown if difference else scan.flat, place.box)]
    taken = {paper for paper, _ in found.values()}
    return {"sheets": sheets, "left": [n for n in range(len(papers)) if n not in taken]}, pictures


def _outcome(scan: Sheet, paper: Sheet | None, difference: Difference | None) -> Outcome:
    if paper is None:
        return "absent"
    if paper.code != scan.code and None not in (paper.code, scan.code):
        return "other_print"
    if difference is None or difference.alike < _CLEAR or any(p.kind == "unseen" for p in difference.places):
        return "unclear"
    return "differs" if difference.places else "same"


def _pair(scans: Sequence[Sheet], papers: Sequence[Sheet]) -> dict[int, tuple[int, Difference | None]]:
    """Scans by number, each with its sheet: by the codes of forms first, then by what looks most alike."""
    found: dict[int, tuple[int, Difference | None]] = {}
    taken: set[int] = set()
    for same in (_same_print, _same_page):
        for number, scan in enumerate(scans):
            fits = (at for at, paper in enumerate(papers) if at not in taken and same(scan, paper))
            if number not in found and (sheet := next(fits, None)) is not None:
                found[number] = (sheet, differ(scan, papers[sheet]))
                taken.add(sheet)
    ours = {number: scan for number, scan in enumerate(scans) if number not in found}
    theirs = {at: paper for at, paper in enumerate(papers) if at not in taken}
    for number, sheet in _by_likeness(ours, theirs):
        if number in found or sheet in taken:
            continue
        difference = differ(scans[number], papers[sheet])
        if difference is not None:
            found[number] = (sheet, difference)
            taken.add(sheet)
    return found


def _same_print(scan: Sheet, paper: Sheet) -> bool:
    return scan.code is not None and scan.code == paper.code


def _same_page(scan: Sheet, paper: Sheet) -> bool:
    """The same page of a form, whichever print-out it is."""
    if scan.code is None or paper.code is None:
        return False
    return (scan.code.material, scan.code.page) == (paper.code.material, paper.code.page)


def _by_likeness(ours: Mapping[int, Sheet], theirs: Mapping[int, Sheet]) -> list[tuple[int, int]]:
    """Pairs that look alike at all, the most alike first."""
    alike = {(a, b): likeness(theirs[b].features, ours[a].features) for a in ours for b in theirs}
    return sorted((pair for pair, features in alike.items() if features), key=lambda pair: (-alike[pair], pair))


def _scans(data: bytes, sizes: Sequence[int], wanted: Collection[tuple[int, int]]) -> Iterator[tuple[int, Sheet]]:
    """Wanted pages of files that lie behind each other, and where each stands in what is wanted."""
    order = {page: at for at, page in enumerate(wanted)}
    for file, page in _pages(data, sizes):
        if (file, page.index) in order:
            yield order[file, page.index], straighten(page.image)


def _papers(data: bytes, sizes: Sequence[int]) -> Iterator[Sheet]:
    """Every page of files that lie behind each other.

    Raises:
        LimitError: more pages or pixels than the paper of an application has.
    """
    pages, pixels = MAX_SHEETS, _PIXELS
    for _, page in _pages(data, sizes):
        pages, pixels = pages - 1, pixels - page.image.shape[0] * page.image.shape[1]
        if pages < 0 or pixels < 0:
            raise LimitError(
                "more pages or pixels than the paper of an application has",
                message_zh=f"纸质材料页数过多（最多 {MAX_SHEETS} 页）或像素过大，请分次核对",
            )
        yield straighten(page.image)


def _pages(data: bytes, sizes: Sequence[int]) -> Iterator[tuple[int, PageImage]]:
    """Every page of files that lie behind each other, with the number of its file."""
    start = 0
    for file, size in enumerate(sizes):
        yield from ((file, page) for page in split(data[start : start + size]))
        start += size


def _shown(difference: Difference) -> list[Place]:
    """The places to show: the largest, in reading order."""
    largest = sorted(difference.places, key=lambda p: (p.box[0] - p.box[2]) * (p.box[3] - p.box[1]))[:_MOST_SPOTS]
    return sorted(largest, key=lambda place: (place.box[1], place.box[0]))


def _as_handed_in(box: Box, scan: Sheet) -> Box:
    """A box of the straightened scan in pixels of the picture as it was handed in."""
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
