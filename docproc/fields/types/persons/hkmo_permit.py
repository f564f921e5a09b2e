"""Mainland travel permit for residents of Hong Kong and Macao (港澳居民来往内地通行证)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.identity import by_format
from docproc.fields.result import Checked
from docproc.fields.spelling import Spelling, some

_HKMO = re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?")
_CONFUSIONS = DIGIT_CONFUSIONS | {"h": (("H", 0.5), ("4", 0.5)), "m": (("M", 1.0),)}


def hkmo_permit(raw: str, *, today: date) -> Checked:
    """Mainland travel permit of Hong Kong and Macao residents: H or M, 8 digits, on older cards the issue count."""
    return by_format(raw, _HKMO, "港澳居民来往内地通行证号码应为H或M加8位数字，请核对")


TYPE = FieldType(
    name="hkmo_permit",
    kind="code",
    validator=hkmo_permit,
    example="H12345678",
    wrong="X12345678",
    spelling=Spelling(
        shapes=((some("HM", 1), some(DIGITS, 8)), (some("HM", 1), some(DIGITS, 10))),
        trust="exact",
        confusions=_CONFUSIONS,
    ),
    mask=hide_middle,
    sensitive=True,
    prefill="papers",
)
