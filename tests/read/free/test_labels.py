"""Printed labels: where they end, also where one of their characters was not read."""

from __future__ import annotations

import pytest

from docproc.read.decoding.glyphs import Glyph
from docproc.read.free.labels import Label, find_labels

SIZE = 20.0
ANCHOR = "法定代表人(负责人)"


def row_of(*lines: tuple[str, float]) -> list[Glyph]:
    """Square characters in lines that stand in one row: text and place of the first, in character sizes."""
    return [
        Glyph(char, char, (x + at + 0.5) * SIZE, 0.0, SIZE, 0.99, number, at)
        for number, (text, x) in enumerate(lines)
        for at, char in enumerate(text)
    ]


def found(*lines: tuple[str, float]) -> tuple[Label, str]:
    """The label, and what stands behind it."""
    row = row_of(*lines)
    (label,) = (hit for hit in find_labels([row], [("legal_rep", ANCHOR)]) if hit.key)
    return label, "".join(glyph.char for glyph in row[label.end :])


@pytest.mark.parametrize(
    "lines",
    [
        [("法定代表人(负责人", 0), ("沈样例", 9.2)],  # close by, in a line of its own
        [("法定代表人(负责人沈样例", 0)],  # in one line: no bracket looks like a character
        [("法定代表人(负责人)", 0), ("沈样例", 12)],
        [("法定代表人(负责入>", 0), ("沈样例", 12)],
    ],
)
def test_a_label_takes_no_character_of_the_value_behind_it(lines: list[tuple[str, float]]) -> None:
    label, behind = found(*lines)
    assert behind == "沈样例"
    assert not label.open_end


def test_a_label_whose_last_character_may_belong_to_the_value_is_marked() -> None:
    row = row_of(("统一社会信用代9样例", 0))
    (label,) = (hit for hit in find_labels([row], [("uscc", "统一社会信用代码")]) if hit.key)
    assert label.open_end
