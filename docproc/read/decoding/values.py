"""Map a complete reading to the normalised value of its type, or to ``None`` where the type's rules reject it.

The search uses only these rules: shape, calendar and check digits, mostly from :mod:`docproc.fields`. Whether a value
is *true* (in force, consistent, known) is checked in :mod:`docproc.check.check`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from docproc.fields import VALIDATORS, is_long, locate, normalise_text, parse_cn_date, parse_period

EARLIEST = date(1900, 1, 1)
LATEST = date(2099, 12, 31)
DOUBTFUL_CURRENCY = "¤"
"""Placeholder for a digit that may be a ¥ of the same shape."""
_LANDLINE = re.compile(r"(?:\+?86)?\(?(0(?:10|2\d|[3-9]\d{2}))\)?-?([2-8]\d{6,7})(?:-?(\d{1,6}))?")
_SERVICE = re.compile(r"[48]00\d{7}|9[56]\d{3,6}|1[0-2]\d{1,3}")
_ENDINGS_TEXT = """
公司 合伙企业 (有限合伙) (普通合伙) (特殊普通合伙) 合作社 联社 厂 店 部 馆 室 站 场 所 坊 屋 院 园 楼 城
铺 吧 局 会 中心 集团 经营户 工商户 学校 食堂 酒家 超市
"""
_ENDINGS = tuple(_ENDINGS_TEXT.split())
_TRADES_TEXT = """
餐饮 食品 商贸 贸易 科技 技术 管理 服务 咨询 文化 传媒 广告 装饰 工程 建筑 建材 物流 运输 电子 机械 设备
实业 投资 置业 房地产 物业 医药 医疗 器械 化工 纺织 服饰 服装 网络 信息 软件 农业 农产品 生物 环保 能源
汽车 酒店 旅游 教育 培训 美容 便利 超市 百货 烟酒 茶 面馆 小吃 火锅 快餐 饭店 水果 蔬菜 五金 制造
"""
_TRADES = tuple(_TRADES_TEXT.split())
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤",
    "温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华"
    "喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄"
    "丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄"
    "平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀"
    "衣信展阴昝智幸奉植衡富尧闭由",
)
"""The hundred most common family names (85 of 100 people), and further ones."""
_DOUBLE_SURNAMES_TEXT = """
欧阳 上官 东方 诸葛 皇甫 尉迟 公孙 令狐 慕容 司徒 夏侯 轩辕 长孙 宇文 司马 端木 南宫 百里 呼延 闻人 澹台
淳于 万俟 独孤 拓跋 赫连 鲜于 申屠
"""
_DOUBLE_SURNAMES = frozenset(_DOUBLE_SURNAMES_TEXT.split())
_NUMBERED = re.compile(r"[号弄栋幢座单层楼室房期区组社街路巷村段院队井门排元米-]|[.,、/(]|$")
"""What follows a number in an address."""
_NUMBER = re.compile(r"[0-9]+")
_LETTER = re.compile(r"[A-Za-z]")
_LOOSE_MARK = re.compile(r"(?<![0-9A-Za-z])[-/]|[-/](?![0-9A-Za-z])")


def checked(type_name: str) -> Callable[[str], str | None]:
    """Return a function that maps a text to the value its type's validator accepts, or to ``None``."""
    validator = VALIDATORS[type_name]

    def value(text: str) -> str | None:
        result = validator(text, today=LATEST)
        return result.value if result.ok else None

    return value


def regno_or_uscc(text: str) -> str | None:
    """Validate a registration number or credit code; the length tells which it is."""
    return checked("regno" if len(text) == 15 else "uscc")(text)


def calendar_day(text: str) -> str | None:
    """Parse a calendar day between 1900 and 2099 to ISO 8601."""
    try:
        day = parse_cn_date(text)
    except ValueError:
        return None
    return day.isoformat() if EARLIEST <= day <= LATEST else None


def day_or_long(text: str) -> str | None:
    """Parse a calendar day, or ``长期`` (unlimited)."""
    return "长期" if is_long(text) else calendar_day(text)


def period(text: str) -> str | None:
    """Parse a period to ``start/end``, ``start/长期`` or ``长期``."""
    try:
        days = parse_period(text)
    except ValueError:
        return None
    if any(day is not None and not EARLIEST <= day <= LATEST for day in days):
        return None
    return checked("period")(text)


def amount(text: str) -> str | None:
    """Parse an amount of money to a plain decimal, followed by a space and the currency unless it is yuan."""
    return checked("amount")(text.removeprefix(DOUBTFUL_CURRENCY))


def phone(text: str) -> str | None:
    """Parse a mobile number, a landline (area code, number and extension joined by dashes) or a service number."""
    if value := checked("mobile")(text):
        return value
    if found := _LANDLINE.fullmatch(text):
        return "-".join(part for part in found.groups() if part)
    bare = text.replace("-", "")
    return bare if _SERVICE.fullmatch(bare) else None


def plain(text: str) -> str | None:
    """Return the normal form of a text, ``None`` when it holds only white space."""
    return normalise_text(text) or None


def unchanged(text: str) -> str:
    """Return the reading unchanged."""
    return text


def has_firm_suffix(value: str) -> bool:
    """Whether a name ends like the name of a firm, shop or institution."""
    return value.endswith(_ENDINGS)


def firm_prior(value: str) -> float:
    """Return the log prior (nats) of a firm's name: most names contain their trade and end in a known suffix.

    Assumed, not measured: one name in fifty has an unknown suffix, one in seven a trade that is not listed.
    """
    ending = 0.0 if has_firm_suffix(value) else -4.0
    return ending + (0.0 if any(trade in value for trade in _TRADES) else -2.0)


def person_prior(value: str) -> float:
    """Return the log prior (nats) of a person's name: nearly all begin with a known family name.

    Of a hundred people in China 85 have one of the hundred most common family names, and 13 one of the next three
    hundred; the priors are weaker than these shares.
    """
    if "·" in value or value.isascii() or value[:2] in _DOUBLE_SURNAMES:
        return 0.0
    common, known = _SURNAMES
    return 0.0 if value[0] in common else -1.5 if value[0] in known else -3.5


def address_prior(value: str) -> float:
    """Return the log prior (nats) of an address: it names its district, and a counted unit follows each number.

    Assumed, not measured: one number in fifty has no unit, one address in seven has a letter or a stray mark, one in
    twenty names no district that is in the tables.
    """
    odd = sum(not _NUMBERED.match(value, found.end()) for found in _NUMBER.finditer(value))
    loose = bool(_LETTER.search(value)) + bool(_LOOSE_MARK.search(value)) + (value.count("(") != value.count(")"))
    place = locate(value)
    return -4.0 * min(odd, 2) - 2.0 * loose - (0.0 if place is not None and place.level == "county" else 3.0)


def no_prior(value: str) -> float:
    """Return the uniform log prior."""
    return 0.0
