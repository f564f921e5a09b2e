"""Read a page of a form that we printed: every box is known, so nothing has to be looked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from docproc.check.check import LOOK
from docproc.domain import Field
from docproc.errors import NotFoundError
from docproc.fields import VALIDATORS
from docproc.form.layout import FieldBox, FormLayout
from docproc.matter.model import Form, Matter
from docproc.read.decoding.confidence import LOW, lower_confidence
from docproc.read.decoding.confusions import check_confusions, check_letters, differs_in_digits
from docproc.read.decoding.decode import Decoded, decode, decode_cells
from docproc.read.decoding.fields import check_plausible
from docproc.read.decoding.grammar import Thresholds, grammar_for
from docproc.read.decoding.lexicon import match_lexicon
from docproc.read.engine.lattices import cut, join
from docproc.read.engine.recogniser import Image, Lattice, Recogniser
from docproc.read.form.boxes import BLANK_MM2, Comb, comb_of, is_blank, is_struck, lines_of
from docproc.read.form.ink import NEXT_TO_NOTHING, Sheet, part_ink_in, to_px, tone_of, writing_in
from docproc.read.form.template import DPI, PX, blank_pages, layout_for, templates
from docproc.read.form.ticks import read_options, read_presence
from docproc.scan.image.geometry import grey
from docproc.scan.image.ink import paper_of
from docproc.scan.image.resample import Window, draw, draw_window, merge, view
from docproc.scan.registration.align import LOOK_DPI, Refined, Template, refine, to_refined_image_box
from docproc.scan.registration.homography import Registration

REACH_MM = 3.0
"""Writing, ticks and rings that belong to a box reach at most so far out of it."""
PAPER_DPI = 27.0
"""Resolution at which the paper's own brightness is measured."""
RECOGNISED = 0.5
"""Least share of the blank form found on the page for it to be that form; measured 0.86 and more, on another
form 0.3."""
AHEAD = 0.15
"""The second best form must fit so much less."""
WRITTEN_WRONG = 0.9
"""Confidence of a number that breaks its check digit: enough to ask the citizen to look at it again."""
UNCHECKED_TRUST = 0.92
"""Handwriting that nothing checks is trusted less: wrong readings of hands that nothing was tuned on had up to 0.79."""
SURE_WORDS = 0.92
"""Least confidence, before that, at which names and text count as read: wrong ones of such hands had up to 0.91."""
PALE, USUAL = 0.65, 75
"""Writing is at least so dark as a share of the tone of a page's darker writing, by its percentile (on blurred
photographs 0.8 and more); the ring of a cup is paler, and reads like a figure."""
SURE_DIGITS = 4.0
"""Least log odds of text against another number in it: figures that touch are read as one, or as two."""
TOGETHER = 1.4
"""The margins of two looks at a comb row must add up to so many times the limit of one: they share the same ink."""
DISAGREE = 0.35
"""Confidence is cut to this share where two ways of reading a comb row disagree."""


@dataclass(frozen=True, slots=True)
class _Job:
    """A box whose crops wait for the engine."""

    place: FieldBox
    crops: tuple[Image, ...]
    comb: Comb | None
    doubtful: bool
    """Struck out, written over or with a cell left out: read for the reviewer, never relied on."""
    tone: float
    """Of its ink, see :func:`docproc.read.form.ink.tone_of`."""


def read_registered(
    image: Image, registration: Registration, matter: Matter, form: Form, page: int, recogniser: Recogniser
) -> tuple[dict[str, Field], Refined]:
    """Read all fields of one page of a form.

    Args:
        image: BGR picture as handed in.
        registration: where the page lies in it.
        matter: the matter of the form.
        form: the edition that the page's QR code names.
        page: 1-based page of the form.
        recogniser: reading engine.

    Returns:
        Fields by name, boxes in pixels of ``image``; and how the page had to be slid onto the blank form.
    """
    layout, blank = layout_for(matter, form), blank_pages(matter, form)[page - 1]
    refined = lay(image, registration, templates(matter, form)[page - 1])
    windows = _windows(layout, page)
    flat = view(image, registration.homography, layout.page_mm, DPI, refined.shift_mm if refined.bends else None)
    parts = [draw_window(flat, window) for window in windows]
    sheet = part_ink_in(parts, windows, blank, _paper(image, registration))
    found = read_sheet(sheet, layout, page, recogniser)
    return {name: _placed(item, layout, registration, refined) for name, item in found.items()}, refined


def lay(image: Image, registration: Registration, template: Template) -> Refined:
    """Find how a registered page must be slid onto a blank form."""
    return refine(draw(view(grey(image), registration.homography, registration.page_mm, LOOK_DPI)), template)


