"""Generated people, firms and places in the region that the matters serve.

Every number has valid check digits; nobody exists.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import date, timedelta

from docproc.fields import cid_check_digit, org_check_digit, uscc_check_digit

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭肖蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢"
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红玲芬燕兰云建国文志新海春雪梅东林成康"
    "光天达安永健世广义兴良山仁波宁贵福生龙元全胜学祥才发武利清飞彬富顺信子心邦承乐"
)
STREETS = ("东升街道", "西航港街道", "黄甲街道", "九江街道", "怡心街道", "彭镇")
ROADS = (
    "棠湖西路一段",
    "花园路二段",
    "金河路",
    "白河路一段",
    "航空港长城路",
    "成双大道南段",
    "星空路",
    "广都大道",
    "顺城街",
    "藏卫路中二段",
)
REGION = "四川省成都市双流区"
CODES = ("510116", "510122", "510107", "510104", "510623", "511321", "512921")
"""Divisions from which people come, old codes among them."""
NATIONS = ("汉",) * 8 + ("回", "彝", "藏")
WORDS = ("锦", "和", "悦", "江", "蓉", "棠", "禾", "云", "味", "香", "源", "福", "鲜", "竹", "川", "巷")
MOBILE = ("133", "135", "136", "138", "139", "150", "152", "158", "177", "180", "182", "187", "189")
USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    name: str
    sex: str
    """``男`` or ``女``."""
    nation: str
    born: date
    cid: str
    address: str
    phone: str
    card_from: date
    card_to: date | None
    """``None``: without end."""


@dataclass(frozen=True, slots=True)
class Firm:
    """A firm or sole trader that does not exist."""

    name: str
    uscc: str
    kind: str
    """As printed under 类型."""
    owner: Person
    capital: str
    """Capitals as printed, or empty for sole traders."""
    founded: date
    term: str
    address: str
    scope: str


def make_cid(region: str, born: date, order: int) -> str:
    """A citizen number with its check digit; an odd ``order`` (0..999) is male."""
    body = f"{region}{born:%Y%m%d}{order:03d}"
    return body + cid_check_digit(body)


def make_uscc(rng: random.Random, prefix: str = "92510116") -> str:
    """A credit code with both its check characters."""
    organisation = "MA6" + "".join(rng.choice(USCC_LETTERS) for _ in range(5))
    body = prefix + organisation + org_check_digit(organisation)
    if body[-1] not in USCC_LETTERS:
        return make_uscc(rng, prefix)
    return body + uscc_check_digit(body)


def make_address(rng: random.Random, short: bool = False) -> str:
    """An address of the region; a short one is a shop on the street."""
    base = f"{REGION}{rng.choice(STREETS)}{rng.choice(ROADS)}{rng.randint(1, 399)}号"
    if short:
        return base + rng.choice(("", f"附{rng.randint(1, 30)}号"))
    return base + f"{rng.randint(1, 20)}栋{rng.randint(1, 4)}单元{rng.randint(1, 28)}0{rng.randint(1, 6)}号"


def make_person(
    rng: random.Random, today: date, youngest: int = 22, oldest: int = 64, sex: str | None = None
) -> Person:
    """A grown-up whose ID card is valid for at least a year from ``today``."""
    sex = sex or rng.choice("男女")
    born = today - timedelta(days=rng.randint(youngest * 366, oldest * 365))
    name = rng.choice(SURNAMES) + "".join(rng.sample(GIVEN, rng.choice((1, 2, 2, 2))))
    order = rng.randint(1, 499) * 2 - (1 if sex == "男" else 0)
    start = today - timedelta(days=rng.randint(200, 8 * 365))
    age = (start - born).days // 365
    years = 10 if age < 26 else 20
    end = None if age >= 46 else _later(start, years)
    return Person(
        name,
        sex,
        rng.choice(NATIONS),
        born,
        make_cid(rng.choice(CODES), born, order),
        make_address(rng),
        rng.choice(MOBILE) + f"{rng.randint(0, 99999999):08d}",
        start,
        end,
    )


def _later(day: date, years: int) -> date:
    return day.replace(year=day.year + years, day=min(day.day, 28) if day.month == 2 else day.day)


def make_company(rng: random.Random, owner: Person, today: date) -> Firm:
    """A catering company."""
    word = "".join(rng.sample(WORDS, 2))
    founded = today - timedelta(days=rng.randint(90, 2500))
    tens = rng.choice(("壹拾", "伍拾", "壹佰", "贰佰", "叁佰", "伍佰"))
    return Firm(
        f"成都样例{word}餐饮管理有限公司",
        make_uscc(rng, "91510116"),
        rng.choice(("有限责任公司（自然人投资或控股）", "有限责任公司（自然人独资）")),
        owner,
        f"{tens}万元整",
        founded,
        "长期" if rng.random() < 0.6 else f"{_cn(founded)}至{_cn(_later(founded, 20))}",
        make_address(rng, short=True),
        "许可项目：餐饮服务；食品销售。（依法须经批准的项目，经相关部门批准后方可开展经营活动）"
        "一般项目：餐饮管理；外卖递送服务；日用百货销售。",
    )


def make_trader(rng: random.Random, owner: Person, today: date) -> Firm:
    """A sole trader with a small eating place."""
    word = "".join(rng.sample(WORDS, 2))
    return Firm(
        f"双流区样例{word}{rng.choice(('小吃店', '面馆', '餐饮店', '饮品店', '火锅店'))}",
        make_uscc(rng),
        "个体工商户",
        owner,
        "",
        today - timedelta(days=rng.randint(60, 2500)),
        "",
        make_address(rng, short=True),
        "许可项目：餐饮服务；食品销售。（依法须经批准的项目，经相关部门批准后方可开展经营活动）一般项目：外卖递送服务。",
    )


def aged_card(person: Person, end: date) -> Person:
    """The same person with a ten-year card that ended on this day."""
    return replace(person, card_from=_later(end, -10), card_to=end)


def _cn(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def chinese_day(day: date) -> str:
    """A day as printed on papers: ``2026年05月01日``."""
    return f"{day.year}年{day.month:02d}月{day.day:02d}日"
