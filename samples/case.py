"""The content of one application before anything is drawn: who applies, with which papers, saying what."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from docproc.fields import mod11_10
from samples.canvas import BLACK, BLUE, Style
from samples.fonts import HANDWRITING
from samples.people import Firm, Person, make_address, make_company, make_person, make_trader

TODAY = date(2026, 11, 23)
"""The day on which all samples are handed in."""
EQUIPMENT = (
    ("冷藏冰箱", "后厨"),
    ("消毒柜", "洗消间"),
    ("燃气灶", "后厨"),
    ("操作台", "后厨"),
    ("蒸箱", "后厨"),
    ("留样柜", "备餐间"),
)
SCOPES = (
    "许可项目：食品销售。一般项目：日用百货销售；外卖递送服务。",
    "许可项目：餐饮服务；食品销售。一般项目：日用杂品销售。",
    "一般项目：日用百货销售；五金产品零售；办公用品销售；家用电器零配件销售。",
    "一般项目：理发服务；美甲服务；化妆品零售；服装服饰零售；鞋帽零售。",
)
TRADER_ENDS = ("便利店", "小吃店", "服装店", "水果店", "五金经营部", "理发店")


@dataclass
class Case:
    """One application; scenarios change it before it is drawn."""

    matter: str
    style: Style
    owner: Person
    card: Person
    """Who the ID card says."""
    forms: dict[str, dict[str, str]]
    """Values by material and field name; what is absent stays blank."""
    firm: Firm | None = None
    """What the business licence says."""
    health: list[tuple[Person, date]] = field(default_factory=list)
    """Holder and day of issue of each health certificate."""
    lease: tuple[Person, str, date, date] | None = None
    """Landlord, address, first and last day."""
    household: list[tuple[Person, str]] = field(default_factory=list)
    seal: str = ""
    """Name on the applicant's seal."""
    signers: dict[str, str] = field(default_factory=dict)
    """Who signs in a field, where it is not the owner."""
    damage: dict[tuple[str, int], list[tuple[str, float]]] = field(default_factory=dict)
    """Damage of single pages by material and page, in place of a chance one."""


def make_style(font: str, rng: random.Random) -> Style:
    """A hand in this font, or clean print where it is a printed face."""
    if font not in HANDWRITING:
        return Style(font, BLACK, 1.0, 0.0, 0.0, 1.0)
    return Style(
        font,
        rng.choice((BLACK, BLUE)),
        rng.uniform(1.05, 1.22),
        rng.uniform(-0.03, 0.08),
        rng.uniform(0.5, 1.1),
        rng.uniform(0.82, 1.0),
    )


def _code(option: bool, key: str) -> list[str]:
    return [key] if option else []


