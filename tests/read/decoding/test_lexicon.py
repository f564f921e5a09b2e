"""What people mostly write in a field helps to read it, and never stands in for what they wrote."""

from __future__ import annotations

import pytest

from docproc.check.check import LOOK
from docproc.read.decoding.decode import decode
from docproc.read.decoding.grammar import grammar_for
from docproc.read.decoding.lexicon import match_lexicon
from tests.read.lattices import Step, lattice, written

PLACES = ("后厨", "备餐间", "洗消间", "仓库")


def take(steps: list[Step]) -> tuple[str | None, float, str, tuple[str, ...]]:
    line = lattice(steps)
    found = match_lexicon(decode(line, grammar_for("text")), line, PLACES)
    return found.value, found.confidence, found.source, found.alternatives


def test_a_word_that_comes_near_is_taken_for_what_was_written() -> None:
    value, confidence, source, others = take([*written("后"), {"府": 0.5, "厨": 0.4}])
    assert (value, source) == ("后厨", "repair")
    assert confidence >= LOOK
    assert "后府" in others


def test_a_word_that_hardly_comes_near_is_shown_and_doubted() -> None:
    value, confidence, source, _ = take([*written("后"), {"府": 0.9, "厨": 0.03}])
    assert (value, source) == ("后厨", "repair")
    assert confidence < LOOK


@pytest.mark.parametrize("text", ["阳台", "后厨左侧", "大备餐间", "二楼包间"])
def test_what_is_written_clearly_stays_though_it_is_not_usual(text: str) -> None:
    value, confidence, source, _ = take(written(text))
    assert (value, source) == (text, "ocr")
    assert confidence >= LOOK


def test_what_is_one_character_away_from_a_usual_word_is_doubted() -> None:
    value, confidence, _, others = take(written("后院"))
    assert value == "后院"
    assert confidence < LOOK and others[0] == "后厨"


def test_words_that_come_equally_near_leave_it_open() -> None:
    value, confidence, _, _ = take([{"备": 0.3, "洗": 0.3}, {"餐": 0.3, "消": 0.3}, *written("间")])
    assert value is None or confidence < LOOK


def test_a_usual_word_in_another_script_is_the_same_word() -> None:
    assert take(written("備餐間"))[0] == "备餐间"
