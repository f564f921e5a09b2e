"""From the characters beside a label, or in a box, to a value of the field's type."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from docproc.fields import VALIDATORS, locate
from docproc.fields.check_digits import mod11_10
from docproc.fields.region import UNDIVIDED
from docproc.read.decoding.confusions import check_confusions
from docproc.read.decoding.decode import Decoded, decode
from docproc.read.decoding.glyphs import Glyph, greedy_steps
from docproc.read.decoding.grammar import grammar_for, standard_form
from docproc.read.engine.lattices import cut, join
from docproc.read.engine.recogniser import Lattice, TextLine

FREE_TEXT = frozenset({"scope", "text", "address"})
"""Types without a grammar to speak of: read plainly, a search would only cost time."""
PLAIN_SURE = 0.80
"""Plain text whose characters are on geometric average less sure than this is left to a person."""
PLAIN_WORST = 0.30
"""So is text with one character less sure than this."""
_NUMERAL = "[0-9OolI|〇○零一二三四五六七八九十]"
_DAY = rf"{_NUMERAL}{{2,4}}[年.\-/]{_NUMERAL}{{1,3}}[月.\-/]{_NUMERAL}{{1,3}}日?"
_PATTERNS: dict[str, re.Pattern[str]] = {
    "date": re.compile(_DAY),
    "date_or_long": re.compile(rf"{_DAY}|长期"),
    "period": re.compile(rf"[自从]?{_DAY}[起]?(?:至|到|-|—|~|一)*(?:{_DAY}|长期)止?|长期"),
    "cid": re.compile(r"[0-9OolI|][0-9OolI|DGQBSZ]{14,18}[0-9XxA-Z×*]"),
    "uscc": re.compile(r"[0-9A-Z]{17,19}|[0-9]{13,15}"),
    "amount": re.compile(
        r"(?:人民币)?[¥￥]?(?:[0-9][0-9,.]*|[零壹贰叁肆伍陆柒捌玖拾佰仟]+)[零壹贰叁肆伍陆柒捌玖拾佰仟万亿元圆角分整正]*"
        r"(?:美元|港元|欧元|日元)?"
    ),
    "mobile": re.compile(r"[0-9OolI|]{11}"),
}
"""Where in a sentence the value of a type may stand."""
REGNO_DIGITS = 15
_DISTRICT = re.compile(r"[\u4e00-\u9fff]{1,6}[区县旗]")


@dataclass(frozen=True, slots=True)
class TextRun:
    """Characters of one line that belong to a value."""

    glyphs: tuple[Glyph, ...]
    line: TextLine

    @property
    def text(self) -> str:
        """NFKC, without blanks."""
        return "".join(glyph.char for glyph in self.glyphs)

    @property
    def printed(self) -> str:
        """As the engine read it, without blanks."""
        return "".join(glyph.printed for glyph in self.glyphs)

    def span(self) -> tuple[int, int]:
        """First and last (exclusive) time step, half way to the neighbouring characters."""
        steps = [step for step, char, _ in greedy_steps(self.line.lattice) if not char.isspace()]
        first, last = self.glyphs[0].step, self.glyphs[-1].step
        before = max((s for s in steps if s < first), default=-1)
        after = min((s for s in steps if s > last), default=len(self.line.lattice.probs))
        start = 0 if before < 0 else (before + first) // 2 + 1
        end = after if after == len(self.line.lattice.probs) else (last + after) // 2 + 1
        return start, end

    def lattice(self) -> Lattice:
        """The part of the line's lattice that carries these characters."""
        return cut(self.line.lattice, *self.span())

    def corners(self) -> NDArray[np.float64]:
        """4 x 2 corners of the characters, pixels of the page that was read."""
        first, last = self.span()
        quad = self.line.quad.astype(np.float64)
        start = self.line.lattice.place(first, 1.0) if first else 0.0
        end = self.line.lattice.place(last, 1.0)
        top, bottom = quad[1] - quad[0], quad[2] - quad[3]
        return np.array([quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * end, quad[3] + bottom * start])


