"""Date, or no end at all (长期)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.chinese import LONG, is_long
from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, good
from docproc.fields.spelling import Spelling, word
from docproc.fields.types.plain.date import DATE_CONFUSIONS, DAY, DAYS, calendar_day, day


def day_or_long(raw: str, *, today: date) -> Checked:
    """Date, or ``长期`` for an end that never comes."""
    return good(LONG) if is_long(raw) else day(raw, today=today)


def calendar_day_or_long(text: str) -> str | None:
    """Parse a calendar day, or ``长期`` (unlimited)."""
    return LONG if is_long(text) else calendar_day(text)


TYPE = FieldType(
    name="date_or_long",
    kind="date",
    validator=day_or_long,
    example="长期",
    wrong="2030-02-30",
    spelling=Spelling(
        shapes=(*DAYS, word(LONG)),
        trust="shaped",
        confusions=DATE_CONFUSIONS,
        finish=calendar_day_or_long,
    ),
    within=re.compile(rf"{DAY}|长期"),
    term="period",
    mask=None,
    sensitive=False,
    prefill="never",
)
