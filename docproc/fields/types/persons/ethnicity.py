"""Nationality as identity cards print it (GB/T 3304-1991)."""

from __future__ import annotations

from datetime import date

from docproc.fields.field_type import FieldType
from docproc.fields.nations import NATIONS
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import BLANKS, Spelling, maybe, word
from docproc.fields.text import compact


def ethnicity(raw: str, *, today: date) -> Checked:
    """Nationality of GB/T 3304-1991, without 族, as identity cards print it."""
    value = compact(raw)
    if value.removesuffix("族") in NATIONS:
        return good(value.removesuffix("族"))
    if value in ("其他", "穿青人", "革家人", "外国血统中国籍人士"):
        return good(value)
    return bad(value, "民族名称有误，请与身份证核对")


TYPE = FieldType(
    name="ethnicity",
    kind="text",
    validator=ethnicity,
    example="维吾尔",
    wrong="中国",
    spelling=Spelling(
        shapes=tuple((*word(name), maybe("族")) for name in sorted(NATIONS)),
        trust="chosen",
        skip=BLANKS | frozenset("民"),
        simplify=True,
    ),
    mask=None,
    sensitive=False,
    prefill="never",
)
