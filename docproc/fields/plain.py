"""Names, addresses, dates, amounts, numbers, scopes and choices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from docproc.fields.address import locate
from docproc.fields.chinese import LONG, cn_int, end_is_blank, is_long, parse_cn_date, parse_period
from docproc.fields.money import AmountsDifferError, parse_amount, plain_decimal
from docproc.fields.nations import NATIONS
from docproc.fields.region import UNDIVIDED
from docproc.fields.result import Checked, bad, good
from docproc.fields.text import compact, normalise_text

_DOTS = re.compile("[•‧∙⋅・･﹒.](?=[\u3400-\u9fff\U00020000-\U0003ffff])")
_HAN = "\u3400-\u9fff\U00020000-\U0003ffff〇"
_HAN_NAME = re.compile(rf"[{_HAN}]{{2,15}}(?:·[{_HAN}]{{1,15}}){{0,4}}|[{_HAN}]·[{_HAN}]{{1,15}}")
_LATIN_NAME = re.compile(r"[A-Z\u00c0-\u024f][A-Z\u00c0-\u024f'. ,-]{1,59}", re.IGNORECASE)
_CN_NAME = re.compile(rf"(?=.*[{_HAN}])[{_HAN}A-Za-z0-9()·&.,'\-—+ ]{{2,100}}")
_FIELD_LABEL = re.compile("(?:姓名|名称|住所|地址|身份证|号码|电话):")
_UNIT = (
    "(?:平方米|平米|平方公里|立方米|公里|千米|厘米|毫米|米|亩|公顷|吨|千克|公斤|克|升|千瓦|人|名|位|个|座|席|台|套|辆|间|份|家|户|次|件|层|栋|幢|孩"
    "|岁|周岁|年|个?月|日|天|个?工作日|小时|分钟|元|%|km2?|[cm]?m[23]?|kg|kw|t|l)?"
)
_NUMBER = re.compile(rf"([+-]?(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)(?:\.[0-9]+)?){_UNIT}", re.IGNORECASE)
_NUMERALS = re.compile(f"([〇○零一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]+){_UNIT}")
_KIND = re.compile("^(许可|一般)(?:经营)?项目:")


@dataclass(frozen=True, slots=True)
class ScopePhrase:
    """One phrase of a business scope."""

    text: str
    kind: str
    """``许可`` or ``一般`` where the scope is divided, else empty."""


def text(raw: str, *, today: date) -> Checked:
    """Any text, normalised."""
    return good(normalise_text(raw))


def person_name(raw: str, *, today: date) -> Checked:
    """Name of a person: Han characters, a middle dot between parts of a name, or Latin letters as in a passport."""
    value = _DOTS.sub("·", normalise_text(raw))
    value = re.sub(" ?· ?", "·", value)
    if _HAN_NAME.fullmatch(value) or _LATIN_NAME.fullmatch(value):
        return good(value)
    return bad(value, "姓名应与身份证件一致，只写汉字（外国人写护照上的字母），请核对")


def cn_name(raw: str, *, today: date) -> Checked:
    """Name of an organisation: Han characters, letters, digits, brackets that match."""
    value = normalise_text(raw)
    if not _CN_NAME.fullmatch(value) or _FIELD_LABEL.search(value):
        return bad(value, "名称应为2至100个字，与营业执照一致，请核对")
    return good(value) if _balanced(value) else bad(value, "名称中的括号不成对，请核对")


def address(raw: str, *, today: date) -> Checked:
    """Address: some Han text that begins with a known unit; which one it is tells :func:`locate`."""
    value = normalise_text(raw)
    if len(value) < 4 or not re.search(f"[{_HAN}]{{2}}", value):
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


def day(raw: str, *, today: date) -> Checked:
    """Date in any common writing; the value is ISO 8601."""
    try:
        return good(parse_cn_date(raw).isoformat())
    except ValueError:
        return bad(normalise_text(raw), "日期有误或不存在，请写明年、月、日，例如2026年11月22日")


def day_or_long(raw: str, *, today: date) -> Checked:
    """Date, or ``长期`` for an end that never comes."""
    return good(LONG) if is_long(raw) else day(raw, today=today)


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


def amount(raw: str, *, today: date) -> Checked:
    """Amount of money; the value is a plain decimal of yuan, or of the currency whose code follows it."""
    try:
        number, currency = parse_amount(raw)
    except AmountsDifferError:
        return bad(normalise_text(raw), "大写金额与小写金额不一致，请核对")
    except ValueError:
        return bad(normalise_text(raw), "金额有误，请写数字（如100万元）或规范的大写（如壹佰万元整）")
    return good(f"{plain_decimal(number)} {currency}".rstrip())


def integer(raw: str, *, today: date) -> Checked:
    """Whole number from 0 on, in digits or numerals, with or without a unit of measure."""
    value = compact(raw)
    try:
        number = _number(value)
    except ValueError:
        number = Decimal(-1)
    if number < 0 or number != number.to_integral_value():
        return bad(value, "应填写整数，请核对")
    return good(plain_decimal(number))


def number(raw: str, *, today: date) -> Checked:
    """Decimal number, with or without a unit of measure; the value is the number alone."""
    value = compact(raw)
    try:
        return good(plain_decimal(_number(value)))
    except ValueError:
        return bad(value, "应填写数字，请核对")


def scope(raw: str, *, today: date) -> Checked:
    """Business scope: at least one phrase; :func:`split_scope` gives them apart."""
    value = normalise_text(raw).replace("。;", ";").strip(";。,、 ")
    value = normalise_text(value)
    return good(value) if split_scope(value) else bad(value, "请填写经营范围，每项之间用分号隔开")


def split_scope(value: str) -> tuple[ScopePhrase, ...]:
    """Split a business scope at ; and 。 outside brackets, at 、 only where nothing else divides it."""
    plain = normalise_text(value)
    parts = _split(plain, ";。")
    if len(parts) == 1:
        parts = _split(plain, ";。、")
    phrases, kind = [], ""
    for part in parts:
        if found := _KIND.match(part):
            kind, part = found[1], part[found.end() :]
        if phrase := part.strip(" ,:"):
            phrases.append(ScopePhrase(phrase, kind))
    return tuple(phrases)


def enum(raw: str, *, today: date) -> Checked:
    """Keys of chosen options, joined by commas; each once, in the order given."""
    keys = dict.fromkeys(key for part in re.split("[,;、/]", normalise_text(raw)) if (key := part.strip()))
    value = ",".join(keys)
    return good(value) if keys else bad(value, "请至少勾选一项")


def sex(raw: str, *, today: date) -> Checked:
    """男 or 女."""
    value = compact(raw).removesuffix("性")
    return good(value) if value in ("男", "女") else bad(value, "性别应为男或女，请核对")


def ethnicity(raw: str, *, today: date) -> Checked:
    """Nationality of GB/T 3304-1991, without 族, as identity cards print it."""
    value = compact(raw)
    if value.removesuffix("族") in NATIONS:
        return good(value.removesuffix("族"))
    if value in ("其他", "穿青人", "革家人", "外国血统中国籍人士"):
        return good(value)
    return bad(value, "民族名称有误，请与身份证核对")


def _number(value: str) -> Decimal:
    if found := _NUMBER.fullmatch(value):
        return Decimal(found[1].replace(",", ""))
    if found := _NUMERALS.fullmatch(value):
        return Decimal(cn_int(found[1]))
    raise ValueError("not a number")


def _balanced(value: str) -> bool:
    depth = 0
    for char in value:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def _split(value: str, marks: str) -> list[str]:
    parts, depth = [""], 0
    for char in value:
        depth = max(0, depth + (char == "(") - (char == ")"))
        if char in marks and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part.strip()]
