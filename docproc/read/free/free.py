"""Read a page that is not a form of ours: find its printed labels and the values beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from docproc.check.check import LOOK
from docproc.domain import Box, Field
from docproc.matter.model import FieldSpec
from docproc.read.decoding.confidence import lower_confidence
from docproc.read.decoding.decode import Decoded
from docproc.read.decoding.fields import TextRun, decode_runs, period_end, strip_prefixes
from docproc.read.decoding.glyphs import Glyph, glyphs_of, remove_overlay, rows_of
from docproc.read.engine.recogniser import Image, TextLine
from docproc.read.free.key_value import Segment, Value, assign_segments, segments_of
from docproc.read.free.labels import WEAK, Label, find_labels
from docproc.read.free.missed_text import erase_lines, missed_beside, missed_inside
from docproc.read.free.strays import check_strays, cut_watermark, is_name, refuse_failing, vocabulary
from docproc.read.free.uncertainty import check_completeness
from docproc.scan.image.geometry import Matrix, grey, transform_points

JOINED = {"组成形式": "类型"}
"""Label whose value continues that of another label: a sole trader's licence prints its kind as ``个体工商户`` beside
``类型`` and ``个人经营`` beside ``组成形式``."""
WEAK_LABEL_FACTOR = 0.8
"""Factor on the confidence where only a part of the label was read."""
_WEB = re.compile(r"(?:https?[:/]|www\.|[a-z0-9-]+\.(?:com|cn|net|org)\b)", re.IGNORECASE)
"""A web address is never part of a value: it is printed in the footer or as a watermark."""


def read_free(
    lines: Sequence[TextLine],
    specs: Sequence[FieldSpec],
    page: int,
    to_original: Matrix,
    picture: Image | None = None,
) -> dict[str, Field]:
    """Read the fields of one page of a free material.

    Args:
        lines: all recognised lines of the page.
        specs: fields of this page, with their anchors.
        page: 1-based page of the material.
        to_original: homography from pixels of the page that was read to pixels of the original image.
        picture: the page that was read; needed to separate watermarks from text and to detect missed text.

    Returns:
        One field for each specification; ``value`` is ``None`` where nothing was found or the reading is unreliable. A
        field that some editions lack is left out where its label is not on the page.
    """
    page_grey = None if picture is None else grey(picture)
    values, loose, labels = find_labelled(page_glyphs(lines, page_grey), specs)
    words = vocabulary(specs)
    present = [spec for spec in specs if spec.name in values or not spec.may_lack]
    found = {spec.name: _field(spec, values.get(spec.name), lines, page, to_original) for spec in present}
    for spec in present:
        value = values.get(spec.name)
        complete = check_completeness(spec.type, found[spec.name], value, loose)
        found[spec.name] = check_strays(spec, complete, value, labels, words)
    if page_grey is not None:
        _check_missed_text(found, present, values, lines, page_grey)
    found = _find_credit_codes(found, present, lines, page, to_original)
    return {spec.name: refuse_failing(spec, found[spec.name]) for spec in present}


def _check_missed_text(
    found: dict[str, Field],
    specs: Sequence[FieldSpec],
    values: Mapping[str, Value],
    lines: Sequence[TextLine],
    page: Image,
) -> None:
    """Lower the confidence of text beside which, or inside which, print was not read."""
    erased = erase_lines(page, lines)
    for spec in specs:
        value = values.get(spec.name)
        if not value or not found[spec.name].value or not spec.field_type.is_unchecked:
            continue
        if missed_beside(value, lines, erased, spec.field_type.is_prose) or missed_inside(value, lines, page):
            found[spec.name] = lower_confidence(found[spec.name])


def page_glyphs(lines: Sequence[TextLine], picture: Image | None) -> list[list[Glyph]]:
    """Characters of every line, without watermarks; ``picture`` as in :func:`read_free`."""
    return remove_overlay(glyphs_of(lines, None if picture is None else grey(picture)), [line.quad for line in lines])


def find_values(
    glyphs: Sequence[Sequence[Glyph]], specs: Sequence[FieldSpec]
) -> tuple[dict[str, Value], Sequence[Segment]]:
    """Find the value beside each field's label; see :func:`find_labelled`.

    Returns:
        Values by field name, and the segments that belong to no label.
    """
    values, loose, _ = find_labelled(glyphs, specs)
    return values, loose


def find_labelled(
    glyphs: Sequence[Sequence[Glyph]], specs: Sequence[FieldSpec]
) -> tuple[dict[str, Value], Sequence[Segment], Sequence[Label]]:
    """Find the value beside each field's label, and all labels of the page.

    Fields may share a label; of several labels of a field the one with the highest score counts.

    Returns:
        Values by field name, the segments that belong to no label, and the labels.
    """
    rows = rows_of(glyphs)
    owners = _anchor_owners(specs)
    labels = find_labels(rows, [(name, anchor) for anchor, name in owners.items()])
    segments = [s for s in segments_of(rows, labels) if not _WEB.search("".join(g.char for g in s.glyphs))]
    max_lines = {spec.name: max(spec.field_type.lines, spec.lines) for spec in specs}
    spaced = frozenset(spec.name for spec in specs if spec.field_type.kind in ("date", "term"))
    values, loose = assign_segments(labels, segments, max_lines, spaced)
    best = _best_values(values)
    _append_joined(best.values(), values)
    keys = {spec.name: owners[spec.anchors[0]] for spec in specs if spec.anchors}
    return {name: best[key] for name, key in keys.items() if key in best}, loose, labels


def _anchor_owners(specs: Sequence[FieldSpec]) -> dict[str, str]:
    """For each anchor the first field that has it."""
    owners: dict[str, str] = {}
    for spec in specs:
        for anchor in spec.anchors:
            owners.setdefault(anchor, spec.name)
    return owners


def _best_values(values: Sequence[Value]) -> dict[str, Value]:
    """For each label key the non-empty value whose label has the highest score."""
    best: dict[str, Value] = {}
    for value in values:
        key = value.label.key
        if key and value.lines and (key not in best or value.label.score > best[key].label.score):
            best[key] = value
    return best


def _append_joined(best: Iterable[Value], values: Sequence[Value]) -> None:
    """Append the values of :data:`JOINED` labels to those that they continue."""
    joined = {JOINED[v.label.anchor]: v for v in values if v.label.anchor in JOINED and v.lines}
    for value in best:
        if value.label.anchor in joined:
            value.lines += joined[value.label.anchor].lines


def _runs(value: Value, lines: Sequence[TextLine]) -> list[TextRun]:
    return [TextRun(segment.glyphs, lines[segment.glyphs[0].line]) for segment in value.segments]


def _field(spec: FieldSpec, value: Value | None, lines: Sequence[TextLine], page: int, to_original: Matrix) -> Field:
    if value is None:
        return Field(spec.name, None, "", 0.0, None, page)
    runs = _runs(value, lines)
    if words := spec.field_type.lead_words:
        runs = strip_prefixes(runs, words)
    if is_name(spec):
        runs = cut_watermark(runs)
    found = _decode(spec, runs)
    factor = WEAK_LABEL_FACTOR if value.label.score <= WEAK else 1.0
    return _to_field(spec.name, found, runs, page, to_original, factor)


def _decode(spec: FieldSpec, runs: Sequence[TextRun]) -> Decoded:
    if (term := spec.field_type.term) and spec.name.endswith(("_from", "_to")):
        period = decode_runs(term, runs)
        if period.value is not None:
            return period_end(period, "from" if spec.name.endswith("_from") else "to")
    return decode_runs(spec.type, runs)


def _to_field(
    name: str, found: Decoded, runs: Sequence[TextRun], page: int, to_original: Matrix, factor: float = 1.0
) -> Field:
    confidence = min(max(found.confidence * factor, 0.0), 1.0)
    box = _box(runs, to_original)
    rivals = found.rivals if confidence < LOOK else ()
    return Field(name, found.value, found.raw, confidence, box, page, found.source, found.alternatives, rivals)


def _box(runs: Sequence[TextRun], to_original: Matrix) -> Box | None:
    if not runs:
        return None
    points = transform_points(to_original, np.concatenate([run.corners() for run in runs]))
    low, high = points.min(axis=0), points.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _find_credit_codes(
    found: dict[str, Field], specs: Sequence[FieldSpec], lines: Sequence[TextLine], page: int, to_original: Matrix
) -> dict[str, Field]:
    """Search the whole page for a credit code or registration number: shape and check digits identify it."""
    for spec in specs:
        alone = spec.field_type.alone
        if alone is not None and found[spec.name].value is None:
            for code in _code_runs(lines, alone):
                read = decode_runs(spec.type, code)
                if read.value is not None and read.source == "ocr":
                    found[spec.name] = _to_field(spec.name, read, code, page, to_original)
                    break
    return found


def _code_runs(lines: Sequence[TextLine], alone: re.Pattern[str]) -> Iterator[list[TextRun]]:
    for line, glyphs in zip(lines, glyphs_of(lines), strict=True):
        for match in alone.finditer("".join(glyph.char for glyph in glyphs)):
            yield [TextRun(tuple(glyphs[match.start() : match.end()]), line)]
