"""Term: first and last day, or no end (长期)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.chinese import LONG, end_is_blank, parse_period
from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Slot, Spelling, maybe, some, word
from docproc.fields.text import normalise_text
from docproc.fields.types.plain.date import DATE_CONFUSIONS, DAY, DAYS, EARLIEST, LATEST

_LONG = word(LONG)
_IN_FIGURES, _IN_NUMERALS = DAYS[:5], DAYS[5]
_ENDS = (*_IN_FIGURES, _LONG)
_TERMS = (
    *((maybe("自从"), *a, maybe("起"), Slot("至到"), *b, maybe("止")) for a in _IN_FIGURES for b in _ENDS),
    *((*a, some("-—~－～", 1, 2), *b) for a in _IN_FIGURES for b in _ENDS),
    *((maybe("自从"), *_IN_NUMERALS, maybe("起"), Slot("至到"), *b, maybe("止")) for b in (_IN_NUMERALS, _LONG)),
    _LONG,
)


def period(raw: str, *, today: date) -> Checked:
    """Term: ``start/end``, ``start/长期`` or ``长期``, dates in ISO 8601."""
    try:
        start, end = parse_period(raw)
    except ValueError:
        if end_is_blank(raw):
            return bad(normalise_text(raw), "期限没有写明截止日期，请与原件核对；没有截止日期的，请写“长期”", "warn")
        return bad(normalise_text(raw), "期限有误，请写明起止日期（起不晚于止），或写“长期”")
    last = end.isoformat() if end else LONG
    return good(f"{start.isoformat()}/{last}" if start else last)


def calendar_term(text: str) -> str | None:
    """Parse a period to ``start/end``, ``start/长期`` or ``长期``."""
    try:
        days = parse_period(text)
    except ValueError:
        return None
    if any(day is not None and not EARLIEST <= day <= LATEST for day in days):
        return None
    found = period(text, today=LATEST)
    return found.value if found.ok else None


TYPE = FieldType(
    name="period",
    kind="term",
    validator=period,
    example="2016-05-12/2036-05-12",
    on_paper="自2016年5月12日至2036年5月12日",
    wrong="2036-05-12/2016-05-12",
    spelling=Spelling(shapes=_TERMS, trust="shaped", confusions=DATE_CONFUSIONS, finish=calendar_term),
    within=re.compile(rf"[自从]?{DAY}[起]?(?:至|到|-|—|~|一)*(?:{DAY}|长期)止?|长期"),
    lines=2,
    mask=None,
    sensitive=False,
    prefill="never",
)
