"""Amounts in capitals and in figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.fields import parse_amount, parse_rmb, rmb_capitals, validate

TODAY = date(2026, 11, 23)
amounts = st.one_of(
    st.decimals(0, 10**16 - 1, places=2),
    st.builds(lambda digit, power: Decimal(digit) * 10**power / 100, st.integers(0, 10**4), st.integers(0, 13)),
)


@given(amounts)
def test_every_amount_comes_back_from_capitals(amount: Decimal) -> None:
    written = rmb_capitals(amount)
    assert parse_rmb(written) == amount
    assert parse_rmb(written.replace("整", "正").replace("元", "圆")) == amount
    assert parse_amount(f"人民币{written}（￥{amount:,.2f}）") == (amount, "")


@given(amounts)
def test_a_missing_zero_or_a_doubled_word_is_refused(amount: Decimal) -> None:
    written = rmb_capitals(amount)
    for place, char in enumerate(written):
        if char == "零":
            with pytest.raises(ValueError, match=r"."):
                parse_rmb(written[:place] + written[place + 1 :])
        with pytest.raises(ValueError, match=r"."):
            parse_rmb(written[:place] + char + written[place:])


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("壹佰万元整", "1000000"),
        ("叁元零伍分", "3.05"),
        ("人民币壹拾万柒仟元零伍角叁分", "107000.53"),  # both spellings of the rule's own example
        ("壹拾万零柒仟元伍角叁分", "107000.53"),
        ("壹仟肆佰零玖元伍角", "1409.50"),
        ("陆仟零柒元壹角肆分", "6007.14"),
        ("壹仟陆佰捌拾元零叁角贰分", "1680.32"),
        ("壹万陆仟肆佰零玖元零贰分", "16409.02"),
        ("叁佰贰拾伍元零肆分", "325.04"),
        ("壹亿零贰万零叁元肆角整", "100020003.4"),
        ("壹佰万圆正", "1000000"),
        ("一百万元", "1000000"),
        ("十万元", "100000"),
        ("拾万元整", "100000"),
        ("（人民币）伍仟万元", "50000000"),
        ("伍角", "0.5"),
        ("人民币（大写）：贰万元整", "20000"),
    ],
)
def test_capitals_are_read(text: str, amount: str) -> None:
    assert parse_rmb(text) == Decimal(amount)


@pytest.mark.parametrize(
    "text",
    [
        "叁元零伍分整",
        "壹佰万",
        "abc元整",
        "",
        "整",
        "壹佰贰佰元整",
        "壹仟伍元整",
        "壹万万元整",
        "叁元伍分",
        "零零元整",
        "壹元壹角壹",
        "元",
        "壹元元",
        "叁佰拾元整",
    ],
)
def test_malformed_capitals_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rmb(text)
    assert not validate("amount", text, today=TODAY).ok


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100万元", "1000000"),
        ("1,000,000.00", "1000000"),
        ("￥107,000.53", "107000.53"),
        ("100.5万元人民币", "1005000"),
        ("人民币伍佰万元整", "5000000"),
        ("伍佰万元人民币", "5000000"),
        ("1000万美元", "10000000 USD"),
        ("伍佰万美元", "5000000 USD"),
        ("壹佰万元整（¥1,000,000.00）", "1000000"),
        ("大写：壹佰万元整 小写：1000000元", "1000000"),
        ("(大写)壹佰万元整(小写)¥1000000", "1000000"),
        ("壹佰万元整（100万元）", "1000000"),
        ("¥1,000,000.00（大写：壹佰万元整）", "1000000"),
        ("小写：1000000元 大写：壹佰万元整", "1000000"),
        ("0", "0"),
    ],
)
def test_amounts_have_one_normal_form(text: str, value: str) -> None:
    checked = validate("amount", text, today=TODAY)
    assert (checked.ok, checked.value) == (True, value)
    assert validate("amount", value, today=TODAY).value == value


@pytest.mark.parametrize(
    "text", ["1,00", "1.2.3", "1,0000", "USD100EUR", "1" * 40, "-5", "100万万", "壹佰万元整(壹佰)"]
)
def test_odd_figures_are_refused(text: str) -> None:
    assert not validate("amount", text, today=TODAY).ok


@given(amounts, amounts)
def test_capitals_and_figures_must_agree(one: Decimal, other: Decimal) -> None:
    checked = validate("amount", f"{rmb_capitals(one)}（¥{other}）", today=TODAY)
    assert checked.ok == (one == other)
    if one != other:
        assert "不一致" in checked.problem


@pytest.mark.parametrize("amount", ["-1", "1e16", "0.001"])
def test_capitals_have_a_range(amount: str) -> None:
    with pytest.raises(ValueError, match="10\\*\\*16"):
        rmb_capitals(Decimal(amount))
