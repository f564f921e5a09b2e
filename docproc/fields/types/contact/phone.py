"""Any telephone number of China."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import DIGIT_CONFUSIONS
from docproc.fields.field_type import FieldType, hide_middle
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Slot, Spelling, maybe, some
from docproc.fields.text import DASHES, compact
from docproc.fields.types.contact.mobile import MOBILE, mobile

_SHORT_PHONE = re.compile(r"[48]00[0-9]{7}|95[0-9]{3,6}|96[0-9]{3,4}|1[0-2][0-9]{1,3}")
_LANDLINE = re.compile(r"(?:\+?86)?\(?(0(?:10|2\d|[3-9]\d{2}))\)?-?([2-8]\d{6,7})(?:-?(\d{1,6}))?")
_SERVICE = re.compile(r"[48]00\d{7}|9[56]\d{3,6}|1[0-2]\d{1,3}")
_CONFUSIONS = DIGIT_CONFUSIONS | {"（": (("(", 1.0),), "）": ((")", 1.0),), ">": ((")", 0.5),), "—": (("-", 1.0),)}


def phone(raw: str, *, today: date) -> Checked:
    """Any telephone number of China by its area code tree: mobile, landline with area code, 400, 95xxx."""
    value = compact(raw)
    digits = compact(raw, DASHES)
    if found := MOBILE.fullmatch(digits):
        return good(found[1])
    if _SHORT_PHONE.fullmatch(digits):
        return good(digits)
    landline = _landline(re.sub(f"[{DASHES}转]", "-", value))
    return good(landline) if landline else bad(value, "电话号码有误，固定电话请写区号，例如028-85000000")


def _landline(value: str) -> str:
    """Return ``0512-62345678`` or ``0512-62345678-12``, or nothing when the area code tree has no such number."""
    import phonenumbers  # 0.1 s to import; most runs never need it

    parts = re.fullmatch(r"\(?(\+?[0-9]{2,4})\)?-?([0-9]{2,4}-)?([0-9]{6,9})(?:-([0-9]{1,6}))?", value)
    if parts is None:
        return ""
    try:
        number = phonenumbers.parse(re.sub("[()-]", "", parts[1] + (parts[2] or "") + parts[3]), "CN")
    except phonenumbers.NumberParseException:
        return ""
    if number.country_code != 86 or not phonenumbers.is_valid_number(number):
        return ""
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    area, _, subscriber = national.partition(" ")
    shown = f"{area}-{subscriber.replace(' ', '')}"
    return f"{shown}-{parts[4]}" if parts[4] else shown


def joined(text: str) -> str | None:
    """Parse a mobile number, a landline (area code, number and extension joined by dashes) or a service number."""
    if (found := mobile(text, today=date.max)).ok:
        return found.value
    if landline := _LANDLINE.fullmatch(text):
        return "-".join(part for part in landline.groups() if part)
    bare = text.replace("-", "")
    return bare if _SERVICE.fullmatch(bare) else None


TYPE = FieldType(
    name="phone",
    kind="code",
    validator=phone,
    example="028-85001234",
    wrong="62345678",
    spelling=Spelling(
        shapes=(
            (maybe("+"), Slot(frozenset(DIGITS), 5, 13)),
            (maybe("("), some(DIGITS, 3, 4), Slot(frozenset(")-"), 0, 1), some(DIGITS, 7, 8)),
            (some(DIGITS, 3, 4), maybe("-"), some(DIGITS, 7, 8), Slot("-"), some(DIGITS, 1, 6)),
        ),
        trust="shaped",
        confusions=_CONFUSIONS,
        finish=joined,
    ),
    mask=hide_middle,
    sensitive=False,
    prefill="never",
)
