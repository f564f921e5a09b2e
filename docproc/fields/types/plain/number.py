"""Decimal number."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from docproc.fields.check_digits import DIGITS
from docproc.fields.chinese import cn_int
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType
from docproc.fields.money import plain_decimal
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import BLANKS, Slot, Spelling
from docproc.fields.text import compact

_UNIT = (
    "(?:平方米|平米|平方公里|立方米|公里|千米|厘米|毫米|米|亩|公顷|吨|千克|公斤|克|升|千瓦|人|名|位|个|座|席|台|套|辆|间|份|家|户|次|件|层|栋|幢|孩"
    "|岁|周岁|年|个?月|日|天|个?工作日|小时|分钟|元|%|km2?|[cm]?m[23]?|kg|kw|t|l)?"
)
_NUMBER = re.compile(rf"([+-]?(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?){_UNIT}", re.IGNORECASE)
_NUMERALS = re.compile(f"([〇○零一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]+){_UNIT}")
UNITS = BLANKS | frozenset("平方米㎡人名个座间台套件")
"""What stands beside a number and is no part of it."""


def number(raw: str, *, today: date) -> Checked:
    """Decimal number, with or without a unit of measure; the value is the number alone."""
    value = compact(raw)
    try:
        return good(plain_decimal(decimal_of(value)))
    except ValueError:
        return bad(value, "应填写数字，请核对")


def decimal_of(value: str) -> Decimal:
    """A number in digits or numerals, with or without a unit of measure.

    Raises:
        ValueError: it is none.
    """
    if found := _NUMBER.fullmatch(value):
        return Decimal(found[1].replace(",", ""))
    if found := _NUMERALS.fullmatch(value):
        return Decimal(cn_int(found[1]))
    raise ValueError("not a number")


TYPE = FieldType(
    name="number",
    kind="number",
    validator=number,
    example="120.5",
    wrong="1.2.3",
    spelling=Spelling(
        shapes=((Slot(frozenset(DIGITS + ",."), 1, 14),),),
        trust="exact",
        confusions=DIGIT_CONFUSIONS,
        skip=UNITS,
    ),
    mask=None,
    sensitive=False,
    prefill="never",
)
