"""Sex as identity cards print it (GB/T 2261.1)."""

from __future__ import annotations

from datetime import date

from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import BLANKS, Spelling, unchanged, word
from docproc.fields.text import compact


def sex(raw: str, *, today: date) -> Checked:
    """男 or 女."""
    value = compact(raw).removesuffix("性")
    return good(value) if value in ("男", "女") else bad(value, "性别应为男或女，请核对")


TYPE = FieldType(
    name="sex",
    kind="text",
    validator=sex,
    example="女",
    wrong="M",
    spelling=Spelling(
        shapes=(word("男"), word("女")),
        trust="chosen",
        skip=BLANKS | frozenset("性别"),
        finish=unchanged,
    ),
    mask=None,
    sensitive=False,
    prefill="never",
)
