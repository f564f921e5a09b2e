"""Snap free text to a lexicon: the words that the matter file names as usual in a field (后厨 for a place).

The lexicon is open. A reading close enough to a word becomes that word, a reading that differs in one character gets a
low confidence, and every other reading is unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from docproc.read.decoding.confidence import LOW, lower_confidence
from docproc.read.decoding.decode import ALTERNATIVES, Decoded, decode
from docproc.read.decoding.grammar import grammar_for
from docproc.read.engine.recogniser import Lattice

MIN_FIT = -1.2
"""Minimum log probability (nats) per character of a matched word; below it, down to the threshold of an enum, the word
is taken with a low confidence."""
MATCH_CONFIDENCE = 0.92
"""Confidence of a matched word: it is well apart from the other words, but a word outside the lexicon is possible."""


def match_lexicon(found: Decoded, line: Lattice, words: Sequence[str]) -> Decoded:
    """Match a line against the lexicon of its field.

    Args:
        found: the line decoded as free text.
        line: its lattice.
        words: the lexicon, in standard characters only.
    """
    if not words or found.value == "":
        return found
    word = decode(line, grammar_for("enum", tuple(words)))
    texts = [text for text in (found.value, *found.alternatives) if text]
    if word.value is not None and texts and len(word.value) == len(texts[0]):  # otherwise the line holds more text
        others = tuple(text for text in texts if text != word.value)[:ALTERNATIVES]
        source: Literal["ocr", "repair"] = "ocr" if word.value == found.value else "repair"
        confidence = MATCH_CONFIDENCE if word.fit >= MIN_FIT else min(word.confidence, LOW)
        return replace(found, value=word.value, confidence=confidence, alternatives=others, source=source)
    near = [text for text in words if found.value and _one_substitution(found.value, text)]
    if near:
        others = tuple(dict.fromkeys([*near, *found.alternatives]))[:ALTERNATIVES]
        return replace(lower_confidence(found), alternatives=others)
    return found


def _one_substitution(text: str, word: str) -> bool:
    """Whether two texts of equal length, at least 2, differ in exactly one character."""
    return len(text) == len(word) > 1 and sum(a != b for a, b in zip(text, word, strict=True)) == 1
