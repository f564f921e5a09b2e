"""Decode the characters beside a label to a value of the field's type."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from docproc.fields import VALIDATORS, FieldType, find_type
from docproc.fields.field_type import Older
from docproc.read.decoding.confusions import check_confusions
from docproc.read.decoding.decode import Decoded, decode
from docproc.read.decoding.glyphs import Glyph, greedy_steps
from docproc.read.decoding.grammar import checked, grammar_for, standard_form
from docproc.read.engine.lattices import cut, join
from docproc.read.engine.recogniser import Lattice, TextLine

PLAIN_SURE = 0.80
"""Minimum geometric mean of the characters' posteriors in free text; below it a reviewer decides."""
PLAIN_WORST = 0.30
"""Minimum posterior of each of its characters."""


@dataclass(frozen=True, slots=True)
class TextRun:
    """Consecutive characters of one line that belong to a value."""

    glyphs: tuple[Glyph, ...]
    line: TextLine

    @property
    def text(self) -> str:
        """NFKC, without spaces."""
        return "".join(glyph.char for glyph in self.glyphs)

    @property
    def printed(self) -> str:
        """As the engine read it, without spaces."""
        return "".join(glyph.printed for glyph in self.glyphs)

    def span(self) -> tuple[int, int]:
        """Return the first and last (exclusive) time step, midway to the neighbouring characters."""
        steps = [step for step, char, _ in greedy_steps(self.line.lattice) if not char.isspace()]
        first, last = self.glyphs[0].step, self.glyphs[-1].step
        before = max((s for s in steps if s < first), default=-1)
        after = min((s for s in steps if s > last), default=len(self.line.lattice.probs))
        start = 0 if before < 0 else (before + first) // 2 + 1
        end = after if after == len(self.line.lattice.probs) else (last + after) // 2 + 1
        return start, end

    def lattice(self) -> Lattice:
        """Return the part of the line's lattice with these characters."""
        return cut(self.line.lattice, *self.span())

    def corners(self) -> NDArray[np.float64]:
        """Return the 4 x 2 corners of the characters, pixels of the page that was read."""
        first, last = self.span()
        quad = self.line.quad.astype(np.float64)
        start = self.line.lattice.place(first, 1.0) if first else 0.0
        end = self.line.lattice.place(last, 1.0)
        top, bottom = quad[1] - quad[0], quad[2] - quad[3]
        return np.array([quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * end, quad[3] + bottom * start])


def decode_runs(type_name: str, runs: Sequence[TextRun]) -> Decoded:
    """Decode the value of a type from runs in reading order.

    Returns:
        The decoded value; ``value`` is ``None`` when it is not reliable.
    """
    if not runs:
        return Decoded(None, "", 0.0)
    raw = "".join(run.printed for run in runs)
    kind = find_type(type_name)
    if kind.is_plain:
        found = check_confusions(decode_greedy(type_name, runs), [run.lattice() for run in runs])
        return check_plausible(type_name, found)
    best: Decoded | None = None
    for part in _candidates(kind, runs):
        found = decode(join([run.lattice() for run in part]), grammar_for(_grammar_name(kind, part)))
        if found.value is not None:
            return replace(found, raw="".join(run.printed for run in part))
        best = best or found
    assert best is not None  # the complete text is always a candidate
    return replace(best, raw=raw)


def decode_greedy(type_name: str, runs: Sequence[TextRun]) -> Decoded:
    """Return the greedy reading in the normal form of its type; rejected when a posterior is too low."""
    raw = "".join(run.printed for run in runs)
    scores = [max(glyph.confidence, 1e-6) for run in runs for glyph in run.glyphs]
    mean = math.exp(sum(math.log(score) for score in scores) / len(scores))
    sure = mean >= PLAIN_SURE and min(scores) >= PLAIN_WORST
    spelt = "".join(map(standard_form, raw)) if grammar_for(type_name).simplify else raw
    text = VALIDATORS[type_name](spelt, today=date.max).value
    whole = math.exp(
        sum(math.log(score) for score in scores)
    )  # the probability that every character is right, not the mean
    return Decoded(text if sure else None, raw, whole, () if sure else (text,))


def check_plausible(type_name: str, found: Decoded) -> Decoded:
    """Reject a value that its type calls implausible, such as an address whose district is in no table."""
    odd = find_type(type_name).implausible
    if found.value is None or not odd(found.value):
        return found
    known = [text for text in found.alternatives if not odd(text)]
    others = tuple(dict.fromkeys([*known, found.value, *found.alternatives]))
    return replace(found, value=None, alternatives=others, confidence=min(found.confidence, 0.5))


def _grammar_name(kind: FieldType, runs: Sequence[TextRun]) -> str:
    """Name of the grammar; an old licence has a registration number where newer ones have the credit code."""
    older = kind.older
    return older.name if older and len("".join(run.text for run in runs)) <= older.length else kind.name


def _candidates(kind: FieldType, runs: Sequence[TextRun]) -> Iterator[tuple[TextRun, ...]]:
    """Parts that match the type's expression, then the complete text."""
    text = "".join(run.text for run in runs)
    if kind.within is not None:
        for match in kind.within.finditer(text):
            start, end = match.span()
            if kind.older is not None and _begins_with(kind.older, text[start:end]):
                end = start + kind.older.length
            if (start, end) != (0, len(text)):
                yield tuple(slice_runs(runs, start, end))
    yield tuple(runs)


def _begins_with(older: Older, text: str) -> bool:
    head = text[: older.length]
    return len(text) != older.instead_of and len(head) == older.length and checked(older.name)(head) is not None


def slice_runs(runs: Sequence[TextRun], start: int, end: int) -> Iterator[TextRun]:
    """Yield the characters ``start`` to ``end`` of the concatenated runs."""
    at = 0
    for run in runs:
        kept = run.glyphs[max(start - at, 0) : max(end - at, 0)]
        if kept:
            yield TextRun(kept, run.line)
        at += len(run.glyphs)


def strip_prefixes(runs: Sequence[TextRun], words: Sequence[str]) -> list[TextRun]:
    """Strip leading words (``姓名`` after ``法定代表人``) and colons from a value."""
    text = "".join(run.text for run in runs)
    start = 0
    for word in words:
        plain_word = unicodedata.normalize("NFKC", word)
        if text.startswith(plain_word, start) and len(text) > start + len(plain_word):
            start += len(plain_word)
    while start < len(text) and text[start] in ":;":
        start += 1
    return list(slice_runs(runs, start, len(text)))


PeriodPart = Literal["from", "to"]


def period_end(found: Decoded, part: PeriodPart) -> Decoded:
    """Return one end of a decoded period: ``2016-05-12/2036-05-12`` or ``2016-05-12/长期``."""
    if found.value is None:
        return found
    start, _, end = found.value.rpartition("/")
    value = start if part == "from" else end
    return replace(found, value=value or None, alternatives=(), rivals=())
