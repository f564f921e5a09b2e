"""The grammar of each field type: its shape, its confusable characters, and the thresholds of its readings.

Each is compiled from the type's spelling (:mod:`docproc.fields.spelling`); the thresholds depend on the recogniser and
are kept here. :mod:`docproc.read.decoding.decode` searches a lattice under a grammar.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from docproc.fields import FIELD_TYPES, VALIDATORS, fold
from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS, Confusions
from docproc.fields.spelling import BLANKS, HAN, Spelling, Trust, no_prior, some, unchanged, word
from docproc.fields.types.plain.date import LATEST
from docproc.read.decoding.pattern import Pattern


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Acceptance thresholds of a reading (below them a reviewer decides), and the cost of a skipped character."""

    margin: float
    """Minimum log odds (nats) against the second-best reading."""
    fit: float
    """Minimum log probability (nats) per character."""
    leak: float
    """Share of the posterior of inadmissible characters that counts as blank."""


# Tuned on 5,000 generated lines in six fonts (four handwriting fonts, one of them hardly legible), blurred and noisy,
# read by PP-OCRv6 small. Undetected errors on 10,000 others: none in numbers with check digits, dates, periods, phone
# numbers and amounts; 4 in 1,000 plain numbers (a decimal point lost completely); 15 in 1,000 legible names.
THRESHOLDS: dict[Trust, Thresholds] = {
    "checked": Thresholds(margin=2.3, fit=-1.5, leak=0.05),
    "shaped": Thresholds(margin=2.3, fit=-0.4, leak=0.005),
    "exact": Thresholds(margin=2.3, fit=-0.4, leak=0.0005),
    "chosen": Thresholds(margin=2.3, fit=-2.0, leak=0.05),
    "named": Thresholds(margin=1.5, fit=-0.1, leak=0.005),
    "free": Thresholds(margin=1.0, fit=-0.2, leak=0.005),
}


@dataclass(frozen=True, slots=True)
class Grammar:
    """What one field type admits."""

    name: str
    pattern: Pattern
    finish: Callable[[str], str | None]
    """Maps a reading of the pattern's shape to the normalised value, or to ``None`` when a check rejects it."""
    thresholds: Thresholds
    confusions: Confusions = field(default_factory=dict)
    """Confusable characters: those the type does not contain, and rare second meanings of those it contains."""
    skip: frozenset[str] = BLANKS
    """Characters without meaning in this type; they count as blank."""
    prior: Callable[[str], float] = no_prior
    """Log prior (nats) of a value."""
    same: Callable[[str], str] = unchanged
    """Key of a value: readings with equal keys count as one, so that punctuation and spaces do not split them."""
    simplify: bool = False
    """Whether character variants become the standard form (通用规范汉字表) and full-width marks half-width ones."""
    beam: int = 128
    """Beam width of the search."""
    _known: dict[str, tuple[tuple[str, float], ...]] = field(default_factory=dict, repr=False, compare=False)
    """Cache of :meth:`symbols`, at most one entry for each character of the engine's charset."""

    def symbols(self, char: str) -> tuple[tuple[str, float], ...]:
        """Return the admissible characters that a read character may stand for, with their shares of the posterior."""
        known = self._known.get(char)
        if known is None:
            plain = nfkc_char(standard_form(char)) if self.simplify else char
            own = ((plain, 1.0),) if plain in self.pattern else ()
            known = self._known[char] = own + self.confusions.get(char, ())
        return known


def grammar_for(type_name: str, options: Sequence[str] | None = None) -> Grammar:
    """Return the grammar of a field type.

    Args:
        type_name: a key of :data:`GRAMMARS`, ``digits:N`` for N digits, or ``enum`` with ``options``.
        options: the admissible texts of an ``enum``.

    Raises:
        ValueError: unknown type, or ``enum`` without options.
    """
    if type_name == "enum":
        if not options:
            raise ValueError("an enum needs options")
        return _enum(tuple(options))
    if type_name.startswith("digits:") and type_name[7:].isdigit():
        return _digits(int(type_name[7:]))
    if type_name not in GRAMMARS:
        raise ValueError(f"no grammar for fields of type {type_name!r}; known: {', '.join(sorted(GRAMMARS))}, enum")
    return GRAMMARS[type_name]


def checked(type_name: str) -> Callable[[str], str | None]:
    """Return a function that maps a text to the value its type's validator accepts, or to ``None``.

    The search uses only shape, calendar and check digits, so validators get the latest day that a document may bear as
    ``today``. Whether a value is *true* (in force, consistent, known) is checked in :mod:`docproc.check.check`.
    """
    validator = VALIDATORS[type_name]

    def value(text: str) -> str | None:
        result = validator(text, today=LATEST)
        return result.value if result.ok else None

    return value


def standard_form(char: str) -> str:
    """Return the standard form (通用规范汉字表) of a traditional or variant character; others are unchanged."""
    plain = fold(char) if char in HAN else char
    return plain if len(plain) == 1 else char


@cache
def nfkc_char(char: str) -> str:
    """Return the NFKC form where it is one character (full width becomes half width), else the character itself."""
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char


@cache
def _enum(options: tuple[str, ...]) -> Grammar:
    return Grammar(
        "enum", Pattern(*(word(option) for option in options)), unchanged, THRESHOLDS["chosen"], simplify=True
    )


@cache
def _digits(count: int) -> Grammar:
    return Grammar(
        f"digits:{count}", Pattern((some(DIGITS, count),)), unchanged, THRESHOLDS["shaped"], DIGIT_CONFUSIONS
    )


def _compiled(name: str, spelling: Spelling) -> Grammar:
    return Grammar(
        name,
        Pattern(*spelling.shapes),
        spelling.finish or checked(name),
        THRESHOLDS[spelling.trust],
        spelling.confusions,
        spelling.skip,
        spelling.prior,
        fold if spelling.folded else unchanged,
        spelling.simplify,
        spelling.beam,
    )


GRAMMARS: dict[str, Grammar] = {
    name: _compiled(name, kind.spelling) for name, kind in FIELD_TYPES.items() if kind.spelling is not None
}
"""Of every field type that is written; ``enum`` and ``digits:N`` are made when they are asked for."""
