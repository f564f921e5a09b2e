"""Compare the photograph of a printed licence with the page that was issued, field by field.

A photograph proves no seal. It can only be said whether the print says what was issued: by reading each line, and by
laying the picture of each character over the one that was drawn. Where the two do not agree, the answer is
``unreadable`` and a person must look.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import cv2
import numpy as np

from docproc.domain import Box
from docproc.fields.text import fold
from docproc.read.decoding.glyphs import greedy_steps
from docproc.read.engine.recogniser import Recogniser
from docproc.read.printed.comparison import ComparedField, Comparison, Fact, Result
from docproc.scan.files.issued import DPI, IssuedPage, PrintedLine, find_text
from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix, apply, warp_to
from docproc.scan.registration.align import refine, slid, template_of
from docproc.scan.registration.match import likeness, match_page, page_features, photo_features

PX = DPI / MM_PER_INCH
SURE = 0.85
"""Least posterior of a character that stands there instead of the issued one."""
ALIKE, UNLIKE = 0.55, 0.62
"""Correlation of a character's picture with the one that was drawn: below the first, what is read as the same may be
covered; above the second, what is read otherwise may be the engine's mistake. Measured on 42 damaged prints: 0.62 and
more where nothing was changed, 0.59 and less where one character was (0.05 for Han characters)."""
FOUND = 0.5
"""Least share of the issued page's patches that must be found."""
TAIL_MM = 60.0
"""How far behind the end of a line is looked for more text."""
INK = 0.62
"""Share of the paper's lightness below which something is ink."""
ADDED_MM, ADDED_MM2 = 1.4, 1.6
"""Least width and height, and least area of ink, of what was added to a page."""

