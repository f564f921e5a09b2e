"""Normal forms are stable, and equality forgives writing but not meaning."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.fields import fold, normalise_text, same_name, same_text


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise_text(text)
    assert normalise_text(once) == once
    assert unicodedata.is_normalized("NFKC", once)
    assert fold(normalise_text(text)) == fold(text)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("  成 都\u3000市　ＡＢＣ（四川）\n", "成都市ABC(四川)"),
        ("No. 12\u200b 号", "No. 12号"),
        ("Zhang  San", "Zhang San"),
        ("㎡", "m2"),
        ("豈", "豈"),
    ],
)
def test_normal_forms(raw: str, normal: str) -> None:
    assert normalise_text(raw) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("成都（双流）宏達有限公司", "成都(双流)宏达有限公司"),
        ("成都〔双流〕宏达有限公司", "成都【双流】宏达有限公司"),
        ("张 三", "张三"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("髙峯", "高峰"),
        ("Zhang San", "ZHANG SAN"),
        ("食品销售；餐饮服务。", "食品销售,餐饮服务"),
        ("1—2号", "1-2号"),
    ],
)
def test_the_same_in_other_writing(one: str, other: str) -> None:
    assert same_text(one, other)
    assert same_name(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5", "15"),
        ("1-2号", "12号"),
        ("王喆", "王哲"),
        ("李堃", "李坤"),
        ("张三", "张山"),
        ("50%", "50"),
        ("A栋", "B栋"),
        ("C&A", "CA"),
        ("5101**", "5101"),
        ("8:30", "830"),
    ],
)
def test_what_means_something_else_stays_apart(one: str, other: str) -> None:
    assert not same_text(one, other)
    assert not same_name(one, other)


def test_nothing_has_no_name() -> None:
    assert not same_name("", "")
    assert not same_name("（）", " ")
    assert same_text("", " ")
