"""Patterns accept what a regular expression of the same shape accepts."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from docproc.fields.spelling import HAN, Slot
from docproc.read.decoding.pattern import DEAD, START, Pattern

SHAPE = Pattern(
    (Slot("ab", 2, 2), Slot("c", 0, 1), Slot("a", 1, None)),
    (Slot("a"), Slot("bc", 1, 3)),
)
SAME = re.compile("[ab]{2}c?a+|a[bc]{1,3}")


@given(st.text("abc", max_size=9))
@settings(deadline=None)
def test_it_agrees_with_a_regular_expression(text: str) -> None:
    assert SHAPE.matches(text) == bool(SAME.fullmatch(text))


@given(st.text("abc", max_size=9))
@settings(deadline=None)
def test_a_dead_state_has_no_way_back(text: str) -> None:
    state = START
    for i, char in enumerate(text):
        state = SHAPE.step(state, char)
        if state == DEAD:
            assert not any(SAME.fullmatch(text[: i + 1] + rest) for rest in ("", "a", "b", "c", "aa", "ca", "bc"))
            return


def test_an_unlimited_slot_keeps_few_states() -> None:
    pattern = Pattern((Slot(HAN, 2, None),))
    assert len({state for n in range(2, 300) for state in [_walk(pattern, "字" * n)]}) == 1
    assert not pattern.matches("字")


def _walk(pattern: Pattern, text: str) -> int:
    state = START
    for char in text:
        state = pattern.step(state, char)
    return state


def test_han_holds_rare_characters_and_no_others() -> None:
    assert all(char in HAN for char in "一龥㐀𠮷〇")
    assert not any(char in HAN for char in "aア1·，")
