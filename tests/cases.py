"""Applications that tests judge and hand in: complete ones of every matter, and what makes them wrong."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

from docproc.domain import GOOD, Field, PageReading
from docproc.fields import cid_check_digit, org_check_digit, uscc_check_digit
from docproc.matter.load import find_matter

Values = dict[str, dict[str, str | None]]
"""Values of fields by page (``material/page``) and name; ``None`` where the machine could not read it."""

TODAY = date(2026, 11, 23)


def cid(born: str, sequence: str) -> str:
    """A citizen number of Shuangliu, from a birth date (``YYYYMMDD``) and a sequence of three digits."""
    body = "510116" + born + sequence
    return body + cid_check_digit(body)


def uscc(serial: str) -> str:
    """The credit code of a sole trader of Shuangliu, from a serial of eight characters."""
    body = "92510116" + serial + org_check_digit(serial)
    return body + uscc_check_digit(body)


_DATA: dict[str, Values] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
FOOD = _DATA["food_licence"] | _DATA["card"]
TRADER = _DATA["sole_trader"] | _DATA["card"]
INSURANCE = _DATA["social_insurance"] | _DATA["card"]
OWNER, COOK, YOUTH = cid("19860312", "003"), cid("19910730", "002"), cid("20120101", "005")
TEENAGER = cid("20090101", "003")
CODE = uscc("MA6CK7P3")
ADDRESS = "四川省成都市双流区东升街道样例路8号"


def changed(values: Values, *changes: tuple[str, str, str | None]) -> Values:
    """A copy with other values, each given as page, field and value."""
    made = {key: dict(fields) for key, fields in values.items()}
    for page, name, value in changes:
        made[page][name] = value
    return made


def pages(matter: str, values: Values, confidence: float = 0.999) -> list[PageReading]:
    """The pages of an application as they are read, forms registered and all else free."""
    spec = find_matter(matter)
    found = []
    for key, fields in values.items():
        material, _, page = key.partition("/")
        form = spec.find_material(material).kind == "form"
        found.append(
            PageReading(
                f"{material}.jpg",
                0,
                material,
                "registered" if form else "free",
                GOOD,
                {k: Field(k, v, v or "", confidence, None, int(page)) for k, v in fields.items()},
                page=int(page),
                edition=spec.find_form(material).edition if form else None,
                form_id="F1" if form else None,
            )
        )
    return found
