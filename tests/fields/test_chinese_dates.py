"""Every way to write a date or a term, and nothing that is not one."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.fields import cn_int, is_long, parse_cn_date, parse_period, validate

TODAY = date(2026, 11, 23)
DAY = date(2026, 11, 22)
dates = st.dates(date(1800, 1, 1), date(2299, 12, 31))


def spoken(number: int, digits: str = "零一二三四五六七八九", ten: str = "十") -> str:
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else ten if tens == 1 else digits[tens] + ten) + (digits[ones] if ones or not tens else "")


def everyday(day: date, zero: str = "〇") -> str:
    year = "".join((zero + "一二三四五六七八九")[int(char)] for char in f"{day.year:04d}")
    return f"{year}年{spoken(day.month)}月{spoken(day.day)}日"


def cheque(day: date) -> str:
    digits = "零壹贰叁肆伍陆柒捌玖"

    year = "".join(digits[int(char)] for char in f"{day.year:04d}")
    month, number = spoken(day.month, digits, "拾"), spoken(day.day, digits, "拾")
    return f"{year}年零{month}月零{number}日"


@given(dates)
def test_every_date_comes_back_from_numerals(day: date) -> None:
    for zero in "〇零○O":
        assert parse_cn_date(everyday(day, zero)) == day
    assert parse_cn_date(cheque(day)) == day
    assert parse_cn_date(everyday(day).replace("二十", "廿").replace("三十", "卅")) == day


@given(
    dates,
    st.sampled_from(
        ["{:%Y-%m-%d}", "{:%Y/%m/%d}", "{:%Y.%m.%d}", "{:%Y%m%d}", "{:%Y年%m月%d日}", " {:%Y 年 %m 月 %d 日}"]
    ),
)
def test_every_date_comes_back_from_digits(day: date, form: str) -> None:
    text = form.format(day)
    assert parse_cn_date(text) == day
    full_width = "".join(chr(ord(char) + 0xFEE0) if char in "0123456789-/." else char for char in text)
    assert parse_cn_date(full_width) == day


@pytest.mark.parametrize(
    "text",
    [
        "二〇二六年十一月二十二日",
        "二○二六年十一月廿二日",
        "二０二六年十一月二十二日",
        "2026年11月22日",
        "2026年十一月22日",
        "贰零贰陆年壹拾壹月贰拾贰日",
        "贰零贰陆年零壹拾壹月零贰拾贰日",
        "２０２６年１１月２２日",
        "二零二六年一一月二二日",
        "两千零二十六年十一月二十二日",
        "2026年11月22号",
        "2O26年11月22日",
        "公元2026年11月22日",
    ],
)
def test_writings_of_one_day(text: str) -> None:
    assert parse_cn_date(text) == DAY


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-30",
        "二〇二六年二月三十日",
        "二〇二六年十三月一日",
        "26年11月22日",
        "2026年11月",
        "2026年",
        "11月22日",
        "2026年0月1日",
        "2026年1月0日",
        "2026年11月22日23日",
        "二〇二六年十一月二十二十日",
        "二〇二六年十十月一日",
        "1799-12-31",
        "",
        "长期",
    ],
)
def test_what_is_no_whole_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_cn_date(text)
    assert not validate("date", text, today=TODAY).ok


@given(dates, dates)
def test_terms_come_back_and_must_not_end_before_they_start(one: date, other: date) -> None:
    start, end = min(one, other), max(one, other)
    for form in (
        "自{:%Y年%m月%d日}至{:%Y年%m月%d日}",
        "{:%Y.%m.%d}-{:%Y.%m.%d}",
        "{:%Y-%m-%d}—{:%Y-%m-%d}",
        "{:%Y-%m-%d}/{:%Y-%m-%d}",
    ):
        assert parse_period(form.format(start, end)) == (start, end)
        if start != end:
            with pytest.raises(ValueError, match="ends before"):
                parse_period(form.format(end, start))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("长期", "长期"),
        ("无固定期限", "长期"),
        ("2020年01月01日至长期", "2020-01-01/长期"),
        ("2020.01.01-长期", "2020-01-01/长期"),
        ("自2020年1月1日起至2040年1月1日止", "2020-01-01/2040-01-01"),
        ("二〇二〇年一月一日到二〇四〇年一月一日", "2020-01-01/2040-01-01"),
        ("20200101-20400101", "2020-01-01/2040-01-01"),
        ("营业期限：2020年1月1日至2040年1月1日", "2020-01-01/2040-01-01"),
        ("至长期", "长期"),
        ("2020年01月01日至******", "2020-01-01/长期"),
    ],
)
def test_terms_have_one_normal_form(text: str, value: str) -> None:
    for kind in ("period", "date_range"):
        checked = validate(kind, text, today=TODAY)
        assert (checked.ok, checked.value) == (True, value)
        assert validate(kind, value, today=TODAY).value == value


@pytest.mark.parametrize("text", ["2020年01月01日至   年  月  日", "自2020年1月1日至——", "2020年1月1日至"])
def test_an_end_left_blank_is_not_taken_as_endless(text: str) -> None:
    checked = validate("period", text, today=TODAY)
    assert (checked.ok, checked.severity) == (False, "warn")
    assert "没有写明截止日期" in checked.problem
    assert validate("period", "30年", today=TODAY).severity == "fix"


@pytest.mark.parametrize("text", ["2020-01-01", "至2020-01-01", "2020-01-01至", "30年", "2020-02-30至2030-01-01"])
def test_what_is_no_term_is_refused(text: str) -> None:
    assert not validate("period", text, today=TODAY).ok


def test_endless_is_said_in_many_words() -> None:
    assert all(is_long(text) for text in ("长期", "永久", "长期有效", "无固定期限", "不约定期限"))
    assert not is_long("2030-01-01")
    assert validate("date_or_long", "长期有效", today=TODAY).value == "长期"
    assert validate("date_or_long", "2030.1.1", today=TODAY).value == "2030-01-01"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("零", 0),
        ("十", 10),
        ("二十五", 25),
        ("一百零五", 105),
        ("一万零五", 10005),
        ("三千万", 30_000_000),
        ("两亿五千万", 250_000_000),
        ("一万亿", 10**12),
        ("贰佰壹拾", 210),
        ("二〇二六", 2026),
    ],
)
def test_whole_numbers(text: str, number: int) -> None:
    assert cn_int(text) == number


@pytest.mark.parametrize("text", ["", "百", "万", "亿", "十百", "二三十", "一万万", "万五", "一亿亿", "十十", "甲"])
def test_what_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cn_int(text)
