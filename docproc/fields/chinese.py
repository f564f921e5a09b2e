"""Chinese numerals: whole numbers, dates, and periods between dates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from docproc.fields.text import compact

LONG = "长期"
"""Value of an unlimited term's end."""

TO_FORMAL = str.maketrans(
    "〇○◯O一二两三四五六七八九十百千弌貳弍貮參叄弎陸漆萬億兩",
    "零零零零壹贰贰叁肆伍陆柒捌玖拾佰仟壹贰贰贰叁叁叁陆柒万亿贰",
)
"""Everyday, traditional and look-alike numerals to the formal ones of cheques."""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = {"拾": 10, "佰": 100, "仟": 1000}
_LONG_WORDS = re.compile(
    r"(?:长期|永久|永续|无(?:固定)?(?:期限|限期)|不约定期限|长久|无期限)(?:有效|经营|存续)?|[*#]{2,}"
)
_LABEL = re.compile("^(?:营业期限|经营期限|合伙期限|有效期限?|租赁期限?|期限):?")
_BLANK_END = re.compile("[至到](?:年?月?日?|[-/_])$")
_YEARS = range(1800, 2300)
_NUMBER = "[0-9零壹贰叁肆伍陆柒捌玖拾仟佰廿卅]"
_YMD = re.compile(
    rf"(?:公元)?(?P<y>{_NUMBER}{{4,7}})(?:年|[-./、])(?P<m>{_NUMBER}{{1,4}}|元)(?:月份?|[-./、])(?P<d>{_NUMBER}{{1,4}})[日号]?"
)
_EIGHT = re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})")
_DASH = re.compile("[‐‑‒–—―−﹣─~〜～]+")


def cn_int(text: str) -> int:
    """Read a whole number in Chinese numerals, everyday or formal, or by position (二〇二六).

    Units must fall within each section of four; zeros may be missing or doubled.

    Raises:
        ValueError: not such a number.
    """
    formal = text.translate(TO_FORMAL)
    if formal and all(char in _DIGITS for char in formal):
        return _digits(formal)
    high, found, low = formal.rpartition("亿")
    return (_below_yi(high) * 10**8 + _below_yi(low or "零")) if found else _below_yi(low)


def parse_cn_date(text: str) -> date:
    """Read a date in any of the ways people write it.

    Digits (2026-11-22, 2026.11.22, 20261122, 2026年11月22日) and numerals
    (二〇二六年十一月廿二日, 贰零贰陆年壹拾壹月贰拾贰日, 二○二六, 卅日, 元月), as in
    GB/T 7408.1-2023, GB/T 15835-2011 and the rules for cheques (银发〔1997〕393号).

    Raises:
        ValueError: not a whole date, or one that the calendar does not have.
    """
    plain = _DASH.sub("-", compact(text)).translate(TO_FORMAL)
    found = _EIGHT.fullmatch(plain) or _YMD.fullmatch(plain)
    if not found:
        raise ValueError("not a date")
    year, month, day = _year(found["y"]), 1 if found["m"] == "元" else _small(found["m"]), _small(found["d"])
    if year not in _YEARS:
        raise ValueError("year out of range")
    return date(year, month, day)


def parse_period(text: str) -> tuple[date | None, date | None]:
    """Read ``(start, end)`` of a term; a missing start and an unlimited end are ``None``.

    Takes 自…至…, …到…, two dates with a dash, ``date/date``, and 长期 with or without a
    start. Registries print asterisks in place of an end to say that there is none; a
    blank end is an error, see :func:`end_is_blank`.

    Raises:
        ValueError: not a term, or it ends before it starts.
    """
    plain = _LABEL.sub("", _DASH.sub("-", compact(text)))
    if _LONG_WORDS.fullmatch(plain.removeprefix("至")):
        return None, None
    for first, second in _halves(plain):
        try:
            start = parse_cn_date(first)
            end = None if _LONG_WORDS.fullmatch(second) else parse_cn_date(second)
        except ValueError:
            continue
        if end is not None and end < start:
            raise ValueError("ends before it starts")
        return start, end
    raise ValueError("not a term")


def end_is_blank(text: str) -> bool:
    """Whether a term has a start but a blank end (至 年 月 日): not written, or not read."""
    return bool(_BLANK_END.search(_DASH.sub("-", compact(text))))


def is_long(text: str) -> bool:
    """Whether the text says that there is no end (长期, 永久, 无固定期限)."""
    return bool(_LONG_WORDS.fullmatch(compact(text)))


def _halves(plain: str) -> Iterator[tuple[str, str]]:
    """Yield every split at a dash, slash, 至 or 到; at most one of them gives two dates."""
    body = re.sub("^[自从由]|为?止$", "", plain)
    for cut in re.finditer("[-/至到]", body):
        yield body[: cut.start()].removesuffix("起"), body[cut.end() :]


def _below_yi(formal: str) -> int:
    high, found, low = formal.rpartition("万")
    return (_section(high) * 10**4 + _section(low or "零")) if found else _section(low)


def _section(formal: str) -> int:
    """Read up to four digits with falling units, for example 壹仟零贰拾."""
    if not formal:
        raise ValueError("a number is missing")
    total, lowest = 0, 10000
    digit: int | None = None
    for char in formal:
        if char in _UNITS:
            unit = _UNITS[char]
            if unit >= lowest or (digit is None and unit != 10):
                raise ValueError("units must fall, and a digit must stand before 佰 and 仟")
            total, digit, lowest = total + (1 if digit is None else digit) * unit, None, unit
        elif digit is not None or char not in _DIGITS:
            raise ValueError(f"not a number: {char}")
        elif char != "零":
            digit = _DIGITS.index(char)
    return total + (digit or 0)


def _year(text: str) -> int:
    return _digits(text) if len(text) == 4 and not set(text) & set("拾佰仟") else _small(text)


def _small(text: str) -> int:
    """Read a day, month or spoken year; cheques put 零 before it, older writers use 廿 and 卅."""
    if set(text) <= set("0123456789零"):
        return _digits(text)
    spoken = re.sub("^廿", "贰拾", re.sub("^卅", "叁拾", text.lstrip("零")))
    return cn_int(spoken)


def _digits(text: str) -> int:
    return int("".join(str(_DIGITS.index(char)) if char in _DIGITS else char for char in text))
