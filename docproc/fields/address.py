"""From an address to the administrative unit that it begins with, and whether two addresses are the same."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

from docproc.fields.chinese import cn_int
from docproc.fields.nations import NATIONS
from docproc.fields.region import Level, Unit, Zone, level_of, region_name, units, zones
from docproc.fields.text import fold, normalise_text

_PREFIX = re.compile(
    r"^(?:(?:地址|住址|住所地?|经营场所|现住址|户籍地?址?):)?(?:\d{6} ?)?(?:中华人民共和国|中国(?!\())?"
)
_FREE_TRADE = re.compile(r"^中国\(([^()]{2,3})\)自由贸易[试实]验区(?:[^市区县,]{2,4}片区)?")
_FILLER = re.compile("^(?:市辖区|(?:省|自治区)?直辖县(?:级行政区划)?)?[ ,-]*")
_NATION = "|".join(sorted(NATIONS, key=len, reverse=True))
_ENDING = re.compile(
    rf"(?:特别行政区|(?:维吾尔|壮族|回族)?自治区|(?:(?:{_NATION})族?)*(?:各族)?自治[州县旗]|林区|地区|新区|矿区|[省市区县盟旗])$"
)
_NO_SHORT_NAME = re.compile("[市区县州盟旗镇乡村路街道巷弄桥]|[东南西北中](?:[一二三四五]|大)?[路街道]|大[道街]")
_ORDINAL = re.compile("[零〇一二三四五六七八九十百两]+(?=[号楼层室栋幢组座街路村社弄巷排单])")


@dataclass(frozen=True, slots=True)
class Division:
    """The administrative division that an address names."""

    code: str
    """Today's code of GB/T 2260, as deep as the address names it."""
    name: str
    """Full name today, for example ``四川省成都市双流区``."""
    level: Level
    rest: str
    """The address after the names of the units."""
    zone: str = ""
    """Official name of the functional zone that the address names, or empty."""
    former: bool = False
    """Whether the address uses a name that is no longer in force."""


