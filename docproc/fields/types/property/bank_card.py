"""Number of a bank card (ISO/IEC 7812-1, JR/T 0008)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS, luhn_valid
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import BLANKS, Spelling, some
from docproc.fields.text import DASHES, compact


def bank_card(raw: str, *, today: date) -> Checked:
    """Card number: 13 to 19 digits with a Luhn check digit (ISO/IEC 7812-1, JR/T 0008); not for company accounts."""
    value = compact(raw, DASHES)
    if not re.fullmatch("[0-9]{13,19}", value) or len(set(value)) == 1:
        return bad(value, "银行卡号应为13至19位数字，请核对")
    return good(value) if luhn_valid(value) else bad(value, "银行卡号有误（校验码不符），请逐位核对")


TYPE = FieldType(
    name="bank_card",
    kind="code",
    validator=bank_card,
    example="4111111111111111",
    wrong="4111111111111112",
    spelling=Spelling(
        shapes=((some(DIGITS, 13, 19),),),
        trust="exact",  # the length is open, and of ten numbers that lost a digit one has a right check digit
        confusions=DIGIT_CONFUSIONS,
        skip=BLANKS | {"-"},
    ),
    mask=hide_middle,
    sensitive=True,
    prefill="never",
)
