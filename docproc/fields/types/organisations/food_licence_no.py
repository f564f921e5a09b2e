"""Number of a food licence (食品经营许可和备案管理办法, check digit GB/T 17710)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS, mod11_10
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType
from docproc.fields.region import UNKNOWN_REGION, region_known
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some, word
from docproc.fields.text import compact

_FOOD = re.compile(r"(JY|SC|YB)[0-9]{14}")
_CONFUSIONS = DIGIT_CONFUSIONS | {"F": (("J", 0.5),), "y": (("Y", 1.0), ("4", 0.5)), "U": (("Y", 0.5),)}


def food_licence_no(raw: str, *, today: date) -> Checked:
    """Number of a food licence: JY (business), SC (production) or YB (filing), 14 digits, the last by MOD 11,10."""
    value = compact(raw)
    if not _FOOD.fullmatch(value):
        return bad(value, "食品许可证编号应为JY、SC或YB加14位数字，请核对")
    if mod11_10(value[2:15]) != value[15]:
        return bad(value, "食品许可证编号有误（校验码不符），请核对")
    region = value[5:11] if value.startswith("SC") else value[3:9]
    return good(value, "" if region_known(region) else UNKNOWN_REGION)


TYPE = FieldType(
    name="food_licence_no",
    kind="code",
    validator=food_licence_no,
    example="JY15308250014109",
    wrong="JY15308250014101",
    spelling=Spelling(
        shapes=tuple((*word(kind), some(DIGITS, 14)) for kind in ("JY", "SC", "YB")),
        trust="checked",
        confusions=_CONFUSIONS,
    ),
    mask=None,
    sensitive=False,
    prefill="never",
)