def locate(address: str, *, year: int | None = None) -> Division | None:
    """Find the unit that an address begins with.

    Province and city may be missing or short (四川成都双流); a county without
    them counts only by its full name, and only when one unit in the whole country has that name.

    Args:
        address: As written; a label and a post code before it are skipped.
        year: When it was written: names in force then are tried first, then today's, then all others.

    Returns:
        The place, or ``None`` when the address names no unit or is ambiguous.
    """
    text = _FREE_TRADE.sub(r"\1", _PREFIX.sub("", normalise_text(address)))
    zone, after_zone = _take_zone(text, None)
    if zone:
        return _zone_place(zone, after_zone)
    province, text = _take(text, "province", "", year)
    city, text = _take_city(_FILLER.sub("", text), province, year)
    above = city or province
    county, after = _take(text, "county", _scope(above), year)
    zone, after_zone = _take_zone(text, above)
    if zone and len(after_zone) <= len(after):
        return _zone_place(zone, after_zone)
    deepest = county or above
    if deepest is None:
        return None
    zone, rest = _take_zone(after, deepest)
    former = any(unit is not None and unit.last is not None for unit in (province, city, county))
    name = region_name(deepest.now)
    return Division(deepest.now, name, level_of(deepest.now), rest.lstrip(" ,"), zone.name if zone else "", former)


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same place in the same words.

    Units are compared by today's code, so that 双流县 equals 双流区 and a missing
    province makes no difference; the rest by :func:`fold`, with 三号 as 3号. When only
    one of them names its units the answer is no: a reviewer must decide.
    """
    first, second = locate(one), locate(other)
    if first is None or second is None:
        key = _rest_key(one)
        return first is second and bool(key) and key == _rest_key(other)
    return (first.code, first.zone, _rest_key(first.rest)) == (second.code, second.zone, _rest_key(second.rest))


def _zone_place(zone: Zone, rest: str) -> Division:
    return Division(zone.code, region_name(zone.code), level_of(zone.code), rest.lstrip(" ,"), zone.name)


def _rest_key(text: str) -> str:
    return _ORDINAL.sub(lambda found: _ordinal(found[0]), fold(text))


def _ordinal(numerals: str) -> str:
    try:
        return str(cn_int(numerals))
    except ValueError:
        return numerals


def _scope(above: Unit | None) -> str:
    """Return the digits that the codes below a unit begin with."""
    return "" if above is None else above.now[:2] if above.level == "province" else above.now[:4]


@cache
def _index() -> dict[tuple[Level, str], tuple[tuple[str, Unit], ...]]:
    """Give ``(name, unit)`` by level and first character, longest names first."""
    found: dict[tuple[Level, str], list[tuple[str, Unit]]] = defaultdict(list)
    for unit in units():
        for name in _names(unit):
            found[unit.level, name[0]].append((name, unit))
    return {key: tuple(sorted(pairs, key=lambda pair: -len(pair[0]))) for key, pairs in found.items()}


def _names(unit: Unit) -> set[str]:
    """Return the full name, the short one (成都) and for autonomous prefectures the usual one (凉山州)."""
    short = _ENDING.sub("", unit.name)
    if len(short) < 2:
        return {unit.name}
    return {unit.name, short, f"{short}州"} if unit.name.endswith("自治州") else {unit.name, short}


def _take(text: str, level: Level, within: str, year: int | None) -> tuple[Unit | None, str]:
    """Take the longest unit name of the level off the front of a text, if it can mean one unit only."""
    fitting = [
        (name, unit)
        for name, unit in _index().get((level, text[:1]), ())
        if text.startswith(name) and _may_stand(text, name, unit, within)
    ]
    if not fitting:
        return None, text
    longest = len(fitting[0][0])
    same = [unit for name, unit in fitting if len(name) == longest]
    then = [unit for unit in same if year is not None and unit.existed(year)]
    now = [unit for unit in same if unit.last is None]
    candidates = then or now or same
    if len({unit.now for unit in candidates}) > 1:
        return None, text
    return max(candidates, key=lambda unit: unit.last or 9999), text[longest:]


def _take_city(text: str, province: Unit | None, year: int | None) -> tuple[Unit | None, str]:
    """Take a city, unless it is a former one and a county in force has its name (石河子市)."""
    city, after = _take(text, "city", _scope(province), year)
    if city and city.last is not None:
        county, after_county = _take(text, "county", _scope(province), year)
        if county and county.last is None and len(after_county) <= len(after):
            return None, text
    return city, _FILLER.sub("", after)


def _may_stand(text: str, name: str, unit: Unit, within: str) -> bool:
    """Whether a name at the front of a text can be the unit: inside the one above, and not the 北京 of 北京路."""
    if not (unit.now.startswith(within) or unit.code.startswith(within)):
        return False
    if name == unit.name:
        return True
    if unit.level == "county" and not within:
        return False
    return not _NO_SHORT_NAME.match(text, len(name)) and not _longer_name(text, name)


def _longer_name(text: str, short: str) -> bool:
    """Whether a longer full name of some unit begins where the short one does (海南 of 海南藏族自治州)."""
    levels: tuple[Level, ...] = ("city", "county")
    return any(
        name == unit.name and len(name) > len(short) and text.startswith(name) and name.startswith(short)
        for level in levels
        for name, unit in _index().get((level, text[:1]), ())
    )


def _take_zone(text: str, above: Unit | None) -> tuple[Zone | None, str]:
    """Take a zone off the front; names that many cities use count only within its own city."""
    for zone in zones():
        if above is not None and above.now[:2] != zone.parent[:2]:
            continue
        inside = above is not None and _encloses(above, zone)
        names = (zone.name, *zone.aliases, *zone.local) if inside else (zone.name, *zone.aliases)
        for name in sorted(names, key=len, reverse=True):
            if text.startswith(name):
                return zone, text[len(name) :]
    return None, text


def _encloses(above: Unit, zone: Zone) -> bool:
    return zone.parent == above.now or (above.level != "province" and zone.parent[:4] == above.now[:4])
