"""Character confusions: how likely another character is than the one that was read. Free text has no other check."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from docproc.fields.spelling import LETTERS
from docproc.read.decoding.confidence import lower_confidence
from docproc.read.decoding.decode import Decoded
from docproc.read.decoding.grammar import standard_form
from docproc.read.engine.recogniser import BLANK, Lattice

CONFUSABLE = 0.1
"""Posterior (odds of one to nine) from which a second character makes a reading uncertain: 午 and 牛, 化 and 他."""


def check_confusions(found: Decoded, lattices: Iterable[Lattice]) -> Decoded:
    """Lower the confidence of a text with a letter, ideograph or digit that may be another one.

    Args:
        found: text that no grammar, check digit or list supports.
        lattices: of the lines it was read from.
    """
    if found.value and max((strongest_confusion(lattice) for lattice in lattices), default=0.0) >= CONFUSABLE:
        return lower_confidence(found)
    return found


def check_letters(found: Decoded) -> Decoded:
    """Lower the confidence of a number in which a letter was read: an H is mostly a 4, and may be a 2.

    Args:
        found: a number without check digit.
    """
    if found.value and any(char in LETTERS for char in found.raw):
        return lower_confidence(found)
    return found


def strongest_confusion(lattice: Lattice) -> float:
    """Return the highest posterior, 0..1, of another character where a letter, ideograph or digit was read.

    Punctuation is ignored (``；`` and ``;`` mean the same), and so are two forms of one character.
    """
    if not len(lattice.probs):
        return 0.0
    best = lattice.probs.argmax(axis=1)
    characters = lattice.characters
    strongest = 0.0
    for row in np.unique(best[best != BLANK]):
        if characters[row].isalnum():
            steps = lattice.probs[best == row]
            likely = np.flatnonzero(steps.max(axis=0) >= CONFUSABLE)
            others = [i for i in likely if _is_other(characters[i], characters[row])]
            strongest = max(strongest, float(steps[:, others].max()) if others else 0.0)
    return strongest


def differs_in_digits(value: str, other: str) -> bool:
    """Whether another reading has other digits, or one more character beside a digit: a touching 1 looks like any."""
    if _digits(value) != _digits(other):
        return True
    beside = (i for i in range(len(other)) if _digits(other[max(i - 1, 0) : i] + other[i + 1 : i + 2]))
    return len(other) == len(value) + 1 and any(other[:i] + other[i + 1 :] == value for i in beside)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _is_other(char: str, read: str) -> bool:
    return bool(char.strip()) and standard_form(char).lower() != standard_form(read).lower()
