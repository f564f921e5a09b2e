"""How the values of a field type are written: the data from which reading builds its grammar.

A spelling describes shapes, confusable characters and the checks that a reading must pass. It does not depend on the
recogniser; :mod:`docproc.read.decoding.grammar` compiles it and maps :data:`Trust` to thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Literal

from docproc.fields.confusions import Confusions

Trust = Literal["checked", "shaped", "exact", "chosen", "named", "free"]
"""What confirms a reading, which decides how certain the recogniser must be.

``checked``: a check digit. ``shaped``: a fixed shape or the calendar. ``exact``: nothing but the characters themselves,
so that none may be skipped. ``chosen``: a short list of values. ``named``: a name. ``free``: nothing.
"""


@dataclass(frozen=True, slots=True)
class Slot:
    """A run of characters of one kind."""

    chars: Container[str]
    least: int = 1
    most: int | None = 1
    """``None`` is no upper limit."""


class Ranges:
    """A set of characters given by code point ranges (both ends included) and single characters."""

    def __init__(self, *ranges: tuple[int, int], also: str = "") -> None:
        """Keep the ranges and the single characters."""
        self._ranges, self._also = ranges, frozenset(also)

    def __contains__(self, char: object) -> bool:
        """Whether a character belongs to the set."""
        if not isinstance(char, str) or len(char) != 1:
            return False
        return char in self._also or any(low <= ord(char) <= high for low, high in self._ranges)


HAN_RANGES = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x323AF))
"""CJK unified ideographs, extensions A to H."""
HAN = Ranges(*HAN_RANGES, also="〇")
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = CAPITALS + CAPITALS.lower()
BLANKS = frozenset(" 　")

Shape = tuple[Slot, ...]
"""One way to write a value, from the first character to the last."""


def no_prior(value: str) -> float:
    """Return the uniform log prior."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Spelling:
    """How the values of one field type may be written on paper."""

    shapes: tuple[Shape, ...]
    trust: Trust
    confusions: Confusions = field(default_factory=dict)
    """Confusable characters: those the type does not contain, and rare second meanings of those it contains."""
    skip: frozenset[str] = BLANKS
    """Characters without meaning in this type; they count as blank."""
    finish: Callable[[str], str | None] | None = None
    """Maps a reading of one of the shapes to the normalised value, or to ``None`` when a check rejects it; the type's
    validator where it is left out."""
    prior: Callable[[str], float] = no_prior
    """Log prior (nats) of a value."""
    folded: bool = False
    """Whether readings that differ only in punctuation, spaces or character variants count as one (``fold``)."""
    simplify: bool = False
    """Whether character variants become the standard form (通用规范汉字表) and full-width marks half-width ones."""
    beam: int = 128
    """Beam width of the search."""


def word(text: str) -> Shape:
    """The shape of a fixed text."""
    return tuple(Slot(char) for char in text)


def some(chars: str, least: int, most: int | None = None) -> Slot:
    """``least`` to ``most`` of the characters, exactly ``least`` where ``most`` is left out."""
    return Slot(frozenset(chars), least, least if most is None else most)


def maybe(chars: str) -> Slot:
    """One of the characters, or none."""
    return Slot(frozenset(chars), 0, 1)


def unchanged(text: str) -> str:
    """Return the text unchanged."""
    return text
