"""Mobile number of the mainland."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import BLANKS, Slot, Spelling, some
from docproc.fields.text import DASHES, compact

MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")


def mobile(raw: str, *, today: date) -> Checked:
    """Mobile number of the mainland, with or without +86: eleven digits from 13 to 19 on."""
    value = compact(raw, DASHES)
    found = MOBILE.fullmatch(value)
    return good(found[1]) if found else bad(value, "手机号码应为11位数字，以13至19开头，请核对")


TYPE = FieldType(
    name="mobile",
    kind="code",
    validator=mobile,
    example="13800138000",
    wrong="12345678901",
    spelling=Spelling(
        shapes=((Slot("1"), some("3456789", 1), some(DIGITS, 9)),),
        trust="shaped",
        confusions=DIGIT_CONFUSIONS,
        skip=BLANKS | {"-"},
    ),
    within=re.compile(r"[0-9OolI|]{11}"),
    takes_sms=True,
    mask=hide_middle,
    sensitive=False,
    prefill="never",
)
