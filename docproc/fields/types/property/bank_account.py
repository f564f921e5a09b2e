"""Number of a bank account."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import BLANKS, Spelling, some
from docproc.fields.text import DASHES, compact

_ACCOUNT = re.compile(r"[0-9]{8,32}")


def bank_account(raw: str, *, today: date) -> Checked:
    """Company account: 8 to 32 digits; such numbers carry no common check digit."""
    value = compact(raw, DASHES)
    if _ACCOUNT.fullmatch(value) and len(set(value)) > 1:
        return good(value)
    return bad(value, "银行账号应为8至32位数字，请核对")


TYPE = FieldType(
    name="bank_account",
    kind="code",
    validator=bank_account,
    example="4402209009100012345",
    wrong="1234567",
    spelling=Spelling(
        shapes=((some(DIGITS, 8, 32),),),
        trust="exact",
        confusions=DIGIT_CONFUSIONS,
        skip=BLANKS | {"-"},
    ),
    mask=hide_middle,
    sensitive=True,
    prefill="never",
)
