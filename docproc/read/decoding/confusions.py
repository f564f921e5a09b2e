"""How near another character came where one was read: in free text nothing else tells look-alikes apart."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from docproc.read.decoding.decode import Decoded
from docproc.read.decoding.grammar import LETTERS, standard_form
from docproc.read.engine.recogniser import BLANK, Lattice
from docproc.read.free.uncertainty import doubted

NEAR = 0.1
"""A character with a rival of this posterior (odds of nine to one) is doubted: 午 and 牛, 化 and 他."""


def doubt_rivals(found: Decoded, lattices: Iterable[Lattice]) -> Decoded:
    """Lower the confidence of text in which another letter, ideograph or digit may stand instead of one that was read.

    Args:
        found: text that no grammar, check digit or list speaks for.
        lattices: of the lines it was read from.
    """
    if found.value and max((nearest_rival(lattice) for lattice in lattices), default=0.0) >= NEAR:
        return doubted(found)
    return found


def doubt_letters(found: Decoded) -> Decoded:
    """Lower the confidence of a number with a figure that looks like a letter: an H is mostly a 4, and may be a 2.

    Args:
        found: a number that no check digit speaks for.
    """
    if found.value and any(char in LETTERS for char in found.raw):
        return doubted(found)
    return found


def nearest_rival(lattice: Lattice) -> float:
    """The largest posterior, 0..1, of another character while a letter, ideograph or digit was read.

    Marks are not looked at (no one takes ``；`` for another word than ``;``), nor are two forms of one character.
    """
    if not len(lattice.probs):
        return 0.0
    best = lattice.probs.argmax(axis=1)
    characters = lattice.characters
    nearest = 0.0
    for row in np.unique(best[best != BLANK]):
        if characters[row].isalnum():
            steps = lattice.probs[best == row]
            others = [i for i in np.flatnonzero(steps.max(axis=0) >= NEAR) if _other(characters[i], characters[row])]
            nearest = max(nearest, float(steps[:, others].max()) if others else 0.0)
    return nearest


def is_other_number(value: str, other: str) -> bool:
    """Whether another reading has other figures, or a character more beside them: a 1 that touches looks like any."""
    if _digits(value) != _digits(other):
        return True
    beside = (i for i in range(len(other)) if _digits(other[max(i - 1, 0) : i] + other[i + 1 : i + 2]))
    return len(other) == len(value) + 1 and any(other[:i] + other[i + 1 :] == value for i in beside)


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _other(char: str, read: str) -> bool:
    return bool(char.strip()) and standard_form(char).lower() != standard_form(read).lower()
