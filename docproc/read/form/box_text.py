"""Decode the handwriting of a form's text boxes: open boxes line by line, combs as a row and cell by cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from docproc.check.check import LOOK
from docproc.domain import Field
from docproc.fields import VALIDATORS
from docproc.form.layout import FieldBox
from docproc.read.decoding.confidence import LOW, lower_confidence
from docproc.read.decoding.confusions import check_confusions, check_letters, differs_in_digits
from docproc.read.decoding.decode import Decoded, decode, decode_cells
from docproc.read.decoding.fields import check_plausible
from docproc.read.decoding.grammar import Thresholds, grammar_for
from docproc.read.decoding.lexicon import match_lexicon
from docproc.read.engine.lattices import cut, join
from docproc.read.engine.recogniser import Image, Lattice, Recogniser
from docproc.read.form.boxes import BLANK_MM2, Comb, extract_comb, is_blank, is_struck, line_crops
from docproc.read.form.ink import InkLayers, extract_writing, tone_of

INVALID_CONFIDENCE = 0.9
"""Confidence of a clearly written number with a wrong check digit: enough to ask the citizen to check it."""
UNCHECKED_FACTOR = 0.92
"""Factor on the confidence of unchecked handwriting: misreadings of hands outside the tuning set had up to 0.79."""
MIN_TEXT_CONFIDENCE = 0.92
"""Minimum confidence, before that factor, of names and text: misreadings of such hands had up to 0.91."""
MIN_DIGIT_MARGIN = 4.0
"""Minimum log odds (nats) of a text against one with other digits: touching digits are read as one, or as two."""
JOINT_MARGIN = 1.4
"""Minimum sum of the margins of two readings of a comb, in thresholds of one: they are not independent."""
DISAGREEMENT_FACTOR = 0.35
"""Factor on the confidence where two readings of a comb disagree."""
DOUBTFUL_CONFIDENCE = 0.3
"""Upper bound where the writing itself is doubtful."""


@dataclass(frozen=True, slots=True)
class BoxCrops:
    """The crops of one text box, to be recognised."""

    field_box: FieldBox
    crops: tuple[Image, ...]
    comb: Comb | None
    doubtful: bool
    """Struck out, overwritten, or with an empty cell inside: read for the reviewer, never accepted."""
    tone: float
    """Tone of its ink, see :func:`docproc.read.form.ink.tone_of`."""


def crop_box(layers: InkLayers, field_box: FieldBox) -> BoxCrops | None:
    """Cut the crops of a text box; ``None`` when it is blank."""
    if field_box.cells is not None:
        comb = extract_comb(layers, field_box.cell_boxes())
        return BoxCrops(field_box, (comb.tight,), comb, comb.heavy or comb.gaps, comb.tone) if comb.filled else None
    writing = extract_writing(layers, field_box.box)
    if is_blank(writing):
        return None
    doubtful = is_struck(writing) or writing.left_out_mm2 >= BLANK_MM2
    return BoxCrops(field_box, tuple(line_crops(writing)), None, doubtful, tone_of(writing.picture, writing.ink))


def decode_boxes(boxes: Sequence[BoxCrops], page: int, recogniser: Recogniser) -> dict[str, Field]:
    """Recognise and decode text boxes, by field name; ``page`` is 1-based."""
    lattices = iter(recogniser.posteriors([crop for box in boxes for crop in box.crops]))
    found = {}
    for box in boxes:
        own = [next(lattices) for _ in box.crops]
        decoded = _decode_comb(box, box.comb, own[0], recogniser) if box.comb else _decode_lines(box.field_box, own)
        found[box.field_box.name] = _to_field(box, decoded, page)
    return found


def _to_field(box: BoxCrops, decoded: Decoded, page: int) -> Field:
    value, others = decoded.value, decoded.alternatives
    if box.doubtful and value is not None:
        others, value = (value, *others), None
    if value == "":
        value = None  # the box has ink that could not be read
    confidence = min(decoded.confidence, DOUBTFUL_CONFIDENCE) if box.doubtful else decoded.confidence
    rivals = decoded.rivals if confidence < LOOK and not box.doubtful else ()
    return Field(box.field_box.name, value, decoded.raw, confidence, None, page, decoded.source, others, rivals)


# ------------------------------------------------------------------ open boxes


def _decode_lines(field_box: FieldBox, lattices: Sequence[Lattice]) -> Decoded:
    """Decode the lines of an open box under the grammar of its type."""
    trimmed = [_without_padding(lattice) for lattice in lattices]
    whole = join(trimmed)
    found, kind = decode(whole, grammar_for(field_box.type)), field_box.field_type
    if kind.kind == "number":
        return check_letters(found)
    if not kind.is_unchecked:
        return found
    uncertain = found.value and found.confidence < MIN_TEXT_CONFIDENCE
    confidence = min(found.confidence, LOW) if uncertain else found.confidence
    if not kind.is_prose:
        return replace(found, confidence=confidence)
    found = check_confusions(replace(found, confidence=confidence * UNCHECKED_FACTOR), trimmed)
    found = match_lexicon(_check_digits(found), whole, field_box.lexicon)
    if found.value:
        found = replace(found, value=VALIDATORS[field_box.type](found.value, today=date.max).value)
    return check_plausible(field_box.type, found)


def _without_padding(lattice: Lattice) -> Lattice:
    """Only the steps that lie on the crop."""
    steps = max(round(len(lattice.probs) * lattice.width_ratio), 1)
    return cut(lattice, 0, steps)


def _check_digits(found: Decoded) -> Decoded:
    """Lower the confidence of a text for which a reading with other digits is nearly as likely."""
    if found.value and found.margin < MIN_DIGIT_MARGIN:
        value = found.value
        if any(differs_in_digits(value, other) for other in found.alternatives):
            return lower_confidence(found)
    return found


# ------------------------------------------------------------------ combs


def _decode_comb(box: BoxCrops, comb: Comb, lattice: Lattice, recogniser: Recogniser) -> Decoded:
    """Decode a comb as one line and cell by cell from the same lattice; recognise single cells when these disagree."""
    grammar = grammar_for(box.field_box.type)
    line = decode(lattice, grammar)
    apart = decode_cells(_by_cells(lattice, comb), grammar)
    if line.value is not None and line.value == apart.value:
        return line if line.confidence >= apart.confidence else apart
    single = decode_cells(recogniser.posteriors([cell for cell in comb.cells if cell is not None]), grammar)
    readings = [line, apart, single]
    return _accept_jointly(line, single, grammar.thresholds) or _accept_invalid(readings) or _vote(readings)


def _by_cells(lattice: Lattice, comb: Comb) -> list[Lattice]:
    """The steps of a tight row that lie on each filled cell."""
    width = comb.tight.shape[1]
    steps = len(lattice.probs) * lattice.width_ratio
    parts = []
    for start, end in comb.spans:
        if start < end:
            first = round(start / width * steps)
            parts.append(cut(lattice, first, max(round(end / width * steps), first + 1)))
    return parts


def _accept_jointly(line: Decoded, single: Decoded, thresholds: Thresholds) -> Decoded | None:
    """Accept two equal readings of a row that are each below the thresholds, but not together."""
    texts = [reading.value or next(iter(reading.alternatives), None) for reading in (line, single)]
    margin, fit = line.margin + single.margin, min(line.fit, single.fit)
    if texts[0] is None or texts[0] != texts[1] or "repair" in (line.source, single.source):
        return None
    if margin < JOINT_MARGIN * thresholds.margin or fit < thresholds.fit:
        return None
    confidence = math.exp(fit) / (1 + math.exp(-margin))
    return replace(line, value=texts[0], confidence=confidence, margin=margin, alternatives=line.alternatives[1:])


def _accept_invalid(readings: Sequence[Decoded]) -> Decoded | None:
    """Accept a number with a wrong check digit that all readings agree on: it was written so."""
    texts = {reading.written for reading in readings}
    if len(texts) != 1 or texts == {""} or any(reading.value for reading in readings):
        return None
    best = max(readings, key=lambda reading: len(reading.raw) == len(reading.written))
    return replace(best, value=best.written, confidence=INVALID_CONFIDENCE)


def _vote(readings: Sequence[Decoded]) -> Decoded:
    """The value of two readings, else the only value with a lower confidence, else none."""
    valued = [reading for reading in readings if reading.value]
    for reading in valued:
        if sum(other.value == reading.value for other in valued) >= 2:
            return reading
    if len({reading.value for reading in valued}) == 1:
        alone = valued[0]
        if alone.source == "repair":
            return _rejected(alone, [alone.value or ""])
        return replace(alone, confidence=alone.confidence * DISAGREEMENT_FACTOR)
    best = max(readings, key=lambda reading: reading.confidence)
    return _rejected(best, [reading.value for reading in valued if reading.value])


def _rejected(reading: Decoded, values: Sequence[str]) -> Decoded:
    """A reading without value; the values lead its alternatives."""
    alternatives = tuple(dict.fromkeys([*values, *reading.alternatives]))
    return replace(reading, value=None, alternatives=alternatives, confidence=reading.confidence * DISAGREEMENT_FACTOR)
