"""Amount of money, in figures or in capitals (银发〔1997〕393号)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType
from docproc.fields.money import AmountsDifferError, parse_amount, plain_decimal
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Slot, Spelling, maybe, some
from docproc.fields.text import normalise_text

DOUBTFUL_CURRENCY = "¤"
"""Placeholder for a digit that may be a ¥ of the same shape."""
_CONFUSIONS = {char: to for char, to in DIGIT_CONFUSIONS.items() if char not in "〇○Yy"}
_CONFUSIONS |= {"萬": (("万", 1.0),), "億": (("亿", 1.0),), "参": (("叁", 1.0),), "Y": (("¥", 0.5), ("4", 0.5))}
_CONFUSIONS |= {old: ((new, 1.0),) for old, new in zip("參叄貳貮陸圆圓漆伯", "叁叁贰贰陆元元柒佰", strict=True)}
# A ¥ is often read as 4; this is ambiguous only before an amount that ends in cents and names no unit.
_CONFUSIONS |= {"4": ((DOUBTFUL_CURRENCY, 0.2),)}
_SCALE = (maybe("百千十"), maybe("万亿"), maybe("元"), maybe("整"))
_FIGURES = (Slot(frozenset(DIGITS + ",."), 1, 18), *_SCALE)
_CURRENCY = tuple(Slot(char, 0, 1) for char in "人民币")


def amount(raw: str, *, today: date) -> Checked:
    """Amount of money; the value is a plain decimal of yuan, or of the currency whose code follows it."""
    try:
        number, currency = parse_amount(raw)
    except AmountsDifferError:
        return bad(normalise_text(raw), "大写金额与小写金额不一致，请核对")
    except ValueError:
        return bad(normalise_text(raw), "金额有误，请写数字（如100万元）或规范的大写（如壹佰万元整）")
    return good(f"{plain_decimal(number)} {currency}".rstrip())


def without_doubt(text: str) -> str | None:
    """Parse an amount of money to a plain decimal, followed by a space and the currency unless it is yuan."""
    found = amount(text.removeprefix(DOUBTFUL_CURRENCY), today=date.max)
    return found.value if found.ok else None


TYPE = FieldType(
    name="amount",
    kind="number",
    validator=amount,
    example="1000000",
    wrong="约一百",
    spelling=Spelling(
        shapes=(
            (maybe("¥￥"), *_FIGURES),
            (*_CURRENCY, *_FIGURES),
            (Slot(DOUBTFUL_CURRENCY), some(DIGITS, 1, 12), Slot("."), some(DIGITS, 2)),
            (*_CURRENCY, Slot(frozenset("零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整正"), 2, 30)),
        ),
        trust="exact",
        confusions=_CONFUSIONS,
        finish=without_doubt,
    ),
    within=re.compile(
        r"(?:人民币)?[¥￥]?(?:[0-9][0-9,.]*|[零壹贰叁肆伍陆柒捌玖拾佰仟]+)[零壹贰叁肆伍陆柒捌玖拾佰仟万亿元圆角分整正]*"
        r"(?:美元|港元|欧元|日元)?"
    ),
    mask=None,
    sensitive=False,
    prefill="never",
)