def _windows(layout: FormLayout, page: int) -> list[Window]:
    """The parts of a page, in pixels, that hold what is read, and the reach of strokes that leave their box."""
    size = tuple(round(side * PX) for side in layout.page_mm)
    return merge([to_px(place.box, (size[1], size[0]), REACH_MM) for place in layout.on_page(page)])


def _paper(image: Image, registration: Registration) -> Image:
    """The paper without ink, reduced."""
    return paper_of(draw(view(image, registration.homography, registration.page_mm, PAPER_DPI)))


def _placed(item: Field, layout: FormLayout, registration: Registration, refined: Refined) -> Field:
    place = next(p for p in layout.fields if p.name == item.name)
    box = to_refined_image_box(place.box, registration.homography, layout.page_mm, refined)
    return replace(item, box=box)


def read_sheet(sheet: Sheet, layout: FormLayout, page: int, recogniser: Recogniser) -> dict[str, Field]:
    """Read all fields of a page whose ink has been parted; boxes are left out."""
    found: dict[str, Field] = {}
    jobs: list[_Job] = []
    for place in layout.on_page(page):
        if place.options:
            value, confidence, raw, others = read_options(sheet, place)
            found[place.name] = Field(place.name, value, raw, confidence, None, page, "ocr", others)
        elif not place.field_type.is_presence:
            job = _job(sheet, place)
            if job is None:
                found[place.name] = Field(place.name, "", "", 0.98, None, page)
            else:
                jobs.append(job)
    palest = _palest([job.tone for job in jobs])
    for place in layout.on_page(page):
        if place.field_type.is_presence:
            present, confidence = read_presence(sheet, place, palest)
            found[place.name] = Field(place.name, present, "", confidence, None, page)
    jobs = [replace(job, doubtful=job.doubtful or job.tone <= palest) for job in jobs]
    found.update(_read(jobs, page, recogniser))
    return {place.name: found[place.name] for place in layout.on_page(page)}


def _palest(tones: Sequence[float]) -> float:
    """Tone up to which ink is taken for a stain, by that of all ink in the boxes of a page, most of it writing."""
    return max(NEXT_TO_NOTHING, PALE * float(np.percentile(tones, USUAL))) if tones else NEXT_TO_NOTHING


def _job(sheet: Sheet, place: FieldBox) -> _Job | None:
    """The crops of a box, ``None`` when it is blank."""
    if place.cells is not None:
        comb = comb_of(sheet, place.cell_boxes())
        return _Job(place, (comb.tight,), comb, comb.heavy or comb.gaps, comb.tone) if comb.filled else None
    writing = writing_in(sheet, place.box)
    if is_blank(writing):
        return None
    doubtful = is_struck(writing) or writing.left_out_mm2 >= BLANK_MM2
    return _Job(place, tuple(lines_of(writing)), None, doubtful, tone_of(writing.picture, writing.ink))


def _read(jobs: Sequence[_Job], page: int, recogniser: Recogniser) -> dict[str, Field]:
    lattices = iter(recogniser.posteriors([crop for job in jobs for crop in job.crops]))
    found = {}
    for job in jobs:
        own = [next(lattices) for _ in job.crops]
        read = _read_comb(job, own[0], recogniser) if job.comb else _read_lines(job.place, own)
        found[job.place.name] = _field(job, read, page)
    return found


def _field(job: _Job, read: Decoded, page: int) -> Field:
    value, others = read.value, read.alternatives
    if job.doubtful and value is not None:
        others, value = (value, *others), None
    if value == "":
        value = None  # there is ink, and nothing could be made of it
    confidence = min(read.confidence, 0.3) if job.doubtful else read.confidence
    rivals = read.rivals if confidence < LOOK and not job.doubtful else ()
    return Field(job.place.name, value, read.raw, confidence, None, page, read.source, others, rivals)


def _read_lines(place: FieldBox, lattices: Sequence[Lattice]) -> Decoded:
    """An open box: its lines under the grammar of its type."""
    trimmed = [_trim(lattice) for lattice in lattices]
    whole = join(trimmed)
    found, kind = decode(whole, grammar_for(place.type)), place.field_type
    if kind.kind == "number":
        return check_letters(found)
    if not kind.is_unchecked:
        return found
    trust = min(found.confidence, LOW) if found.value and found.confidence < SURE_WORDS else found.confidence
    if not kind.is_prose:
        return replace(found, confidence=trust)
    found = check_confusions(replace(found, confidence=trust * UNCHECKED_TRUST), trimmed)
    if found.value and found.margin < SURE_DIGITS:
        value = found.value
        if any(differs_in_digits(value, other) for other in found.alternatives):
            found = lower_confidence(found)
    found = match_lexicon(found, whole, place.usual)
    if found.value:
        found = replace(found, value=VALIDATORS[place.type](found.value, today=date.max).value)
    return check_plausible(place.type, found)


