"""Whole number."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType
from docproc.fields.money import plain_decimal
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some
from docproc.fields.text import compact
from docproc.fields.types.plain.number import UNITS, decimal_of


def integer(raw: str, *, today: date) -> Checked:
    """Whole number from 0 on, in digits or numerals, with or without a unit of measure."""
    value = compact(raw)
    try:
        number = decimal_of(value)
    except ValueError:
        number = Decimal(-1)
    if number < 0 or number != number.to_integral_value():
        return bad(value, "应填写整数，请核对")
    return good(plain_decimal(number))


TYPE = FieldType(
    name="int",
    kind="number",
    validator=integer,
    example="12",
    wrong="1.5",
    spelling=Spelling(shapes=((some(DIGITS, 1, 9),),), trust="exact", confusions=DIGIT_CONFUSIONS, skip=UNITS),
    mask=None,
    sensitive=False,
    prefill="never",
)
