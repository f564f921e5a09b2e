from __future__ import annotations

from dataclasses import replace

import pytest

from docproc.bench.read import Item, is_label, plain, printed
from docproc.domain import Field
from docproc.matter.load import find_matter
from docproc.read.decoding.glyphs import Glyph
from docproc.read.free.key_value import Segment, Value
from docproc.read.free.labels import Label
from docproc.read.free.uncertainty import check_completeness

SIZE = 20.0


def segment(text: str, x: float, y: float) -> Segment:
    """Square characters side by side, ``x`` and ``y`` in character sizes."""
    glyphs = [Glyph(c, c, (x + i + 0.5) * SIZE, y * SIZE, SIZE, 1.0, 0, i, 0.0) for i, c in enumerate(text)]
    return Segment(tuple(glyphs), 0)


def value_of(*lines: Segment, open_end: bool = False) -> Value:
    label = Label("scope", "经营范围", 0, 0, 4, 0.0, 4 * SIZE, 0.0, SIZE, 4.0, open_end)
    return Value(label, [[line] for line in lines])


def confidence(kind: str, text: str, value: Value, *loose: Segment) -> float:
    return check_completeness(kind, Field("field", text, text, 0.99, None, 1), value, loose).confidence


def test_a_value_with_print_of_nobody_right_below_it_may_go_on() -> None:
    value = value_of(segment("食品销售", 6, 0))
    assert confidence("scope", "食品销售", value, segment("日用百货销售", 6, 2)) <= 0.5
    assert confidence("scope", "食品销售", value, segment("日用百货销售", 6, 9)) == 0.99, "far below"
    assert confidence("scope", "食品销售", value, segment("日用百货销售", 30, 1.5)) == 0.99, "another column"


def test_a_short_name_does_not_go_on_in_the_sentence_below() -> None:
    sentence = segment("甲乙双方在平等自愿的基础上就房屋租赁事宜订立本合同", 2, 2)
    assert confidence("text", "某某某", value_of(segment("某某某", 6, 0)), sentence) == 0.99
    full = segment("某某省某某市某某区某某街道某某路一二三四号", 6, 0)
    assert confidence("text", "某", value_of(full), sentence) <= 0.5, "its line is full"
    below = segment("日用百货服装鞋帽五金交电零售", 6, 2)
    assert confidence("scope", "食品", value_of(segment("食品", 6, 0)), below) <= 0.5, "a list"


def test_a_value_with_print_of_nobody_right_behind_it_may_go_on() -> None:
    value = value_of(segment("成都市长城路", 6, 0))
    assert confidence("address", "成都市长城路", value, segment("八栋", 15, 0)) <= 0.5
    lines = value_of(segment("许可项目餐饮服务食品销售依法须经批准的项目", 6, 0), segment("方可开展经营活动", 6, 1.2))
    assert confidence("scope", "许可", lines, segment("外卖递送", 14.5, 1.2)) <= 0.5, "a line that is not the longest"


def test_a_value_whose_first_character_its_label_may_have_taken_is_doubted() -> None:
    line = segment("娜达", 6, 0)
    assert confidence("person_name", "娜达", value_of(line)) == 0.99
    assert confidence("person_name", "娜达", value_of(line, open_end=True)) <= 0.5


@pytest.mark.parametrize(("size", "sure"), [(12.0, False), (16.0, True)])
@pytest.mark.parametrize("kind", ["address", "scope", "text", "person_name"])
def test_text_too_small_to_tell_look_alikes_apart_is_doubted(kind: str, size: float, sure: bool) -> None:
    line = segment("样例舍镇", 6, 0)
    small = Segment(tuple(replace(glyph, h=size) for glyph in line.glyphs), 0)
    assert (confidence(kind, "样例舍镇", value_of(small)) == 0.99) == sure


def test_a_number_is_not_doubted_for_its_size() -> None:
    line = segment("91350100M000100Y43", 6, 0)
    small = Segment(tuple(replace(glyph, h=10.0) for glyph in line.glyphs), 0)
    assert confidence("uscc", "91350100M000100Y43", value_of(small)) == 0.99


@pytest.mark.parametrize(
    ("kind", "text", "whole"),
    [
        ("cn_name", "样例餐饮有限公司", True),
        ("cn_name", "样例餐饮有限公司自动售货", False),
        ("person_name", "欧阳样例", True),
        ("person_name", "样例经营者名", False),
        ("person_name", "阿依古丽·样例", True),
        ("person_name", "SAMPLE PERSON", True),
    ],
)
def test_a_name_that_took_in_other_print_is_doubted(kind: str, text: str, whole: bool) -> None:
    assert (confidence(kind, text, value_of(segment(text, 6, 0))) == 0.99) == whole


@pytest.mark.parametrize(
    ("kind", "text", "good"),
    [
        ("amount", "伍佰万元整", True),
        ("amount", "伍佰万元整伍佰万元整", False),
        ("uscc", "91350100M000100Y43", True),
        ("uscc", "9135O100M000100Y43", False),
        ("date", "2014年10月21日", True),
        ("date", "201410月21日", False),
        (None, "anything", False),
    ],
)
def test_labels_that_their_type_refuses_are_no_truth(kind: str | None, text: str, good: bool) -> None:
    assert is_label(kind, text) == good


def test_a_peer_has_read_a_value_however_the_paper_prints_it() -> None:
    raw = {"registered_capital": "叁佰万元整", "term": "2020年1月2日至2040年1月1日"}
    item = Item(b"", find_matter("food_licence"), "bizlic", {}, {}, raw)
    assert plain("叁佰万元整") in printed(item, "registered_capital", "3000000")
    assert {"2020年1月2日至2040年1月1日", "2020年01月02日起至2040年01月01日"} <= set(
        printed(item, "term", "2020-01-02/2040-01-01")
    )
    assert {"20200102", "2020年1月2日"} <= set(printed(item, "established_on", "2020-01-02"))
    assert printed(item, "term", "长期")[-1] == "长期"
