"""Registration number of an enterprise from before 2015 (GS 15-2006)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS, mod11_10
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType
from docproc.fields.region import UNKNOWN_REGION, region_known
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some
from docproc.fields.text import compact


def regno(raw: str, *, today: date) -> Checked:
    """Registration number of 15 digits from before 2015 (GS 15-2006, ISO 7064 MOD 11,10)."""
    value = compact(raw)
    if not re.fullmatch("[0-9]{15}", value):
        return bad(value, "注册号应为15位数字，请核对")
    if mod11_10(value[:14]) != value[14]:
        return bad(value, "注册号有误（校验码不符），请核对")
    return good(value, "" if region_known(value[:6]) else UNKNOWN_REGION)


TYPE = FieldType(
    name="regno",
    kind="code",
    validator=regno,
    example="110108000000016",
    wrong="110108000000017",
    spelling=Spelling(shapes=((some(DIGITS, 15),),), trust="checked", confusions=DIGIT_CONFUSIONS),
    mask=None,
    sensitive=False,
    prefill="never",
)
