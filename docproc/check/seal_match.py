"""Compare the name on a seal with the names that an application allows.

The test is between two hypotheses: the seal carries this name, misread in places, or it carries another. A character of
the name that no rendering of the arc considers possible, where another character was read clearly, speaks for another
name; so do characters of which there are too many or too few on an arc that is evenly set. Where the seal is worn, cut,
under writing or too small to be told, neither is shown, and a person looks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log
from statistics import median
from typing import Literal

from docproc.domain import ArcPlace, Seal
from docproc.fields import fold

Outcome = Literal["same", "differs", "unreadable", "none"]

CLEAR = 0.75
"""Posterior from which a character counts as read; a place with less is not legible."""
CERTAIN = 0.90
"""The same where one character alone tells two names apart."""
AGREES = 0.15
"""Least posterior of a character of the name for the seal to have it."""
CONFIRMED = 0.70
"""Least mean posterior of the characters of the name."""
LEGIBLE, MOSTLY_LEGIBLE = 0.90, 0.70
"""Share of the arc's places that must be legible, where one or two characters differ, and where more do."""
WHOLE = 0.85
"""Least share of the rim that is inked for missing characters to count: a part that left no ink has none."""
EVEN = 1.5
"""Greatest gap between neighbouring characters, in common gaps, of an arc from which none is missing."""
_FLOOR = 3e-4
"""Posterior of a character that is not among those of its place."""
_HIDDEN = 0.2
"""The same where black ink hides the place."""
_SKIP = 6.0
"""Cost (nats) of a character that only one of seal and name has."""


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What the seals of a field say about a name."""

    outcome: Outcome
    confidence: float
    """0..1 of the outcome; 0 where it is unreadable."""
    seal: Seal | None
    """The seal that decided."""
    name: str
    """The name that came nearest."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A place of the arc and the character of the name that stands there, or one of them."""

    place: ArcPlace | None
    char: str | None

    @property
    def mean(self) -> float:
        """Posterior of the name's character here."""
        return _posterior(self.place, self.char)[0] if self.place is not None and self.char is not None else 0.0

    @property
    def top(self) -> float:
        """Posterior of the character read here."""
        return self.place.characters[0].mean if self.place is not None and self.place.characters else 0.0

    @property
    def excluded(self) -> bool:
        """Whether another character than the name's stands here."""
        if self.place is None or self.char is None or self.place.hidden:
            return False
        return _posterior(self.place, self.char)[1] <= _FLOOR and self.top >= CLEAR


def compare_seals(seals: Sequence[Seal] | None, names: Iterable[str]) -> SealVerdict:
    """Compare the seals of a field with the names of which each may carry any.

    Args:
        seals: found in the field; ``None``: nobody looked for their names.
        names: allowed.
    """
    wanted = list(dict.fromkeys(form for name in names for form in _forms(name)))
    if not seals or not wanted:
        return SealVerdict("unreadable", 0.0, None, "")
    found = [_compare_seal(seal, wanted) for seal in seals]
    same = [item for item in found if item.outcome == "same"]
    if same:
        return max(same, key=lambda item: item.confidence)
    if all(item.outcome == "differs" for item in found):
        return found[0]
    return next(item for item in found if item.outcome == "unreadable")


def _compare_seal(seal: Seal, names: Sequence[str]) -> SealVerdict:
    """A seal differs only if it differs from every name."""
    found = [_compare_name(seal, name) for name in names]
    same = [item for item in found if item.outcome == "same"]
    if same:
        return max(same, key=lambda item: item.confidence)
    if all(item.outcome == "differs" for item in found):
        return min(found, key=lambda item: item.confidence)
    return next(item for item in found if item.outcome == "unreadable")


def _forms(name: str) -> list[str]:
    """The name as seals carry it: with and without what stands in brackets, in standard characters, without marks."""
    text = unicodedata.normalize("NFKC", name)
    bare = text[: text.index("(")] if "(" in text and text.endswith(")") else text
    return [form for form in (_plain(text), _plain(bare)) if len(form) > 1]


def _plain(text: str) -> str:
    return "".join(char for char in fold(text) if char.isalnum())


