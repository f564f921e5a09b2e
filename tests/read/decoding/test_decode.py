"""Decoding under a grammar: what is written survives, what the type forbids never comes out, doubt is said."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from docproc.fields import VALIDATORS, cid_check_digit, mod11_10, org_check_digit, rmb_capitals, uscc_check_digit
from docproc.fields.check_digits import DIGITS, USCC_ALPHABET
from docproc.read.decoding.confusions import CONFUSABLE, check_confusions, strongest_confusion
from docproc.read.decoding.decode import Decoded, decode, decode_cells
from docproc.read.decoding.glyphs import greedy_steps_merged
from docproc.read.decoding.grammar import GRAMMARS, grammar_for
from docproc.read.engine.recogniser import Lattice, greedy
from tests.read.lattices import Step, lattice, written

TODAY = date(2099, 12, 31)
UNHURRIED = settings(deadline=None, max_examples=60)
"""The machine may be busy; how long one example takes proves nothing."""


days = st.dates(date(1900, 1, 1), date(2099, 12, 31))
digit_strings = st.text(DIGITS, min_size=1, max_size=8)


@st.composite
def cids(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1900, 1, 1), date(2020, 12, 31)))
    region = draw(st.sampled_from(["110101", "320594", "510116"]))
    body = f"{region}{born:%Y%m%d}{draw(st.integers(0, 999)):03d}"
    return body + cid_check_digit(body)


@st.composite
def usccs(draw: st.DrawFn) -> str:
    inner = draw(st.text(USCC_ALPHABET, min_size=8, max_size=8))
    body = "91320594" + inner + org_check_digit(inner)
    if body[16] not in USCC_ALPHABET:
        body = "91320594" + "MA1MXKYN" + org_check_digit("MA1MXKYN")
    return body + uscc_check_digit(body)


@st.composite
def licences(draw: st.DrawFn) -> str:
    body = "1320594" + f"{draw(st.integers(0, 999999)):06d}"
    return draw(st.sampled_from(["JY", "SC", "YB"])) + body + mod11_10(body)


@given(cids())
@UNHURRIED
def test_a_clean_identity_number_survives(number: str) -> None:
    read = decode(lattice(written(number)), grammar_for("cid"))
    assert (read.value, read.source) == (number, "ocr")
    assert read.confidence > 0.9


@given(usccs())
@UNHURRIED
def test_a_clean_credit_code_survives(code: str) -> None:
    assert decode(lattice(written(code)), grammar_for("uscc")).value == code


@given(licences())
@UNHURRIED
def test_a_clean_licence_number_survives(number: str) -> None:
    assert decode(lattice(written(number)), grammar_for("food_licence_no")).value == number


@given(
    days, st.sampled_from(["{0.year}年{0.month}月{0.day}日", "{0:%Y-%m-%d}", "{0:%Y}.{0.month}.{0.day}", "{0:%Y%m%d}"])
)
@UNHURRIED
def test_a_clean_date_survives_in_every_writing(day: date, form: str) -> None:
    assert decode(lattice(written(form.format(day))), grammar_for("date")).value == day.isoformat()


@given(st.integers(0, 10**10))
@UNHURRIED
def test_clean_amounts_survive_in_capitals_and_figures(fen: int) -> None:
    amount = Decimal(fen) / 100
    plain = format(amount.normalize(), "f")
    for text in (rmb_capitals(amount), f"{amount:.2f}元"):
        assert decode(lattice(written(text)), grammar_for("amount")).value == plain


@given(digit_strings)
@UNHURRIED
def test_clean_whole_numbers_survive(text: str) -> None:
    assert decode(lattice(written(text)), grammar_for("int")).value == str(int(text))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("mobile", "138 0013 8000", "13800138000"),
        ("phone", "(0512)62885555", "0512-62885555"),
        ("phone", "010-62885555-203", "010-62885555-203"),
        ("post_code", "215028", "215028"),
        ("digits:4", "0731", "0731"),
        ("date", "二〇二六年十一月廿三日", "2026-11-23"),
        ("period", "2026年11月23日至2031年11月22日", "2026-11-23/2031-11-22"),
        ("period", "2020.06.05-长期", "2020-06-05/长期"),
        ("amount", "壹佰萬圓整", "1000000"),
        ("amount", "100万元", "1000000"),
        ("number", "1,280.5平方米", "1280.5"),
        ("person_name", "東樣国", "东样国"),
        ("person_name", "阿依古丽·测试", "阿依古丽·测试"),
        ("cn_name", "苏州试验（集团）餐厅", "苏州试验(集团)餐厅"),
        ("address", "江苏省苏州市工业园区星湖街1号2幢301室", "江苏省苏州市工业园区星湖街1号2幢301室"),
        ("text", "见 no 7 remark", "见no 7 remark"),
        ("sex", "女", "女"),
        ("ethnicity", "汉族", "汉"),
    ],
)
def test_each_type_reads_its_usual_writing(kind: str, text: str, value: str) -> None:
    read = decode(lattice(written(text)), grammar_for(kind))
    assert (read.value, read.raw) == (value, text)


@pytest.mark.parametrize(
    ("kind", "steps", "value"),
    [
        ("scope", [*written("食品销售"), {";": 0.5, ":": 0.5}, *written("餐饮服务")], "食品销售"),
        ("cn_name", [*written("双流区样例"), {"悦": 0.5, "悅": 0.5}, *written("小吃店")], "双流区样例悦小吃店"),
        ("person_name", [{"肖": 0.4, "阿": 0.5}, *written("建义")], "肖建义"),
        ("address", [*written("四川省成都市双流区金河路"), {"[": 0.6, "1": 0.3}, *written("28号")], "金河路128号"),
    ],
)
def test_what_text_usually_says_decides_between_readings_that_come_close(
    kind: str, steps: list[Step], value: str
) -> None:
    read = decode(lattice(steps), grammar_for(kind))
    assert value in (read.value or read.alternatives[0])


noise = st.dictionaries(st.sampled_from([*DIGITS, *"XOlI|年月日-元万汉张 "]), st.floats(0.001, 1.0), max_size=6)


@given(st.lists(noise, min_size=1, max_size=24), st.sampled_from(sorted(VALIDATORS.keys() & GRAMMARS.keys())))
@settings(deadline=None, max_examples=300)
def test_nothing_inadmissible_ever_comes_out(steps: list[Step], kind: str) -> None:
    total = [sum(step.values()) or 1.0 for step in steps]
    lat = lattice([{char: p / max(t, 1.0) for char, p in step.items()} for step, t in zip(steps, total, strict=True)])
    read = decode(lat, grammar_for(kind))
    for value in (read.value, *read.alternatives):
        if value:
            assert VALIDATORS[kind](value, today=TODAY).ok or kind in ("cn_name", "address", "scope", "text", "phone")
    assert 0.0 <= read.confidence <= 1.0


@given(cids(), st.integers(0, 17), st.sampled_from("23456789"))
@UNHURRIED
def test_a_confused_digit_is_mended_or_left_open(number: str, place: int, other: str) -> None:
    steps = written(number)
    if other == number[place]:
        return
    steps[place] = {other: 0.6, number[place]: 0.39}
    read = decode(lattice(steps), grammar_for("cid"))
    assert read.value in (number, None)
    assert number in (read.value, *read.alternatives)


@given(cids(), st.integers(0, 16))
@UNHURRIED
def test_a_number_that_was_written_wrong_is_not_mended_in_silence(number: str, place: int) -> None:
    wrong = str((int(number[place]) + 1) % 10)
    steps = written(number)
    steps[place] = {wrong: 0.999, number[place]: 0.0005}
    assert decode(lattice(steps), grammar_for("cid")).value is None


def test_a_mended_number_says_so() -> None:
    number = "11010519491231002X"
    steps = written(number)
    steps[3] = {"7": 0.55, "1": 0.44}
    read = decode(lattice(steps), grammar_for("cid"))
    assert (read.value, read.source) == (number, "repair")
    assert read.raw == number[:3] + "7" + number[4:]


def test_look_alikes_are_read_as_digits_and_raw_keeps_them() -> None:
    read = decode(lattice(written("|lOIO5l949|23lOO2x")), grammar_for("cid"))
    assert (read.value, read.raw) == ("11010519491231002X", "|lOIO5l949|23lOO2x")


@pytest.mark.parametrize("text", ["年月日", "2026年月日", "2026年13月1日", "2026年2月30日", "见附件", "2026年11月"])
def test_an_unfinished_or_impossible_date_is_left_open(text: str) -> None:
    assert decode(lattice(written(text)), grammar_for("date")).value is None


def test_two_equal_readings_are_left_open_with_both_shown() -> None:
    steps = written("13800138000")
    steps[5] = {"1": 0.5, "7": 0.49}
    read = decode(lattice(steps), grammar_for("mobile"))
    assert read.value is None
    assert set(read.alternatives) == {"13800138000", "13800738000"}
    assert read.margin < 0.1


def test_a_doubtful_yen_sign_is_left_open() -> None:
    steps = written("42830.50")
    steps[0] = {"4": 0.7, "¥": 0.2}
    assert decode(lattice(steps), grammar_for("amount")).value is None
    assert decode(lattice(written("4500万元")), grammar_for("amount")).value == "45000000"


def test_a_unit_that_cannot_be_read_leaves_the_amount_open() -> None:
    assert decode(lattice(written("100茶元")), grammar_for("amount")).value is None


def test_an_option_is_found_despite_a_wrong_character() -> None:
    options = ["热食类食品制售", "冷食类食品制售", "糕点类食品制售"]
    steps = written("熱食类食品制售")
    steps[0] = {"熱": 0.9, "热": 0.08, "冷": 0.0005}
    assert decode(lattice(steps), grammar_for("enum", options)).value == options[0]
    steps[0] = {"热": 0.4, "冷": 0.4}
    assert decode(lattice(steps), grammar_for("enum", options)).value is None


def test_the_known_ending_of_a_firm_weighs_more_than_an_odd_one() -> None:
    steps = written("成都试验科技有限工司")
    steps[8] = {"工": 0.55, "公": 0.44}
    assert decode(lattice(steps), grammar_for("cn_name")).value == "成都试验科技有限公司"


def test_an_empty_crop_is_blank() -> None:
    read = decode(lattice([{}, {}, {}]), grammar_for("cid"))
    assert (read.value, read.raw) == ("", "")
    assert read.confidence > 0.99


@given(days)
@UNHURRIED
def test_cells_are_read_as_one_row(day: date) -> None:
    cells = [lattice([{}, {char: 0.97, "|": 0.02}, {}]) for char in f"{day:%Y%m%d}"]
    read = decode_cells(cells, grammar_for("date"))
    assert (read.value, read.raw) == (day.isoformat(), f"{day:%Y%m%d}")


def test_partly_empty_cells_are_left_open() -> None:
    cells = [lattice([{char: 0.97}]) if char else lattice([{}]) for char in ["2", "0", "2", "6", "", "", "", ""]]
    assert decode_cells(cells, grammar_for("date")).value is None


def test_a_character_spread_over_steps_of_a_cell_counts_once() -> None:
    cell = Lattice(
        np.array([[0.1, 0.9], [0.1, 0.9], [1.0, 0.0]], dtype=np.float32), np.arange(2, dtype=np.int32), ("", "7"), 1
    )
    assert decode_cells([cell] * 4, grammar_for("digits:4")).value == "7777"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("person_name", "漢偉", "汉伟"),
        ("cn_name", "海鮮小廚餐飲店", "海鲜小厨餐饮店"),
        ("ethnicity", "漢", "汉"),
        ("text", "后廚", "后厨"),
        ("address", "成都市雙流區長廚路8號", "成都市双流区长厨路8号"),
    ],
)
def test_traditional_characters_are_read_as_the_standard_ones(kind: str, text: str, value: str) -> None:
    read = decode(lattice(written(text)), grammar_for(kind))
    assert read.value == value
    assert read.raw == text


WIDE = str.maketrans("():;,-", "（）：；，－")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("cn_name", "成都高新区某某小吃店(个体工商户)"),
        ("address", "成都市高新区天府大道8号(南楼)-3,4层"),
        ("scope", "许可项目:餐饮服务;食品销售(仅销售预包装食品)"),
        ("text", "有限责任公司(自然人投资或控股)"),
    ],
)
def test_a_mark_that_is_shared_among_its_wide_and_its_narrow_form_counts_whole(kind: str, text: str) -> None:
    """Print does not tell the two forms apart, and neither does the value."""
    steps = [{char: 0.995} if (wide := char.translate(WIDE)) == char else {char: 0.5, wide: 0.495} for char in text]
    shared, grammar = lattice(steps), grammar_for(kind)
    read, clear = decode(shared, grammar), decode(lattice(written(text)), grammar)
    assert read.value == text and read.confidence == pytest.approx(clear.confidence, abs=0.01)
    assert min(score for *_, score in greedy_steps_merged(shared)) > 0.98


@pytest.mark.parametrize("text", ["二0一0年八月五日", "二〇一O年八月五日", "2010年8月5日"])
def test_a_year_in_numerals_may_hold_a_nought_as_a_figure(text: str) -> None:
    assert decode(lattice(written(text)), grammar_for("date")).value == "2010-08-05"


def test_a_term_in_numerals_is_read() -> None:
    read = decode(lattice(written("自二0一0年一月二十九日至二〇二〇年一月二十八日")), grammar_for("period"))
    assert read.value == "2010-01-29/2020-01-28"


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no grammar for fields of type 'colour'.*uscc"):
        grammar_for("colour")
    with pytest.raises(ValueError, match="options"):
        grammar_for("enum")


def test_wrong_readings_are_rarely_sure_when_every_digit_is_unsure() -> None:
    """Each digit has a rival that is likelier one time in twenty; of 300 numbers none may be wrong and sure."""
    source = random.Random(20261123)
    wrong = right = 0
    for _ in range(300):
        body = (
            "320594"
            + f"{date(1950, 1, 1) + timedelta(source.randrange(20000)):%Y%m%d}"
            + f"{source.randrange(1000):03d}"
        )
        number = body + cid_check_digit(body)
        steps = []
        for char in number:
            rival = source.choice([d for d in DIGITS if d != char])
            p = source.uniform(0.3, 0.5) if source.random() < 0.05 else source.uniform(0.85, 0.99)
            steps.append({char: p, rival: 0.99 - p})
        value = decode(lattice(steps), grammar_for("cid")).value
        right += value == number
        wrong += value not in (number, None)
    assert wrong <= 1
    assert right >= 200


@pytest.mark.parametrize(
    ("step", "doubted"),
    [
        ({"牛": 0.78, "午": 0.2}, True),
        ({"牛": 0.97, "午": 0.01}, False),
        ({"1": 0.8, "7": 0.19}, True),
        ({"说": 0.7, "說": 0.29}, False),
        ({";": 0.6, "；": 0.39}, False),
        ({"牛": 0.6}, False),
    ],
)
def test_free_text_is_doubted_where_another_character_may_stand(step: Step, doubted: bool) -> None:
    line = lattice([*written("成都市"), step, *written("镇街")])
    assert (strongest_confusion(line) >= CONFUSABLE) == doubted
    found = check_confusions(Decoded("成都市牛镇街", "成都市牛镇街", 0.93), [lattice(written("四川")), line])
    assert found.value == "成都市牛镇街", "doubted, not thrown away"
    assert (found.confidence <= 0.5) == doubted


def test_text_of_no_steps_has_no_rival() -> None:
    empty = lattice([])
    assert strongest_confusion(empty) == 0.0
    assert check_confusions(Decoded("样例", "样例", 0.93), []).confidence == 0.93


def test_greedy_joins_repeats_and_drops_blanks() -> None:
    rows = np.array([[0.1, 0.9, 0], [0.2, 0.8, 0], [0.9, 0, 0.1], [0.1, 0.9, 0], [0, 0.3, 0.7]], dtype=np.float32)
    text, confidence = greedy(Lattice(rows, np.arange(3, dtype=np.int32), ("", "a", "b"), 1.0))
    assert text == "aab"
    assert confidence == pytest.approx((0.9 + 0.9 + 0.7) / 3)


@given(cids(), st.integers(0, 9), st.sampled_from([0.97, 0.999]))
@example("11010119370302000X", 4, 0.999)
@UNHURRIED
def test_a_wrong_check_digit_that_stands_there_clearly_is_told_and_never_mended(
    number: str, digit: int, p: float
) -> None:
    wrong = number[:17] + str(digit)
    if wrong == number:
        return
    found = decode_cells([lattice([step]) for step in written(wrong, p)], grammar_for("cid"))
    assert found.value is None
    a_badly_written_x = number[17] == "X" and digit == 4  # then the number may be right, and only a person can tell
    assert found.written == (wrong if p > 0.99 and not a_badly_written_x else "")


@given(cids(), st.integers(0, 16))
@UNHURRIED
def test_a_number_with_one_doubtful_cell_is_not_taken_for_written_wrong(number: str, place: int) -> None:
    other = str((int(number[place]) + 1) % 10)
    steps = written(number, 0.999)
    steps[place] = {other: 0.9, number[place]: 0.01}
    found = decode_cells([lattice([step]) for step in steps], grammar_for("cid"))
    assert found.written == ""
