"""Passport number, Chinese or foreign (ICAO 9303 leaves its form to the country)."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import ALNUM
from docproc.fields.confusions import capitals
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.identity import FORMAT_ONLY
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Spelling, some
from docproc.fields.text import compact

_CHINESE_PASSPORT = re.compile(r"E[0-9A-HJ-NP-Z][0-9]{7}|[GDSP][0-9]{8}|[DSP]E[0-9]{7}|1[45][0-9]{7}")
_ANY_PASSPORT = re.compile(r"(?=[A-Z]*[0-9])[A-Z0-9]{6,15}")


def passport(raw: str, *, today: date) -> Checked:
    """Passport number: Chinese series, or 6 to 15 letters and digits of another country."""
    value = compact(raw)
    if _CHINESE_PASSPORT.fullmatch(value):
        return good(value, FORMAT_ONLY)
    if _ANY_PASSPORT.fullmatch(value):
        return good(value, "不是中国护照号码的格式，请与护照核对")
    return bad(value, "护照号码应为字母和数字，请按护照填写")


def series_prior(value: str) -> float:
    """Log weight (nats) of a number before it is seen: most are of a Chinese series, which settles O and 0, I and 1.

    Assumed, not measured: of seven numbers one is of another country.
    """
    return 0.0 if _CHINESE_PASSPORT.fullmatch(value) else -2.0


TYPE = FieldType(
    name="passport",
    kind="code",
    validator=passport,
    example="E12345678",
    wrong="E123",
    spelling=Spelling(shapes=((some(ALNUM, 6, 15),),), trust="exact", confusions=capitals(ALNUM), prior=series_prior),
    mask=hide_middle,
    sensitive=True,
    prefill="papers",
)
