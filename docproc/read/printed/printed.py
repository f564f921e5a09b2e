"""Compare photographs of a printed licence with the issued pages, field by field.

A photograph cannot prove a seal. The comparison only tells whether the print equals what was issued: each line is
recognised, and the image of each character is correlated with the issued one. Where the two methods disagree, the
result is ``unreadable`` and a person must decide.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import cv2
import numpy as np

from docproc.domain import Box
from docproc.fields.text import fold
from docproc.read.decoding.glyphs import greedy_steps
from docproc.read.engine.recogniser import Lattice
from docproc.read.printed.comparison import ComparedField, Comparison, Fact, PrintResult
from docproc.scan.files.issued import DPI, IssuedPage, PrintedLine, find_text
from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix, bounding_box, box_corners, transform_points, warp_to
from docproc.scan.registration.align import align, apply_alignment, build_template
from docproc.scan.registration.match import match_page, page_features, photo_features, quick_inliers

LineReader = Callable[[Sequence[Image]], Sequence[Lattice]]

PX = DPI / MM_PER_INCH
MIN_POSTERIOR = 0.85
"""Minimum posterior of a character that differs from the issued one."""
MIN_SAME, MAX_OTHER = 0.55, 0.62
"""Correlation of a character with the issued one: below the first, a character read as equal may be covered; above the
second, a character read as different may be a misreading. Measured on 42 damaged prints: 0.62 and more for unchanged
characters, 0.59 and less for a changed one (0.05 for Han characters)."""
FOUND = 0.5
"""Minimum share of the issued page's patches found on the photograph."""
TAIL_MM = 60.0
"""Length behind the end of a line that is searched for added text."""
INK = 0.62
"""Lightness of ink, as a share of the paper's."""
ADDED_MM, ADDED_MM2 = 1.4, 1.6
"""Minimum width and height, and minimum ink area, of an addition to a page."""

