"""Organisation code (GB 11714-1997)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import ALNUM, DIGITS, org_check_digit
from docproc.fields.confusions import capitals
from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, maybe, some
from docproc.fields.text import compact

_ORG = re.compile(r"([0-9A-Z]{8})-?([0-9X])")
_CONFUSIONS = capitals(ALNUM) | dict.fromkeys("—–－", (("-", 1.0),))


def org_code(raw: str, *, today: date) -> Checked:
    """Organisation code (GB 11714-1997), shown as ``12345678-9``."""
    value = compact(raw)
    found = _ORG.fullmatch(value)
    if not found:
        return bad(value, "组织机构代码应为8位数字或字母加1位校验码，请核对")
    value = f"{found[1]}-{found[2]}"
    return (
        good(value) if org_check_digit(found[1]) == found[2] else bad(value, "组织机构代码有误（校验码不符），请核对")
    )


TYPE = FieldType(
    name="org_code",
    kind="code",
    validator=org_code,
    example="D2143569-X",
    wrong="D2143569-1",
    spelling=Spelling(
        shapes=((some(ALNUM, 8), maybe("-"), some(DIGITS + "X", 1)),),
        trust="checked",
        confusions=_CONFUSIONS,
    ),
    mask=None,
    sensitive=False,
    prefill="always",
)