def _trim(lattice: Lattice) -> Lattice:
    """Only the steps that lie on the crop."""
    steps = max(round(len(lattice.probs) * lattice.width_ratio), 1)
    return cut(lattice, 0, steps)


def _read_comb(job: _Job, lattice: Lattice, recogniser: Recogniser) -> Decoded:
    """A row of cells: as one line, and cell by cell from the same lattice; single cells when these do not agree."""
    comb, grammar = job.comb, grammar_for(job.place.type)
    assert comb is not None
    line = decode(lattice, grammar)
    parts = _by_cells(lattice, comb)
    apart = decode_cells(parts, grammar)
    if line.value is not None and line.value == apart.value:
        best = line if line.confidence >= apart.confidence else apart
        return best
    single = decode_cells(recogniser.posteriors([cell for cell in comb.cells if cell is not None]), grammar)
    together = _together(line, single, grammar.thresholds)
    return together or _written_wrong([line, apart, single]) or _vote([line, apart, single])


def _together(line: Decoded, single: Decoded, limits: Thresholds) -> Decoded | None:
    """Two looks at a row that lead to the same reading, each too unsure alone, are sure together."""
    texts = [r.value or next(iter(r.alternatives), None) for r in (line, single)]
    margin = line.margin + single.margin
    if texts[0] is None or texts[0] != texts[1] or "repair" in (line.source, single.source):
        return None
    if margin < TOGETHER * limits.margin or min(line.fit, single.fit) < limits.fit:
        return None
    sure = math.exp(min(line.fit, single.fit)) / (1 + math.exp(-margin))
    return replace(line, value=texts[0], confidence=sure, margin=margin, alternatives=line.alternatives[1:])


def _written_wrong(readings: Sequence[Decoded]) -> Decoded | None:
    """The number that stands there although its check digit is wrong: read so as a line and cell by cell."""
    told = {r.written for r in readings}
    if len(told) != 1 or told == {""} or any(r.value for r in readings):
        return None
    best = max(readings, key=lambda r: len(r.raw) == len(r.written))
    return replace(best, value=best.written, confidence=WRITTEN_WRONG)


def _vote(readings: Sequence[Decoded]) -> Decoded:
    """The value that two of the readings share, else the only one there is with less trust, else none."""
    said = [r for r in readings if r.value]
    for reading in said:
        if sum(other.value == reading.value for other in said) >= 2:
            return reading
    values = {r.value for r in said}
    if len(values) == 1:
        alone = said[0]
        return _unsure(alone) if alone.source == "repair" else replace(alone, confidence=alone.confidence * DISAGREE)
    best = max(readings, key=lambda r: r.confidence)
    others = tuple(dict.fromkeys([*(r.value for r in said if r.value), *best.alternatives]))
    return replace(best, value=None, alternatives=others, confidence=best.confidence * DISAGREE)


def _unsure(reading: Decoded) -> Decoded:
    alternatives = tuple(dict.fromkeys([reading.value or "", *reading.alternatives]))
    return replace(reading, value=None, alternatives=alternatives, confidence=reading.confidence * DISAGREE)


def _by_cells(lattice: Lattice, comb: Comb) -> list[Lattice]:
    """The steps of a tight row that lie on each filled cell."""
    width = comb.tight.shape[1]
    steps = len(lattice.probs) * lattice.width_ratio
    parts = []
    for start, end in comb.spans:
        if start < end:
            first, last = (
                round(start / width * steps),
                max(round(end / width * steps), round(start / width * steps) + 1),
            )
            parts.append(cut(lattice, first, last))
    return parts


def match_form(image: Image, registration: Registration, matter: Matter) -> tuple[Form, int] | None:
    """Tell a page whose QR code cannot be read by laying every blank page of the matter's forms over it.

    Returns:
        Edition and 1-based page, or ``None`` when none fits clearly.
    """
    look = draw(view(grey(image), registration.homography, registration.page_mm, LOOK_DPI))
    scores = [
        (refine(look, template).found, form, number)
        for form in matter.form
        for number, template in enumerate(templates(matter, form), 1)
    ]
    ranked = sorted(scores, key=lambda score: -score[0])
    if not ranked or ranked[0][0] < RECOGNISED or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < AHEAD):
        return None
    return ranked[0][1], ranked[0][2]


def known_form(matter: Matter, material: str, edition: str) -> Form | None:
    """An edition of a form, ``None`` where the matter has no such one."""
    try:
        return matter.find_form(material, edition)
    except NotFoundError:
        return None
