"""Post code (GB/T 18894)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some
from docproc.fields.text import compact


def post_code(raw: str, *, today: date) -> Checked:
    """Post code: six digits (GB/T 18894), the first two naming a province."""
    value = compact(raw)
    if re.fullmatch("[0-9]{6}", value) and value[:2] not in ("00", "98", "99"):
        return good(value)
    return bad(value, "邮政编码应为6位数字，请核对")


TYPE = FieldType(
    name="post_code",
    kind="code",
    validator=post_code,
    example="610200",
    wrong="000000",
    spelling=Spelling(shapes=((some(DIGITS, 6),),), trust="shaped", confusions=DIGIT_CONFUSIONS),
    mask=None,
    sensitive=False,
    prefill="always",
)
