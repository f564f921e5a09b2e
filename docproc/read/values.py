"""From a whole reading to the normalised value of its type, or ``None`` where the type's own rules refuse it.

These are the rules that a search may lean on: shape, calendar and check digits, mostly :mod:`docproc.validators`.
Whether a value is *right* (in force, consistent, known) is for :mod:`docproc.check`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from docproc.validators import VALIDATORS, is_long, normalise_text, parse_cn_date, parse_period

EARLIEST = date(1900, 1, 1)
LATEST = date(2099, 12, 31)
DOUBTFUL_CURRENCY = "¤"
"""Stands for a figure that may be a ¥ written like it."""
_LANDLINE = re.compile(r"(?:\+?86)?\(?(0(?:10|2\d|[3-9]\d{2}))\)?-?([2-8]\d{6,7})(?:-?(\d{1,6}))?")
_SERVICE = re.compile(r"[48]00\d{7}|9[56]\d{3,6}|1[0-2]\d{1,3}")
_ENDINGS = (
    "公司", "合伙企业", "(有限合伙)", "(普通合伙)", "(特殊普通合伙)", "合作社", "联社", "厂", "店", "部", "馆", "室",
    "站", "场", "所", "坊", "屋", "院", "园", "楼", "城", "铺", "吧", "局", "会", "中心", "集团", "经营户", "工商户",
    "学校", "食堂", "酒家", "超市",
)  # fmt: skip
_TRADES = (
    "餐饮", "食品", "商贸", "贸易", "科技", "技术", "管理", "服务", "咨询", "文化", "传媒", "广告", "装饰", "工程",
    "建筑", "建材", "物流", "运输", "电子", "机械", "设备", "实业", "投资", "置业", "房地产", "物业", "医药", "医疗",
    "器械", "化工", "纺织", "服饰", "服装", "网络", "信息", "软件", "农业", "农产品", "生物", "环保", "能源", "汽车",
    "酒店", "旅游", "教育", "培训", "美容", "便利", "超市", "百货", "烟酒", "茶", "面馆", "小吃", "火锅", "快餐",
    "饭店", "水果", "蔬菜", "五金", "制造",
)  # fmt: skip


def checked(type_name: str) -> Callable[[str], str | None]:
    """Return the validator of a type as a function to the value, or to ``None``."""
    validator = VALIDATORS[type_name]

    def value(text: str) -> str | None:
        result = validator(text, today=LATEST)
        return result.value if result.ok else None

    return value


def regno_or_uscc(text: str) -> str | None:
    """Either number, told apart by its length."""
    return checked("regno" if len(text) == 15 else "uscc")(text)


def calendar_day(text: str) -> str | None:
    """A real day between 1900 and 2099, as ISO 8601."""
    try:
        day = parse_cn_date(text)
    except ValueError:
        return None
    return day.isoformat() if EARLIEST <= day <= LATEST else None


def day_or_long(text: str) -> str | None:
    """A real day, or ``长期``."""
    return "长期" if is_long(text) else calendar_day(text)


def period(text: str) -> str | None:
    """A term of real days: ``start/end``, ``start/长期`` or ``长期``."""
    try:
        days = parse_period(text)
    except ValueError:
        return None
    if any(day is not None and not EARLIEST <= day <= LATEST for day in days):
        return None
    return checked("period")(text)


def amount(text: str) -> str | None:
    """An amount of money as a plain decimal, with its currency after a blank unless it is yuan."""
    return checked("amount")(text.removeprefix(DOUBTFUL_CURRENCY))


def phone(text: str) -> str | None:
    """A mobile number, or area code, number and extension joined by dashes, or a service number."""
    if value := checked("mobile")(text):
        return value
    if found := _LANDLINE.fullmatch(text):
        return "-".join(part for part in found.groups() if part)
    bare = text.replace("-", "")
    return bare if _SERVICE.fullmatch(bare) else None


def plain(text: str) -> str | None:
    """Text in its normal form; nothing but blanks is no text."""
    return normalise_text(text) or None


def same(text: str) -> str | None:
    """The reading itself."""
    return text


def ends_like_a_firm(value: str) -> bool:
    """Whether a name ends as names of firms, shops and institutions do."""
    return value.endswith(_ENDINGS)


def firm_prior(value: str) -> float:
    """Log weight (nats) of a firm's name before it is seen: names say their trade and end in a known form.

    Assumed, not measured: of fifty names one has an unknown ending, of seven one a trade that is not listed.
    """
    ending = 0.0 if ends_like_a_firm(value) else -4.0
    return ending + (0.0 if any(trade in value for trade in _TRADES) else -2.0)


def no_prior(value: str) -> float:
    """No value is likelier than another before it is seen."""
    return 0.0