def _compare_name(seal: Seal, name: str) -> SealVerdict:
    if not seal.places:
        return SealVerdict("unreadable", 0.0, seal, name)
    pairs = _align(seal.places, name)
    means = [pair.mean for pair in pairs]
    if min(means) >= AGREES and sum(means) / len(means) >= CONFIRMED:
        confidence = exp(sum(log(mean) for mean in means) / len(means))
        return SealVerdict("same", confidence, seal, name)
    against = _evidence_against(seal, pairs)
    if against > 0.0:
        return SealVerdict("differs", against, seal, name)
    return SealVerdict("unreadable", 0.0, seal, name)


def _evidence_against(seal: Seal, pairs: Sequence[_Pair]) -> float:
    """Confidence that the seal carries another name, 0 where it cannot be told."""
    places = [pair for pair in pairs if pair.place is not None]
    legible = sum(pair.top >= CLEAR for pair in places) / len(places)
    excluded = sorted((pair.top for pair in pairs if pair.excluded), reverse=True)
    unpaired = [pair for pair in pairs if pair.place is None or pair.char is None]
    if legible < MOSTLY_LEGIBLE:
        return 0.0
    if len(excluded) >= 3:
        return excluded[2]
    if legible < LEGIBLE:
        return 0.0
    others = [pair for pair in pairs if not pair.excluded and pair.place is not None and pair.char is not None]
    agree = all(pair.mean >= AGREES for pair in others)
    if len(excluded) == 2 and (agree or excluded[1] >= CERTAIN):
        return excluded[1]
    if len(excluded) == 1 and agree and not unpaired and excluded[0] >= CERTAIN:
        return excluded[0]
    if unpaired and agree and seal.covered >= WHOLE and _evenly_set(seal.places):
        return _lengths_differ(unpaired, legible)
    return 0.0


def _lengths_differ(unpaired: Sequence[_Pair], legible: float) -> float:
    """Whether characters that only one of seal and name has tell them apart: two, or one that the seal lacks."""
    extra = [pair.top for pair in unpaired if pair.char is None]
    missing = len(unpaired) - len(extra)
    if len(extra) >= 2 and not missing and min(extra) >= CERTAIN:
        return min(extra)
    return legible if missing >= 2 and not extra else 0.0


def _evenly_set(places: Sequence[ArcPlace]) -> bool:
    gaps = [after.at - before.at for before, after in pairwise(places)]
    return bool(gaps) and max(gaps) < EVEN * median(gaps)


def _posterior(place: ArcPlace | None, char: str | None) -> tuple[float, float]:
    """Mean and greatest posterior of a character at a place."""
    for item in place.characters if place is not None else ():
        if item.char == char:
            return item.mean, item.most
    return 0.0, _FLOOR


def _align(places: Sequence[ArcPlace], name: str) -> list[_Pair]:
    """The likeliest alignment of the arc's places with the name's characters."""
    rows, columns = len(places) + 1, len(name) + 1
    cost = [[0.0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in range(columns):
            if i or j:
                cost[i][j] = min(_steps(cost, places, name, i, j))
    pairs: list[_Pair] = []
    i, j = len(places), len(name)
    while i or j:
        both, only_place, only_char = _steps(cost, places, name, i, j)
        if both <= min(only_place, only_char):
            i, j = i - 1, j - 1
            pairs.append(_Pair(places[i], name[j]))
        elif only_place <= only_char:
            i -= 1
            pairs.append(_Pair(places[i], None))
        else:
            j -= 1
            pairs.append(_Pair(None, name[j]))
    return pairs[::-1]


def _steps(
    cost: Sequence[Sequence[float]], places: Sequence[ArcPlace], name: str, i: int, j: int
) -> tuple[float, float, float]:
    """Costs to come to a cell with both a place and a character, with a place alone, with a character alone."""
    both = cost[i - 1][j - 1] + _misfit(places[i - 1], name[j - 1]) if i and j else float("inf")
    return both, cost[i - 1][j] + _SKIP if i else float("inf"), cost[i][j - 1] + _SKIP if j else float("inf")


def _misfit(place: ArcPlace, char: str) -> float:
    most = _posterior(place, char)[1]
    return -log(max(most, _HIDDEN if place.hidden else _FLOOR))
