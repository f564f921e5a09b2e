"""Address."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.address import locate
from docproc.fields.check_digits import DIGITS
from docproc.fields.confusions import seconds, shares
from docproc.fields.field_type import FieldType
from docproc.fields.region import UNDIVIDED
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import HAN_RANGES, LETTERS, Ranges, Slot, Spelling
from docproc.fields.text import HAN, normalise_text
from docproc.fields.types.plain.text import text_or_none

_NUMBERED = re.compile(r"[号弄栋幢座单层楼室房期区组社街路巷村段院队井门排元米-]|[.,、/(]|$")
"""What follows a number in an address."""
_NUMBER = re.compile(r"[0-9]+")
_LETTER = re.compile(r"[A-Za-z]")
_LOOSE_MARK = re.compile(r"(?<![0-9A-Za-z])[-/]|[-/](?![0-9A-Za-z])")
_DISTRICT = re.compile(r"[\u4e00-\u9fff]{1,6}[区县旗]")
# Between Han characters a 1 is read as any vertical stroke; an address has letters, strokes and brackets too.
_CONFUSIONS = shares(_1="|丨｜!") | seconds(0.5, _1="lI[]/", _0="Oo", _6="G") | seconds(0.1, _1="(（")
_PLACE = Ranges(*HAN_RANGES, also="〇（）()·-—－、，,./#＃：:~～" + DIGITS + LETTERS)


def address(raw: str, *, today: date) -> Checked:
    """Address: some Han text that begins with a known unit; which one it is tells :func:`locate`."""
    value = normalise_text(raw)
    if len(value) < 4 or not re.search(f"[{HAN}]{{2}}", value):
        return bad(value, "地址应写明省、市、区（县）、街道和门牌号，请补全")
    place = locate(value)
    if place is None:
        return good(value, "地址开头没有认出唯一的行政区划，请核对省、市、区（县）")
    return good(
        value,
        f"地址使用旧名称，现为{place.name}" if place.former else "",
        "地址未写到区（县）" if place.level != "county" and not place.zone and place.code not in UNDIVIDED else "",
        "" if place.rest else "地址缺少街道和门牌号",
    )


def address_prior(value: str) -> float:
    """Return the log prior (nats) of an address: it names its district, and a counted unit follows each number.

    Assumed, not measured: one number in fifty has no unit, one address in seven has a letter or a stray mark, one in
    twenty names no district that is in the tables.
    """
    odd = sum(not _NUMBERED.match(value, found.end()) for found in _NUMBER.finditer(value))
    loose = bool(_LETTER.search(value)) + bool(_LOOSE_MARK.search(value)) + (value.count("(") != value.count(")"))
    place = locate(value)
    return -4.0 * min(odd, 2) - 2.0 * loose - (0.0 if place is not None and place.level == "county" else 3.0)


def has_odd_district(value: str) -> bool:
    """Whether the district of an address is in no table: one of its characters was misread, or it is odd."""
    place = locate(value)
    if place is None or place.level == "county" or place.zone or place.code in UNDIVIDED:
        return False
    return _DISTRICT.match(place.rest) is not None


def hide_street(value: str) -> str:
    """Keep province and city."""
    return value[:6] + "＊＊＊" if len(value) > 6 else "＊＊＊"


TYPE = FieldType(
    name="address",
    kind="text",
    validator=address,
    example="四川省成都市双流区东升街道样例路1号",
    wrong="1号",
    spelling=Spelling(
        shapes=((Slot(_PLACE, 2, 120),),),
        trust="free",
        confusions=_CONFUSIONS,
        finish=text_or_none,
        prior=address_prior,
        folded=True,
        simplify=True,
        beam=16,
    ),
    lines=3,
    implausible=has_odd_district,
    mask=hide_street,
    sensitive=False,
    prefill="always",
)