_ORDER: tuple[PrintResult, ...] = ("differs", "unreadable", "same")
"""Results, the worst first."""
_UNSEEN: tuple[PrintResult, str, float] = ("unreadable", "", 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _AlignedPhoto:
    """A photograph aligned with the issued page that it shows."""

    photo: int
    homography: Matrix
    page: IssuedPage
    shown: Image
    """The photograph, BGR, in pixels of the issued page."""
    light: Image
    """Grey, normalised illumination, without the red of the seal."""
    known: Image
    """The issued page, likewise."""


def compare_pages(
    photos: Sequence[Image], issued: Sequence[IssuedPage], facts: Sequence[Fact], reader: LineReader
) -> Comparison:
    """Compare photographs of a printed licence with its issued pages.

    Args:
        photos: BGR.
        issued: pages of the issued file, see :func:`docproc.scan.files.issued.issued_pages`.
        facts: what the licence states; facts that are not printed are left out.
        reader: makes lattices of crops of one line each.
    """
    aligned = _align_photos(photos, issued)
    if not aligned:
        return Comparison(False)
    lines = [line for page in issued for line in page.lines]
    fields = []
    for fact in facts:
        occurrences = find_text(lines, fact.value)
        if occurrences:
            fields.append(_worst([_compare_text(fact, printed, aligned, reader) for printed in occurrences]))
    missing = tuple(number for number in range(len(issued)) if number not in aligned)
    return Comparison(True, tuple(fields), tuple(item for page in aligned.values() for item in _added(page)), missing)


def _align_photos(photos: Sequence[Image], issued: Sequence[IssuedPage]) -> dict[int, _AlignedPhoto]:
    """Issued pages by number, each with the photograph that shows it; a photograph matches one page only.

    The annex pages of a licence differ only in their text: a page that was not photographed must not be matched with
    the photograph of another one.
    """
    seen = [photo_features(photo) for photo in photos]
    known = [page_features(page.image) for page in issued]
    pairs = [(page, photo) for page in range(len(known)) for photo in range(len(seen))]
    # a single pair needs no ranking
    inliers = {pair: quick_inliers(seen[pair[1]], known[pair[0]]) if len(pairs) > 1 else 1 for pair in pairs}
    aligned: dict[int, _AlignedPhoto] = {}
    taken: set[int] = set()
    for page, photo in sorted(inliers, key=lambda pair: (-inliers[pair], pair)):
        if page in aligned or photo in taken or not inliers[page, photo]:
            continue
        found = match_page(seen[photo], known[page])
        fitted = _align_photo(photo, photos[photo], found.homography, issued[page]) if found is not None else None
        if fitted is not None:
            aligned[page] = fitted
            taken.add(photo)
    return aligned


def _align_photo(number: int, photo: Image, homography: Matrix, page: IssuedPage) -> _AlignedPhoto | None:
    """A photograph aligned with the page; ``None`` when too little of the page's print is found."""
    height, width = page.image.shape[:2]
    flat = warp_to(photo, homography, (width, height))
    alignment = align(flat, build_template(page.image, DPI))
    if alignment.found < FOUND:
        return None
    shown = apply_alignment(flat, alignment, DPI)
    return _AlignedPhoto(number, homography, page, shown, _normalise_light(shown), _normalise_light(page.image))


def _normalise_light(image: Image) -> Image:
    """Lightness relative to the paper around, in the brightest channel, in which a red seal is nearly invisible."""
    light = cv2.max(cv2.max(*cv2.split(image)[:2]), cv2.extractChannel(image, 2))
    size = (max(1, light.shape[1] // 8), max(1, light.shape[0] // 8))
    paper = cv2.dilate(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    paper = cv2.resize(cv2.medianBlur(paper, 21), light.shape[::-1], interpolation=cv2.INTER_LINEAR)
    share = light.astype(np.float32) / np.maximum(paper.astype(np.float32), 40.0)
    return np.asarray(np.clip(share * 255.0, 0, 255), np.uint8)


def _compare_text(
    fact: Fact, printed: list[PrintedLine], aligned: dict[int, _AlignedPhoto], reader: LineReader
) -> ComparedField:
    """Compare one occurrence of a value, which may span pages; the image shows the page with the worst result."""
    judged = [_judge(line, aligned[line.page], reader) if line.page in aligned else _UNSEEN for line in printed]
    worst = min(range(len(printed)), key=lambda index: _ORDER.index(judged[index][0]))
    result, page = judged[worst][0], printed[worst].page
    read, confidence = "".join(text for _, text, _ in judged), min(sure for _, _, sure in judged)
    if page not in aligned:
        return ComparedField(fact, result, read, confidence, None, None)
    boxes = [line.box for line in printed if line.page == page]
    around = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    shown = aligned[page]
    pictures = (_jpeg(shown.shown, around), _jpeg(shown.page.image, around))
    return ComparedField(fact, result, read, confidence, shown.photo, _in_photo(around, shown), *pictures)


def _worst(fields: list[ComparedField]) -> ComparedField:
    return min(fields, key=lambda item: _ORDER.index(item.result))


# ------------------------------------------------------------------ one line


def _judge(line: PrintedLine, aligned: _AlignedPhoto, reader: LineReader) -> tuple[PrintResult, str, float]:
    """Result, recognised text, and the lowest posterior of its characters."""
    box = _with_tail(line, aligned)
    shown, known = (_crop(image, box) for image in (aligned.light, aligned.known))
    shown = _without_bare_tail(shown, line.box[2] - box[0])
    if not (shown < 255 * INK).any():
        return ("unreadable" if shown.std() > 25 else "differs"), "", 1.0
    read = _read(shown, reader)
    correlations = [_correlation(aligned, box) for box in line.boxes]
    text = "".join(char for char, _ in read)
    sure = min((posterior for _, posterior in read), default=0.0)
    wanted = [_plain(char) for char in line.text]
    result: PrintResult = "same"
    differences = _differences(wanted, read)
    # what a perfect print of the line is read as matters only where this one is read otherwise
    can_read = _matched([_plain(char) for char, _ in _read(known, reader)], wanted) if differences else []
    for kind, a0, a1, b0, b1 in differences:
        found = _rate_difference(kind, line.boxes[a0:a1], aligned, correlations[a0:a1], read[b0:b1], can_read[a0:a1])
        result = min(result, found, key=_ORDER.index)
    if result == "same" and min(correlations) < MIN_SAME:
        result = "unreadable"
    return result, text, sure


def _differences(wanted: list[str], read: list[tuple[str, float]]) -> list[tuple[str, int, int, int, int]]:
    """Edit operations between issued and recognised text, ignoring width, variants and punctuation."""
    got = [_plain(char) for char, _ in read]
    return [
        item
        for item in SequenceMatcher(None, wanted, got, autojunk=False).get_opcodes()
        if item[0] != "equal" and fold("".join(wanted[item[1] : item[2]])) != fold("".join(got[item[3] : item[4]]))
    ]


def _rate_difference(
    kind: str,
    boxes: Sequence[Box],
    aligned: _AlignedPhoto,
    correlations: Sequence[float],
    read: Sequence[tuple[str, float]],
    can_read: Sequence[bool],
) -> PrintResult:
    """Result of one edit operation.

    Args:
        kind: ``insert``, ``delete`` or ``replace``.
        boxes: of the issued characters, mm.
        aligned: the photograph.
        correlations: of the issued characters.
        read: recognised characters with their posteriors.
        can_read: whether each issued character is recognised on the issued page.
    """
    if kind == "insert":
        return "differs" if max(posterior for _, posterior in read) >= MIN_POSTERIOR else "unreadable"
    if kind == "delete":
        return "differs" if all(_is_blank(aligned, box) for box in boxes) else "unreadable"
    if not all(can_read):  # not even the perfect print is recognised: only the correlation decides
        return "same" if min(correlations) > MAX_OTHER else "unreadable"
    if min(posterior for _, posterior in read) >= MIN_POSTERIOR and min(correlations) < MAX_OTHER:
        return "differs"
    return "unreadable"


def _matched(got: list[str], wanted: list[str]) -> list[bool]:
    """For each issued character whether it was recognised."""
    found = [False] * len(wanted)
    for start, _, size in SequenceMatcher(None, wanted, got, autojunk=False).get_matching_blocks():
        found[start : start + size] = [True] * size
    return found


def _plain(char: str) -> str:
    return unicodedata.normalize("NFKC", char)


def _read(picture: Image, reader: LineReader) -> list[tuple[str, float]]:
    (lattice,) = reader([np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))])
    return [(char, posterior) for _, char, posterior in greedy_steps(lattice) if not char.isspace()]


def _with_tail(line: PrintedLine, aligned: _AlignedPhoto) -> Box:
    """The line with a margin, and with the blank paper behind it, where text may have been added."""
    x0, y0, x1, y1 = line.box
    margin = 0.2 * (y1 - y0)
    band = _crop(aligned.known, (x1 + 0.8, y0, x1 + TAIL_MM, y1))
    inked = np.flatnonzero((band < 255 * 0.8).any(axis=0))
    free = float(inked[0]) / PX if len(inked) else band.shape[1] / PX
    return x0 - margin, y0 - margin, x1 + max(margin, free), y1 + margin


def _without_bare_tail(shown: Image, width_mm: float) -> Image:
    """Cut off the paper behind the line when it has no ink: fine lines of the background are recognised as text."""
    start = round((width_mm + 0.8) * PX)
    return shown if (shown[:, start:] < 255 * INK).any() else shown[:, :start]


def _correlation(aligned: _AlignedPhoto, box: Box) -> float:
    """Maximum correlation (-1..1) of a character with the issued one over small shifts."""
    x0, y0, x1, y1 = box
    known = cv2.GaussianBlur(_crop(aligned.known, (x0 - 0.1, y0, x1 + 0.1, y1)), (0, 0), 1.2)
    shown = cv2.GaussianBlur(_crop(aligned.light, (x0 - 0.5, y0 - 0.4, x1 + 0.5, y1 + 0.4)), (0, 0), 1.2)
    if known.shape[0] > shown.shape[0] or known.shape[1] > shown.shape[1] or known.std() < 4:
        return 1.0
    return float(cv2.matchTemplate(shown, known, cv2.TM_CCOEFF_NORMED).max())


def _is_blank(aligned: _AlignedPhoto, box: Box) -> bool:
    return not (_crop(aligned.light, box) < 255 * 0.8).any()


# ------------------------------------------------------------------ the whole page


def _added(aligned: _AlignedPhoto) -> list[tuple[Box, bytes]]:
    """Ink that the issued page does not have, larger than creases and specks; box in the photograph and JPEG."""
    reach = round(2.4 * PX) | 1
    known = cv2.dilate((aligned.known < 255 * 0.9).astype(np.uint8), np.ones((reach, reach), np.uint8))
    ink = ((aligned.light < 255 * INK) & (known == 0)).astype(np.uint8)
    near = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((round(1.5 * PX), round(2.5 * PX)), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(near)
    found = []
    for number in range(1, count):
        x, y, width, height, _ = (int(value) for value in stats[number])
        inside = labels[y : y + height, x : x + width] == number
        area = float(ink[y : y + height, x : x + width][inside].sum()) / PX**2
        if min(width, height) / PX >= ADDED_MM and area >= ADDED_MM2:
            box = (x / PX, y / PX, (x + width) / PX, (y + height) / PX)
            found.append((area, box))
    largest = sorted(found, reverse=True)[:8]
    return [(_in_photo(box, aligned), _jpeg(aligned.shown, box)) for _, box in largest]


def _crop(image: Image, box: Box) -> Image:
    x0, y0, x1, y1 = (round(value * PX) for value in box)
    height, width = image.shape[:2]
    left, top = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
    return image[top : max(min(y1, height), top + 1), left : max(min(x1, width), left + 1)]


def _jpeg(image: Image, box: Box) -> bytes:
    x0, y0, x1, y1 = box
    good, coded = cv2.imencode(
        ".jpg", _crop(image, (x0 - 2, y0 - 1.5, x1 + 2, y1 + 1.5)), [cv2.IMWRITE_JPEG_QUALITY, 80]
    )
    return np.asarray(coded, np.uint8).tobytes() if good else b""


def _in_photo(box: Box, aligned: _AlignedPhoto) -> Box:
    x0, y0, x1, y1 = (value * PX for value in box)
    return bounding_box(transform_points(np.linalg.inv(aligned.homography), box_corners((x0, y0, x1, y1))))
