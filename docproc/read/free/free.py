"""Read a page that we did not print: find its labels, and what stands beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from docproc.check.check import LOOK
from docproc.domain import Box, Field
from docproc.matter.model import FieldSpec
from docproc.read.decoding.decode import Decoded
from docproc.read.decoding.fields import Run, part_of_period, read_runs, strip_words
from docproc.read.decoding.glyphs import Glyph, glyphs_of, rows_of, without_overlay
from docproc.read.engine.recogniser import Image, TextLine
from docproc.read.free.key_value import Segment, Value, assign, segments_of
from docproc.read.free.labels import WEAK, find_labels
from docproc.read.free.missed_text import goes_on_unread, passes_over, without_lines
from docproc.read.free.uncertainty import MANY_LINES, doubt_shape, doubted
from docproc.scan.image.geometry import Matrix, apply, grey

MOST_LINES = {"cn_name": 2, "text": 2, "period": 2, "address": 3, "scope": 40}
"""Lines that a value of a type may take on paper; one for the others."""
SPACED = frozenset({"date", "date_or_long", "period"})
JOINED = {"组成形式": "类型"}
"""A sole trader's licence splits its kind over two labels: ``个体工商户`` and ``个人经营`` say one thing."""
WEAK_TRUST = 0.8
"""Confidence is cut to this share where the label was only half seen."""
_WEB = re.compile(r"(?:https?[:/]|www\.|[a-z0-9-]+\.(?:com|cn|net|org)\b)", re.IGNORECASE)
"""A web address is never part of a value: it is printed at the foot, or laid over a picture as a watermark."""
_PERSON_WORDS = ("姓名", "(负责人)", "(签章)")
_CODE = re.compile(r"(?<![0-9A-Z])(?:[0-9A-HJ-NPQRTUWXY]{18}|[0-9]{15})(?![0-9A-Z])")


def read_free(
    lines: Sequence[TextLine],
    specs: Sequence[FieldSpec],
    page: int,
    to_original: Matrix,
    picture: Image | None = None,
) -> dict[str, Field]:
    """Read the fields of one page of a free material.

    Args:
        lines: all lines of the page, as read.
        specs: fields that stand on this page, with their anchors.
        page: 1-based page of the material.
        to_original: homography from pixels of the page that was read to the picture as handed in.
        picture: the page that was read; with it watermarks are told from text.

    Returns:
        One field for each specification; ``value`` is ``None`` for what was not found or cannot be relied on. A field
        that some editions lack is left out where its label is not on the page.
    """
    shown = None if picture is None else grey(picture)
    glyphs = glyphs_on(lines, shown)
    values, loose = collect(glyphs, specs)
    there = [spec for spec in specs if spec.name in values or not spec.may_lack]
    found = {spec.name: _field(spec, values.get(spec.name), lines, page, to_original) for spec in there}
    for spec in there:
        found[spec.name] = doubt_shape(spec.type, found[spec.name], values.get(spec.name), loose)
    if shown is not None:
        _doubt_cut(found, there, values, lines, shown)
    return _second_looks(found, there, lines, page, to_original)


def _doubt_cut(
    found: dict[str, Field],
    specs: Sequence[FieldSpec],
    values: Mapping[str, Value],
    lines: Sequence[TextLine],
    page: Image,
) -> None:
    """Doubt text that goes on in print which no line covers."""
    left = without_lines(page, lines)
    for spec in specs:
        value = values.get(spec.name)
        cut_short = spec.type in MANY_LINES or spec.type == "person_name"
        if (
            cut_short
            and found[spec.name].value
            and value
            and (goes_on_unread(value, lines, left, spec.type in MANY_LINES) or passes_over(value, lines, page))
        ):
            found[spec.name] = doubted(found[spec.name])


def glyphs_on(lines: Sequence[TextLine], picture: Image | None) -> list[list[Glyph]]:
    """Characters of every line without what is laid over the page; ``picture`` as of :func:`read_free`."""
    return without_overlay(glyphs_of(lines, None if picture is None else grey(picture)), [line.quad for line in lines])


