"""The name on a seal is held against the names that an application allows, and nobody is accused on a guess."""

from __future__ import annotations

from dataclasses import replace

import pytest

from docproc.check.check import check, judge_seals
from docproc.check.seal_match import compare_seals
from docproc.domain import ArcCharacter, ArcPlace, Field, PageReading, Seal
from docproc.matter.load import find_matter
from tests.cases import FOOD, TODAY, pages

NAME = "双流区样例竹味面馆"
FIRM = "成都样例锦和餐饮管理有限公司"


def place(at: float, *characters: tuple[str, float], hidden: bool = False) -> ArcPlace:
    """One place of an arc with characters and their posteriors, the same in every rendering."""
    return ArcPlace(at, hidden, tuple(ArcCharacter(char, p, p) for char, p in characters))


def seal(text: str, *instead: ArcPlace, covered: float = 1.0) -> Seal:
    """A seal that reads clearly, but for places put in instead of those at the same position."""
    clear = [place((i + 0.5) / len(text), (char, 0.99)) for i, char in enumerate(text)]
    other = {item.at: item for item in instead}
    return Seal(text, 0.99, (0, 0, 300, 300), "round", covered, tuple(other.get(item.at, item) for item in clear))


def at(text: str, char: str) -> float:
    return (text.index(char) + 0.5) / len(text)


def test_the_same_name_is_the_same_whatever_brackets_and_forms_it_is_written_in() -> None:
    assert compare_seals([seal(NAME)], [NAME]).outcome == "same"
    assert compare_seals([seal(NAME)], [f"{NAME}（个体工商户）"]).outcome == "same"
    assert compare_seals([seal("成都样例锦和餐饮成都有限公司")], ["成都样例锦和餐饮(成都)有限公司"]).outcome == "same"
    assert compare_seals([seal(FIRM)], [NAME, FIRM]).name == FIRM


def test_another_firm_s_name_is_told_with_a_confidence() -> None:
    found = compare_seals([seal("双流区样例香川火锅店")], [NAME])
    assert found.outcome == "differs" and found.confidence > 0.9


def test_one_clear_character_tells_two_names_apart() -> None:
    assert compare_seals([seal(NAME.replace("竹", "云"))], [NAME]).outcome == "differs"


def test_a_character_that_some_rendering_takes_for_the_right_one_accuses_nobody() -> None:
    other = NAME.replace("味", "昧")
    doubtful = place(at(other, "昧"), ("昧", 0.97), ("味", 0.02))
    assert compare_seals([seal(other, doubtful)], [NAME]).outcome == "unreadable"


def test_a_character_under_writing_accuses_nobody() -> None:
    other = NAME.replace("竹", "云")
    covered = place(at(other, "云"), ("云", 0.99), hidden=True)
    assert compare_seals([seal(other, covered)], [NAME]).outcome == "unreadable"


def test_a_seal_of_which_a_part_left_no_ink_is_unreadable() -> None:
    assert compare_seals([seal(NAME[:6], covered=0.7)], [NAME]).outcome == "unreadable"
    assert compare_seals([seal(FIRM[:6], covered=1.0)], [FIRM]).outcome == "differs"


def test_a_character_that_was_not_read_leaves_a_gap_and_accuses_nobody() -> None:
    whole = seal(NAME).places
    gap = replace(seal(NAME), places=whole[:3] + whole[5:])
    assert compare_seals([gap], [NAME]).outcome == "unreadable"


def test_a_blurred_seal_is_unreadable_even_against_another_name() -> None:
    blurred = tuple(place((i + 0.5) / len(NAME), ("口", 0.4), ("日", 0.3)) for i in range(len(NAME)))
    assert compare_seals([replace(seal(NAME), places=blurred)], [FIRM]).outcome == "unreadable"
    assert compare_seals([], [NAME]).outcome == compare_seals(None, [NAME]).outcome == "unreadable"


def test_a_second_seal_with_the_right_name_is_enough() -> None:
    assert compare_seals([seal(FIRM), seal(NAME)], [NAME]).outcome == "same"


def food(seals: tuple[Seal, ...] | None, confidence: float = 0.999, present: str = "present") -> list[PageReading]:
    """A complete application for a food licence, its form sealed."""
    read = pages("food_licence", FOOD, confidence)
    form = read[0]
    stamp = replace(form.fields["stamp"], value=present, seals=seals)
    return [replace(form, fields={**form.fields, "stamp": stamp}), *read[1:]]


def told(readings: list[PageReading]) -> list[tuple[str, bool, str]]:
    result = check(find_matter("food_licence"), readings, TODAY)
    return [(f.severity, f.look, f.message) for f in result.findings if f.code == "G-03"]


def test_the_rule_says_what_the_seal_says_and_asks_a_person_to_settle_it() -> None:
    name = FOOD["application/1"]["name"]
    assert told(food((seal(str(name)),))) == []
    ((severity, look, message),) = told(food((seal(FIRM),)))
    assert severity == "warn" and look and FIRM in message and str(name) in message
    assert check(find_matter("food_licence"), food((seal(FIRM),)), TODAY).verdict == "look"


def test_a_seal_that_cannot_be_read_is_said_to_be_and_is_no_accusation() -> None:
    ((severity, look, message),) = told(food(()))
    assert severity == "warn" and not look and message.startswith("未能识别印章上的名称")
    assert check(find_matter("food_licence"), food(()), TODAY).verdict == "pass"


@pytest.mark.parametrize("seals", [None, ()])
def test_without_a_seal_or_a_look_at_it_the_rule_says_nothing(seals: tuple[Seal, ...] | None) -> None:
    assert told(food(seals, present="" if seals is not None else "present")) == []


def test_a_name_that_may_be_misread_accuses_nobody() -> None:
    readings = food((seal(FIRM),), confidence=0.7)
    ((_, look, message),) = told(readings)
    assert not look and message.startswith("未能识别印章上的名称")
    ((_, found),) = judge_seals(find_matter("food_licence"), readings)
    assert (found.outcome, found.confidence) == ("unreadable", 0.0)


def test_an_alternative_reading_of_the_name_is_believed_before_the_applicant_is_accused() -> None:
    readings = food((seal(FIRM),))
    form = readings[0]
    named: Field = replace(form.fields["name"], alternatives=(FIRM,))
    readings[0] = replace(form, fields={**form.fields, "name": named})
    assert told(readings)[0][1] is False
