"""Confusable characters: what may have been written where the recogniser reads a character.

Types combine these tables with their own: a credit code has no letter O, so an O in it is a 0.
"""

from __future__ import annotations

from collections.abc import Mapping

Confusions = Mapping[str, tuple[tuple[str, float], ...]]
"""Character read -> characters that may have been written, each with its share of the posterior."""


def shares(**groups: str) -> dict[str, tuple[tuple[str, float], ...]]:
    """Build shares from ``_1="|l"``: | and l stand for 1; a character named twice is shared equally."""
    targets: dict[str, str] = {}
    for target, chars in groups.items():
        for char in chars:
            targets[char] = targets.get(char, "") + target.removeprefix("_")
    return {char: tuple((t, 1 / len(found)) for t in found) for char, found in targets.items()}


def seconds(share: float, **groups: str) -> dict[str, tuple[tuple[str, float], ...]]:
    """As :func:`shares`, but each target gets the same small share, beside the character unchanged."""
    return {char: tuple((t, share) for t, _ in found) for char, found in shares(**groups).items()}


def capitals(alphabet: str) -> dict[str, tuple[tuple[str, float], ...]]:
    """Lower-case letters stand for the capitals of the alphabet."""
    return {char.lower(): ((char, 1.0),) for char in alphabet if char.isalpha()}


# What PP-OCRv6 small and tiny read for handwritten digits, observed on the generated lines.
DIGIT_CONFUSIONS = shares(
    _0="OoDQ〇○口Ccae",
    _1="|lIi!丨｜[]LJtf\\丿亅」「¦",
    _2="Zz乙之",
    _3="Eヨ",
    _4="AYyHh",
    _5="Ss$",
    _6="Gba",
    _7="Tつワ",
    _8="B&eR",
    _9="gqPp",
)
