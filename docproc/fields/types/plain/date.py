"""Date, in any common writing (GB/T 7408.1-2023, GB/T 15835-2011)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.chinese import parse_cn_date
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType, Printed
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Shape, Slot, Spelling, maybe, some
from docproc.fields.text import normalise_text

EARLIEST = date(1900, 1, 1)
LATEST = date(2099, 12, 31)
"""Dates on documents lie between these; one outside was misread."""
_NUMERAL = "[0-9OolI|〇○零一二三四五六七八九十]"
DAY = rf"{_NUMERAL}{{2,4}}[年.\-/]{_NUMERAL}{{1,3}}[月.\-/]{_NUMERAL}{{1,3}}日?"
"""Where in a sentence a day may stand, in characters as read."""
DATE_CONFUSIONS = {char: to for char, to in DIGIT_CONFUSIONS.items() if char not in "〇○乙"} | {
    "—": (("-", 1.0),),
    "–": (("-", 1.0),),
}
# A printed 〇 in a year is read as a digit: 二0一0年. The shapes keep it out of dates in digits.
DATE_CONFUSIONS |= {char: (*DATE_CONFUSIONS.get(char, ()), ("〇", 1.0)) for char in "0Oo口○"}
_NUMERALS = "零〇○一二三四五六七八九十廿卅壹贰叁肆伍陆柒捌玖拾元"
_YEAR = some(DIGITS, 4)
_ONE_TWO = some(DIGITS, 1, 2)
DAYS: tuple[Shape, ...] = (
    (_YEAR, Slot("年"), _ONE_TWO, Slot("月"), _ONE_TWO, maybe("日号")),
    *((_YEAR, Slot(mark), _ONE_TWO, Slot(mark), _ONE_TWO) for mark in "-./"),
    (_YEAR, some(DIGITS, 2), some(DIGITS, 2)),
    (some(_NUMERALS, 4), Slot("年"), some(_NUMERALS, 1, 3), Slot("月"), some(_NUMERALS, 1, 4), maybe("日号")),
)
"""Five ways in digits, and the last one in numerals."""


def day(raw: str, *, today: date) -> Checked:
    """Date in any common writing; the value is ISO 8601."""
    try:
        return good(parse_cn_date(raw).isoformat())
    except ValueError:
        return bad(normalise_text(raw), "日期有误或不存在，请写明年、月、日，例如2026年11月22日")


def calendar_day(text: str) -> str | None:
    """Parse a calendar day between 1900 and 2099 to ISO 8601."""
    try:
        day = parse_cn_date(text)
    except ValueError:
        return None
    return day.isoformat() if EARLIEST <= day <= LATEST else None


def written_date(value: str) -> str:
    """An ISO day as it is written in an open box: ``2026年5月1日``; other text as it is."""
    parts = value.split("-")
    if len(parts) == 3 and all(p.isdigit() for p in parts):
        return f"{int(parts[0])}年{int(parts[1])}月{int(parts[2])}日"
    return value


def only_digits(value: str) -> str:
    """An ISO day as it stands in a comb of eight cells: ``20260501``."""
    return value.replace("-", "")


TYPE = FieldType(
    name="date",
    kind="date",
    validator=day,
    example="2026-05-01",
    wrong="2026-02-30",
    spelling=Spelling(shapes=DAYS, trust="shaped", confusions=DATE_CONFUSIONS, finish=calendar_day),
    within=re.compile(DAY),
    term="period",
    printed=Printed(line=written_date, cells=only_digits, hints=(("年", 2), ("月", 5), ("日", 7)), joints=(4, 6)),
    mask=None,
    sensitive=False,
    prefill="never",
)
