"""Text for which the matter knows what people mostly write: 后厨 for a place, 配偶 for a relative.

The words are no closed list. A reading that comes near one of them is taken for it, and what is one character away from
one is doubted; everything else stays what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from docproc.read.decoding.decode import ALTERNATIVES, Decoded, decode
from docproc.read.decoding.grammar import grammar_for
from docproc.read.engine.recogniser import Lattice
from docproc.read.free.uncertainty import DOUBT, doubted

CLEAR = -1.2
"""Least log probability (nats) a character at which a word counts as read; down to the limit of a choice it is shown
and doubted."""
TRUST = 0.92
"""Confidence of a word that was read: it stands out from all others, but another one may have been written."""


def take_usual(found: Decoded, line: Lattice, words: Sequence[str]) -> Decoded:
    """Read a line with the words in mind that usually stand in its field.

    Args:
        found: the line as free text.
        line: its lattice.
        words: what people mostly write there, standard characters only.
    """
    if not words or found.value == "":
        return found
    word = decode(line, grammar_for("enum", tuple(words)))
    texts = [text for text in (found.value, *found.alternatives) if text]
    if word.value is not None and texts and len(word.value) == len(texts[0]):  # else more was written than the word
        others = tuple(text for text in texts if text != word.value)[:ALTERNATIVES]
        source: Literal["ocr", "repair"] = "ocr" if word.value == found.value else "repair"
        confidence = TRUST if word.fit >= CLEAR else min(word.confidence, DOUBT)
        return replace(found, value=word.value, confidence=confidence, alternatives=others, source=source)
    near = [text for text in words if found.value and _one_away(found.value, text)]
    if near:
        others = tuple(dict.fromkeys([*near, *found.alternatives]))[:ALTERNATIVES]
        return replace(doubted(found), alternatives=others)
    return found


def _one_away(text: str, word: str) -> bool:
    """Whether one of several characters differs."""
    return len(text) == len(word) > 1 and sum(a != b for a, b in zip(text, word, strict=True)) == 1