def collect(
    glyphs: Sequence[Sequence[Glyph]], specs: Sequence[FieldSpec]
) -> tuple[dict[str, Value], Sequence[Segment]]:
    """What stands beside each field's label, the surest label of a field first, and what belongs to none.

    Fields may share a label.
    """
    rows = rows_of(glyphs)
    wanted = [(spec.name, anchor) for spec in specs for anchor in spec.anchors]
    anchors: dict[str, str] = {}
    for name, anchor in wanted:
        anchors.setdefault(anchor, name)
    shared = {spec.name: anchors[spec.anchors[0]] for spec in specs if spec.anchors}
    labels = find_labels(rows, [(name, anchor) for anchor, name in anchors.items()])
    segments = [s for s in segments_of(rows, labels) if not _WEB.search("".join(g.char for g in s.glyphs))]
    most = {spec.name: max(MOST_LINES.get(spec.type, 1), spec.lines) for spec in specs}
    spaced = frozenset(spec.name for spec in specs if spec.type in SPACED)
    values, loose = assign(labels, segments, most, spaced)
    best: dict[str, Value] = {}
    joined: dict[str, Value] = {}
    for value in values:
        key = value.label.key
        if value.label.anchor in JOINED and value.lines:
            joined[JOINED[value.label.anchor]] = value
        if key and value.lines and (key not in best or value.label.score > best[key].label.score):
            best[key] = value
    for value in best.values():
        if value.label.anchor in joined:
            value.lines += joined[value.label.anchor].lines
    return {name: best[key] for name, key in shared.items() if key in best}, loose


def _runs(value: Value, lines: Sequence[TextLine]) -> list[Run]:
    return [Run(segment.glyphs, lines[segment.glyphs[0].line]) for segment in value.segments]


def _field(spec: FieldSpec, value: Value | None, lines: Sequence[TextLine], page: int, to_original: Matrix) -> Field:
    if value is None:
        return Field(spec.name, None, "", 0.0, None, page)
    runs = _runs(value, lines)
    if spec.type == "person_name":
        runs = strip_words(runs, _PERSON_WORDS)
    found = _decode(spec, runs)
    trust = WEAK_TRUST if value.label.score <= WEAK else 1.0
    return _to_field(spec.name, found, runs, page, to_original, trust)


def _decode(spec: FieldSpec, runs: Sequence[Run]) -> Decoded:
    if spec.type in ("date", "date_or_long") and spec.name.endswith(("_from", "_to")):
        period = read_runs("period", runs)
        if period.value is not None:
            return part_of_period(period, "from" if spec.name.endswith("_from") else "to")
    return read_runs(spec.type, runs)


def _to_field(
    name: str, found: Decoded, runs: Sequence[Run], page: int, to_original: Matrix, trust: float = 1.0
) -> Field:
    confidence = min(max(found.confidence * trust, 0.0), 1.0)
    box = _box(runs, to_original)
    rivals = found.rivals if confidence < LOOK else ()
    return Field(name, found.value, found.raw, confidence, box, page, found.source, found.alternatives, rivals)


def _box(runs: Sequence[Run], to_original: Matrix) -> Box | None:
    if not runs:
        return None
    points = apply(to_original, np.concatenate([run.corners() for run in runs]))
    low, high = points.min(axis=0), points.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _second_looks(
    found: dict[str, Field], specs: Sequence[FieldSpec], lines: Sequence[TextLine], page: int, to_original: Matrix
) -> dict[str, Field]:
    """A credit code or registration number is told by its own shape and check digits wherever it stands."""
    for spec in specs:
        if spec.type == "uscc" and found[spec.name].value is None:
            for code in _codes_anywhere(lines):
                read = read_runs("uscc", code)
                if read.value is not None and read.source == "ocr":
                    found[spec.name] = _to_field(spec.name, read, code, page, to_original)
                    break
    return found


def _codes_anywhere(lines: Sequence[TextLine]) -> Iterator[list[Run]]:
    for line, glyphs in zip(lines, glyphs_of(lines), strict=True):
        for match in _CODE.finditer("".join(glyph.char for glyph in glyphs)):
            yield [Run(tuple(glyphs[match.start() : match.end()]), line)]