_ORDER: tuple[Result, ...] = ("differs", "unreadable", "same")
"""The worst first."""
_UNSEEN: tuple[Result, str, float] = ("unreadable", "", 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class _Laid:
    """A photograph laid over the page that it shows."""

    photo: int
    homography: Matrix
    page: IssuedPage
    shown: Image
    """BGR, as large as the issued page."""
    light: Image
    """Grey, evenly lit, without the red of the seal."""
    known: Image
    """The same of the issued page."""


def compare(
    photos: Sequence[Image], issued: Sequence[IssuedPage], facts: Sequence[Fact], recogniser: Recogniser
) -> Comparison:
    """Compare photographs of a printed licence with its issued pages.

    Args:
        photos: BGR.
        issued: pages of the issued file, see :func:`docproc.scan.files.issued.issued_pages`.
        facts: what the licence says; those that are not printed are left out.
        recogniser: reading engine.
    """
    laid = _lay(photos, issued)
    if not laid:
        return Comparison(False)
    lines = [line for page in issued for line in page.lines]
    fields = []
    for fact in facts:
        places = find_text(lines, fact.value)
        if places:
            fields.append(_worst([_compare_place(fact, place, laid, recogniser) for place in places]))
    missing = tuple(number for number in range(len(issued)) if number not in laid)
    return Comparison(True, tuple(fields), tuple(item for page in laid.values() for item in _added(page)), missing)


def _lay(photos: Sequence[Image], issued: Sequence[IssuedPage]) -> dict[int, _Laid]:
    """Issued pages by number, each with the photograph that shows it; a photograph is taken for one page only.

    Annex pages of a licence look alike but for their text: a page that was not photographed must not be looked for in
    the photograph of another one.
    """
    seen = [photo_features(photo) for photo in photos]
    known = [page_features(page.image) for page in issued]
    alike = {
        (page, photo): likeness(seen[photo], known[page]) for page in range(len(known)) for photo in range(len(seen))
    }
    laid: dict[int, _Laid] = {}
    taken: set[int] = set()
    for page, photo in sorted(alike, key=lambda pair: (-alike[pair], pair)):
        if page in laid or photo in taken or not alike[page, photo]:
            continue
        found = match_page(seen[photo], known[page])
        fitted = _laid(photo, photos[photo], found.homography, issued[page]) if found is not None else None
        if fitted is not None:
            laid[page] = fitted
            taken.add(photo)
    return laid


def _laid(number: int, photo: Image, homography: Matrix, page: IssuedPage) -> _Laid | None:
    """A photograph laid exactly over the page; ``None`` when too little of the page's print is there."""
    height, width = page.image.shape[:2]
    flat = warp_to(photo, homography, (width, height))
    refined = refine(flat, template_of(page.image, DPI))
    if refined.found < FOUND:
        return None
    shown = slid(flat, refined, DPI)
    return _Laid(number, homography, page, shown, _even(shown), _even(page.image))


def _even(image: Image) -> Image:
    """Lightness relative to the paper around; the lightest channel, in which a red seal hardly shows."""
    light = image.max(axis=2)
    size = (max(1, light.shape[1] // 8), max(1, light.shape[0] // 8))
    paper = cv2.dilate(cv2.resize(light, size, interpolation=cv2.INTER_AREA), np.ones((5, 5), np.uint8))
    paper = cv2.resize(cv2.medianBlur(paper, 21), light.shape[::-1], interpolation=cv2.INTER_LINEAR)
    share = light.astype(np.float32) / np.maximum(paper.astype(np.float32), 40.0)
    return np.asarray(np.clip(share * 255.0, 0, 255), np.uint8)


def _compare_place(fact: Fact, place: list[PrintedLine], laid: dict[int, _Laid], reader: Recogniser) -> ComparedField:
    """Compare one place of a value, which may go on from page to page; the picture is of the page that is worst."""
    judged = [_judge(line, laid[line.page], reader) if line.page in laid else _UNSEEN for line in place]
    ranked = min(range(len(place)), key=lambda index: _ORDER.index(judged[index][0]))
    result, page = judged[ranked][0], place[ranked].page
    read, confidence = "".join(text for _, text, _ in judged), min(sure for _, _, sure in judged)
    if page not in laid:
        return ComparedField(fact, result, read, confidence, None, None)
    boxes = [line.box for line in place if line.page == page]
    around = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    shown = laid[page]
    pictures = (_jpeg(shown.shown, around), _jpeg(shown.page.image, around))
    return ComparedField(fact, result, read, confidence, shown.photo, _in_photo(around, shown), *pictures)


def _worst(places: list[ComparedField]) -> ComparedField:
    return min(places, key=lambda item: _ORDER.index(item.result))


# ------------------------------------------------------------------ one line


def _judge(line: PrintedLine, laid: _Laid, reader: Recogniser) -> tuple[Result, str, float]:
    """Result, what was read, and the posterior of its least sure character."""
    box = _with_tail(line, laid)
    shown, known = (_cut(image, box) for image in (laid.light, laid.known))
    shown = _without_bare_tail(shown, line.box[2] - box[0])
    if not (shown < 255 * INK).any():
        return ("unreadable" if shown.std() > 25 else "differs"), "", 1.0
    read, perfect = (_read(picture, reader) for picture in (shown, known))
    alike = [_alike(laid, character) for character in line.boxes]
    text = "".join(char for char, _ in read)
    sure = min((posterior for _, posterior in read), default=0.0)
    wanted = [_plain(char) for char in line.text]
    can_read = _matched([_plain(char) for char, _ in perfect], wanted)
    result: Result = "same"
    for kind, a0, a1, b0, b1 in _differences(wanted, read):
        found = _weigh(kind, line, laid, alike[a0:a1], read[b0:b1], can_read[a0:a1], (a0, a1))
        result = (
            "differs" if "differs" in (result, found) else "unreadable" if "unreadable" in (result, found) else "same"
        )
    if result == "same" and min(alike) < ALIKE:
        result = "unreadable"
    return result, text, sure


def _differences(wanted: list[str], read: list[tuple[str, float]]) -> list[tuple[str, int, int, int, int]]:
    """Where the reading is not what was issued, apart from width, variants and punctuation."""
    got = [_plain(char) for char, _ in read]
    return [
        item
        for item in SequenceMatcher(None, wanted, got, autojunk=False).get_opcodes()
        if item[0] != "equal" and fold("".join(wanted[item[1] : item[2]])) != fold("".join(got[item[3] : item[4]]))
    ]


def _weigh(
    kind: str, line: PrintedLine, laid: _Laid, alike: list[float], read: list[tuple[str, float]], can_read: list[bool],
    at: tuple[int, int],
) -> Result:  # fmt: skip
    """What one difference is worth."""
    if kind == "insert":
        return "differs" if max(posterior for _, posterior in read) >= SURE else "unreadable"
    if kind == "delete":
        blank = all(_is_blank(laid, box) for box in line.boxes[at[0] : at[1]])
        return "differs" if blank else "unreadable"
    if not all(can_read):  # the engine cannot read this print even where it is perfect: the pictures decide
        return "same" if min(alike) > UNLIKE else "unreadable"
    if min(posterior for _, posterior in read) >= SURE and min(alike) < UNLIKE:
        return "differs"
    return "unreadable"


def _matched(got: list[str], wanted: list[str]) -> list[bool]:
    """Which of the wanted characters were read."""
    found = [False] * len(wanted)
    for start, _, size in SequenceMatcher(None, wanted, got, autojunk=False).get_matching_blocks():
        found[start : start + size] = [True] * size
    return found


def _plain(char: str) -> str:
    return unicodedata.normalize("NFKC", char)


def _read(picture: Image, reader: Recogniser) -> list[tuple[str, float]]:
    (lattice,) = reader.posteriors([np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))])
    return [(char, posterior) for _, char, posterior in greedy_steps(lattice) if not char.isspace()]


def _with_tail(line: PrintedLine, laid: _Laid) -> Box:
    """The line with a margin, and with the empty paper behind it: something may have been added there."""
    x0, y0, x1, y1 = line.box
    margin = 0.2 * (y1 - y0)
    band = _cut(laid.known, (x1 + 0.8, y0, x1 + TAIL_MM, y1))
    inked = np.flatnonzero((band < 255 * 0.8).any(axis=0))
    free = float(inked[0]) / PX if len(inked) else band.shape[1] / PX
    return x0 - margin, y0 - margin, x1 + max(margin, free), y1 + margin


def _without_bare_tail(shown: Image, width_mm: float) -> Image:
    """Whiten the paper behind the line when no ink stands there: fine lines of the background are read as text."""
    start = round((width_mm + 0.8) * PX)
    if (shown[:, start:] < 255 * INK).any():
        return shown
    bare = shown.copy()
    bare[:, start:] = 255
    return bare


def _alike(laid: _Laid, box: Box) -> float:
    """Correlation (-1..1) of a character's picture with the issued one, at the best of small shifts."""
    x0, y0, x1, y1 = box
    known = cv2.GaussianBlur(_cut(laid.known, (x0 - 0.1, y0, x1 + 0.1, y1)), (0, 0), 1.2)
    shown = cv2.GaussianBlur(_cut(laid.light, (x0 - 0.5, y0 - 0.4, x1 + 0.5, y1 + 0.4)), (0, 0), 1.2)
    if known.shape[0] > shown.shape[0] or known.shape[1] > shown.shape[1] or known.std() < 4:
        return 1.0
    return float(cv2.matchTemplate(shown, known, cv2.TM_CCOEFF_NORMED).max())


def _is_blank(laid: _Laid, box: Box) -> bool:
    return not (_cut(laid.light, box) < 255 * 0.8).any()


# ------------------------------------------------------------------ the whole page


def _added(laid: _Laid) -> list[tuple[Box, bytes]]:
    """Ink where the issued page has none and that no crease or speck explains."""
    reach = round(2.4 * PX) | 1
    known = cv2.dilate((laid.known < 255 * 0.9).astype(np.uint8), np.ones((reach, reach), np.uint8))
    ink = ((laid.light < 255 * INK) & (known == 0)).astype(np.uint8)
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
    return [(_in_photo(box, laid), _jpeg(laid.shown, box)) for _, box in largest]


def _cut(image: Image, box: Box) -> Image:
    x0, y0, x1, y1 = (round(value * PX) for value in box)
    height, width = image.shape[:2]
    left, top = min(max(x0, 0), width - 1), min(max(y0, 0), height - 1)
    return image[top : max(min(y1, height), top + 1), left : max(min(x1, width), left + 1)]


def _jpeg(image: Image, box: Box) -> bytes:
    x0, y0, x1, y1 = box
    good, coded = cv2.imencode(
        ".jpg", _cut(image, (x0 - 2, y0 - 1.5, x1 + 2, y1 + 1.5)), [cv2.IMWRITE_JPEG_QUALITY, 80]
    )
    return np.asarray(coded, np.uint8).tobytes() if good else b""


def _in_photo(box: Box, laid: _Laid) -> Box:
    x0, y0, x1, y1 = (value * PX for value in box)
    points = apply(np.linalg.inv(laid.homography), np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float64))
    low, high = points.min(axis=0), points.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