def food_case(rng: random.Random, style: Style) -> Case:
    """A complete food licence application: eating place or shop."""
    owner = make_person(rng, TODAY)
    firm = (make_company if rng.random() < 0.5 else make_trader)(rng, owner, TODAY)
    catering = rng.random() < 0.8
    cold = catering and rng.random() < 0.25
    items = ["prepacked", *_code(not catering or rng.random() < 0.3, "bulk")]
    items += [*_code(catering, "hot"), *_code(cold, "cold"), *_code(catering and rng.random() < 0.4, "drinks")]
    signed = (TODAY - timedelta(days=rng.randint(0, 9))).isoformat()
    staff = [make_person(rng, TODAY, 20, 58) for _ in range(rng.randint(1, 2))]
    application = {
        "name": firm.name,
        "uscc": firm.uscc,
        "legal_rep": owner.name,
        "contact": rng.choice((owner.name, staff[0].name)),
        "rep_id": owner.cid,
        "phone": owner.phone,
        "domicile": firm.address,
        "place": firm.address,
        "format": "catering" if catering else "sales",
        "format_note": rng.choice(("", "", "online")),
        "items": ",".join(items),
        "area": rng.choice((f"{rng.randint(20, 300)}", f"{rng.randint(200, 1500) / 10}")),
        "seats": str(rng.randint(8, 120)) if catering else "",
        "kitchen_area": str(rng.randint(8, 60)) if catering else "",
        "licence_no": make_permit_no(rng) if rng.random() < 0.25 else "",
        "sign": "present",
        "stamp": "present" if firm.capital or rng.random() < 0.5 else "",
        "sign_date": signed,
    }
    for row, person in enumerate(staff, 1):
        application |= {
            f"staff.{row}.name": person.name,
            f"staff.{row}.cid": person.cid,
            f"staff.{row}.post": "manager" if row == 1 else "handler",
            f"staff.{row}.training": "passed",
        }
    equipment = [*rng.sample(EQUIPMENT, rng.randint(2, 4)), *([("冷食专间", "后厨")] if cold else [])]
    for row, (name, where) in enumerate(equipment, 1):
        application |= {
            f"equipment.{row}.name": name,
            f"equipment.{row}.count": str(rng.randint(1, 6)),
            f"equipment.{row}.where": where,
        }
    systems = [
        "staff_health",
        "staff_training",
        "managers",
        "self_check",
        "process_control",
        "cleaning",
        "purchase",
        "storage",
        "waste",
        "emergency",
    ]
    ticked = [key for key in systems if rng.random() < 0.85] or systems[:1]
    forms = {
        "application": application,
        "layout": {
            "place": firm.address,
            "plan": "present",
            "process": "present",
            "sign": "present",
            "sign_date": signed,
        },
        "rules_list": {
            "name": firm.name,
            "systems": ",".join(ticked),
            "others": rng.choice(("", "食品留样制度、投诉处理制度")),
            "sign": "present",
            "sign_date": signed,
        },
    }
    health = [(person, TODAY - timedelta(days=rng.randint(5, 300))) for person in staff]
    return Case("food_licence", style, owner, owner, forms, firm, health, seal=firm.name)


def make_permit_no(rng: random.Random) -> str:
    """Number of a food licence with its check digit."""
    body = f"{rng.choice('12')}510116{rng.randint(1, 999999):06d}"
    return f"JY{body}{mod11_10(body)}"


def trader_case(rng: random.Random, style: Style, family: bool | None = None) -> Case:
    """A complete registration of a sole trader, alone or as a family."""
    owner = make_person(rng, TODAY)
    as_family = rng.random() < 0.3 if family is None else family
    place = make_address(rng, short=True)
    signed = TODAY - timedelta(days=rng.randint(0, 9))
    word = make_trader(rng, owner, TODAY).name[5:7]
    application = {
        "name": f"双流区样例{word}{rng.choice(TRADER_ENDS)}",
        "operator": owner.name,
        "ethnicity": owner.nation,
        "operator_id": owner.cid,
        "sex": "male" if owner.sex == "男" else "female",
        "born_on": owner.born.isoformat(),
        "phone": owner.phone,
        "residence": owner.address,
        "form": "family" if as_family else "individual",
        "place": place,
        "scope": rng.choice(SCOPES),
        "employees": str(rng.randint(1, 8)),
        "capital": str(rng.randint(1, 30)),
        "sign": "present",
        "sign_date": signed.isoformat(),
    }
    household: list[tuple[Person, str]] = []
    if as_family:
        member = make_person(rng, TODAY, sex="女" if owner.sex == "男" else "男")
        household.append((member, "配偶"))
        application |= {
            "family.1.name": member.name,
            "family.1.cid": member.cid,
            "family.1.relation": "配偶",
            "family_sign": "present",
        }
    begin = TODAY.replace(day=1) - timedelta(days=rng.randint(1, 10) * 30)
    end = begin.replace(year=begin.year + rng.randint(2, 5), day=min(begin.day, 28)) - timedelta(days=1)
    landlord = make_person(rng, TODAY, 30, 70)
    return Case(
        "sole_trader",
        style,
        owner,
        owner,
        {"application": application},
        lease=(landlord, place, begin, end),
        household=household,
        signers={"family_sign": household[0][0].name} if household else {},
    )


def make_case(matter: str, rng: random.Random, font: str) -> Case:
    """A complete application for a matter, written in this font.

    Raises:
        ValueError: there are no samples for the matter.
    """
    style = make_style(font, rng)
    if matter == "food_licence":
        return food_case(rng, style)
    if matter == "sole_trader":
        return trader_case(rng, style)
    raise ValueError(f"no samples for {matter!r}: use food_licence or sole_trader")
