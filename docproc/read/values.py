"""From a whole reading to the normalised value of its type, or ``None`` where the type's own rules refuse it.

These are the rules that a search may lean on: shape, calendar and check digits. Whether a value is *right* (in force,
consistent, known) is for :mod:`docproc.check`.
"""

from __future__ import annotations

import re
from datetime import date

from docproc.validators.chinese import parse_cn_date, parse_period
from docproc.validators.digits import cid_check_digit, mod11_10, org_check_digit, uscc_check_digit
from docproc.validators.money import parse_amount, plain_decimal
from docproc.validators.text import normalise_text

EARLIEST = date(1900, 1, 1)
LATEST = date(2099, 12, 31)
LONG = "长期"
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_LANDLINE = re.compile(r"(?:\+?86)?\(?(0(?:10|2\d|[3-9]\d{2}))\)?-?([2-8]\d{6,7})(?:-?(\d{1,6}))?")
_SHORT = re.compile(r"(?:400\d{7}|800\d{7}|95\d{3,6}|96\d{3,4}|1\d{4}|12345)")


def cid(text: str) -> str | None:
    """Citizen identification number, GB 11643-1999: a birth date from 1900 on, and the MOD 11-2 check character."""
    if calendar_day(f"{text[6:10]}-{text[10:12]}-{text[12:14]}") is None or cid_check_digit(text[:17]) != text[17]:
        return None
    return text


def uscc(text: str) -> str | None:
    """Unified social credit code, GB 32100-2015: its own check character and that of the organisation code inside."""
    right = uscc_check_digit(text[:17]) == text[17] and org_check_digit(text[8:16]) == text[16]
    return text if right else None


def regno(text: str) -> str | None:
    """Registration number of 15 digits, GS 15-2006: ISO 7064 MOD 11,10."""
    return text if mod11_10(text[:14]) == text[14] else None


def regno_or_uscc(text: str) -> str | None:
    """Either number, told apart by its length."""
    return regno(text) if len(text) == 15 else uscc(text)


def food_licence_no(text: str) -> str | None:
    """Licence number: JY, SC or YB and 14 digits, the last one by ISO 7064 MOD 11,10."""
    return text if mod11_10(text[2:15]) == text[15] else None


def calendar_day(text: str) -> str | None:
    """A real day between 1900 and 2099, as ISO 8601."""
    try:
        day = parse_cn_date(text)
    except ValueError:
        return None
    return day.isoformat() if EARLIEST <= day <= LATEST else None


def period(text: str) -> str | None:
    """A term: ``start/end``, ``start/长期`` or ``长期``."""
    try:
        start, end = parse_period(text)
    except ValueError:
        return None
    for day in (start, end):
        if day is not None and not EARLIEST <= day <= LATEST:
            return None
    return (f"{start}/" if start else "") + (str(end) if end else LONG)


def amount(text: str) -> str | None:
    """An amount of money as a plain decimal of the main unit, with its currency after a blank unless it is yuan."""
    try:
        number, currency = parse_amount(text)
    except ValueError:
        return None
    return f"{plain_decimal(number)} {currency}".strip()


def integer(text: str) -> str | None:
    """A whole number without leading zeros."""
    return str(int(text)) if text.isascii() and text.isdigit() and (text == "0" or text[0] != "0") else None


def number(text: str) -> str | None:
    """A decimal number; a thousands comma must stand before three digits."""
    if not re.fullmatch(r"(?:0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d+)?", text):
        return None
    return text.replace(",", "")


def mobile(text: str) -> str | None:
    """Eleven digits of a Chinese mobile number."""
    found = _MOBILE.fullmatch(text)
    return found[1] if found else None


def phone(text: str) -> str | None:
    """A mobile number, or area code, number and extension joined by dashes, or a service number."""
    if value := mobile(text):
        return value
    if found := _LANDLINE.fullmatch(text):
        return "-".join(part for part in found.groups() if part)
    bare = text.replace("-", "")
    return bare if _SHORT.fullmatch(bare) else None


def plain(text: str) -> str | None:
    """Text in its normal form; nothing but blanks is no text."""
    return normalise_text(text) or None


def same(text: str) -> str | None:
    """The reading itself."""
    return text