def decode_runs(type_name: str, runs: Sequence[TextRun]) -> Decoded:
    """Read the value of a type from runs in reading order.

    Returns:
        What the runs say; ``value`` is ``None`` when it cannot be relied on.
    """
    if not runs:
        return Decoded(None, "", 0.0)
    raw = "".join(run.printed for run in runs)
    if type_name in FREE_TEXT:
        found = check_confusions(decode_greedy(type_name, runs), [run.lattice() for run in runs])
        return check_district(found) if type_name == "address" else found
    best: Decoded | None = None
    for part in _candidates(type_name, runs):
        kind = _kind(type_name, part)
        found = decode(join([run.lattice() for run in part]), grammar_for(kind))
        if found.value is not None:
            return replace(found, raw="".join(run.printed for run in part))
        best = best or found
    assert best is not None  # the whole is always a candidate
    return replace(best, raw=raw)


def decode_greedy(type_name: str, runs: Sequence[TextRun]) -> Decoded:
    """Text as it stands, without a search, in the normal form of its type; abstains when a character is unsure."""
    raw = "".join(run.printed for run in runs)
    scores = [max(glyph.confidence, 1e-6) for run in runs for glyph in run.glyphs]
    mean = math.exp(sum(math.log(score) for score in scores) / len(scores))
    sure = mean >= PLAIN_SURE and min(scores) >= PLAIN_WORST
    spelt = "".join(map(standard_form, raw)) if grammar_for(type_name).simplify else raw
    text = VALIDATORS[type_name](spelt, today=date.max).value
    whole = math.exp(sum(math.log(score) for score in scores))  # that every character is right, not the usual one
    return Decoded(text if sure else None, raw, whole, () if sure else (text,))


def check_district(found: Decoded) -> Decoded:
    """Leave an address to a person whose district is in no table: one of its characters was misread, or it is odd."""
    if found.value is None or not _odd_district(found.value):
        return found
    known = [text for text in found.alternatives if not _odd_district(text)]
    others = tuple(dict.fromkeys([*known, found.value, *found.alternatives]))
    return replace(found, value=None, alternatives=others, confidence=min(found.confidence, 0.5))


def _odd_district(text: str) -> bool:
    place = locate(text)
    if place is None or place.level == "county" or place.zone or place.code in UNDIVIDED:
        return False
    return _DISTRICT.match(place.rest) is not None


def _kind(type_name: str, runs: Sequence[TextRun]) -> str:
    """The grammar's name; an old licence carries a registration number where newer ones have the credit code."""
    if type_name in ("uscc", "regno_or_uscc"):
        return "regno" if len("".join(run.text for run in runs)) <= REGNO_DIGITS else "uscc"
    return type_name


def _candidates(type_name: str, runs: Sequence[TextRun]) -> Iterator[tuple[TextRun, ...]]:
    """Parts that look like a value, then the whole."""
    pattern = _PATTERNS.get(type_name)
    text = "".join(run.text for run in runs)
    if pattern is not None:
        for match in pattern.finditer(text):
            start, end = match.span()
            if type_name == "uscc" and _is_regno(text[start:end]):
                end = start + REGNO_DIGITS
            if (start, end) != (0, len(text)):
                yield tuple(_slice(runs, start, end))
    yield tuple(runs)


def _is_regno(text: str) -> bool:
    head = text[:REGNO_DIGITS]
    return len(text) != 18 and len(head) == REGNO_DIGITS and head.isdigit() and mod11_10(head[:-1]) == head[-1]


def _slice(runs: Sequence[TextRun], start: int, end: int) -> Iterator[TextRun]:
    """Characters ``start`` to ``end`` of all runs taken together."""
    at = 0
    for run in runs:
        kept = run.glyphs[max(start - at, 0) : max(end - at, 0)]
        if kept:
            yield TextRun(kept, run.line)
        at += len(run.glyphs)


def strip_prefixes(runs: Sequence[TextRun], words: Sequence[str]) -> list[TextRun]:
    """Take words off the front (``姓名`` after ``法定代表人``), and a stop at the end of a value."""
    text = "".join(run.text for run in runs)
    start = 0
    for word in words:
        plain_word = unicodedata.normalize("NFKC", word)
        if text.startswith(plain_word, start) and len(text) > start + len(plain_word):
            start += len(plain_word)
    while start < len(text) and text[start] in ":;":
        start += 1
    return list(_slice(runs, start, len(text)))


PeriodPart = Literal["from", "to"]


def period_end(found: Decoded, part: PeriodPart) -> Decoded:
    """One end of a decoded period: ``2016-05-12/2036-05-12`` or ``2016-05-12/长期``."""
    if found.value is None:
        return found
    start, _, end = found.value.rpartition("/")
    value = start if part == "from" else end
    return replace(found, value=value or None, alternatives=(), rivals=())
