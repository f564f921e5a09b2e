"""Mainland travel permit for residents of Taiwan (台湾居民来往大陆通行证)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import ALNUM, DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.identity import by_format
from docproc.fields.result import Checked
from docproc.fields.spelling import Slot, Spelling, maybe, some

_TAIWAN = re.compile(r"[0-9]{8}(?:[0-9]{2}(?:\(?[A-Z0-9]\)?)?)?")
_CONFUSIONS = DIGIT_CONFUSIONS | {"（": (("(", 1.0),), "）": ((")", 1.0),)}


def tw_permit(raw: str, *, today: date) -> Checked:
    """Mainland travel permit of Taiwan residents: 8 digits, on older cards followed by the issue count and a check."""
    return by_format(raw, _TAIWAN, "台湾居民来往大陆通行证号码应为8位数字，请核对")


TYPE = FieldType(
    name="tw_permit",
    kind="code",
    validator=tw_permit,
    example="12345678",
    wrong="1234567",
    spelling=Spelling(
        shapes=(
            (some(DIGITS, 8),),
            (some(DIGITS, 10),),
            (some(DIGITS, 10), maybe("("), Slot(frozenset(ALNUM)), maybe(")")),
        ),
        trust="exact",
        confusions=_CONFUSIONS,
    ),
    mask=hide_middle,
    sensitive=True,
    prefill="papers",
)
