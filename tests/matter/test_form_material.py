"""The application form goes by whatever id the matter file gives it, through every stage."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import cv2
import pytest

from docproc.check.check import check
from docproc.check.licence_draft import draft_licence
from docproc.domain import CheckResult
from docproc.errors import CatalogueError
from docproc.matter.load import MATTERS_DIR, find_matter, load_matter, put_in_force
from docproc.matter.model import Matter
from docproc.read.pipeline import read_file
from samples.canvas import BLUE, Style
from samples.forms import fill_form
from tests.cases import CODE, FOOD, TODAY, Values, changed, pages


@pytest.fixture
def canteen(tmp_path: Path) -> Iterator[Matter]:
    """A matter like the food licence, whose application form is called ``request``; both are in force."""
    text = (MATTERS_DIR / "food_licence.toml").read_text("utf-8")
    (tmp_path / "food_licence.toml").write_text(text, encoding="utf-8")
    text = text.replace('"application', '"request').replace('id = "food_licence"', 'id = "canteen"', 1)
    (tmp_path / "canteen.toml").write_text(text, encoding="utf-8")
    put_in_force(tmp_path)
    yield find_matter("canteen")
    put_in_force(MATTERS_DIR)


class Firms:
    """A register that knows the firm of the case."""

    def firm(self, uscc: str) -> dict[str, str] | None:
        return {name: value for name, value in FOOD["bizlic/1"].items() if value} if uscc == CODE else None

    def other_licence_same_place(self, cid: str, place: str) -> bool | None:
        return None


def renamed(values: Values) -> Values:
    return {key.replace("application/", "request/"): fields for key, fields in values.items()}


def findings(result: CheckResult) -> list[tuple[str, str, str | None]]:
    return [
        (item.code, (item.material or "").replace("application", "request"), item.field) for item in result.findings
    ]


def test_a_printed_and_filled_form_is_read_and_checked(canteen: Matter) -> None:
    assert canteen.form_material == "request"
    case = renamed(FOOD)
    values = {name: value for page in ("request/1", "request/2") for name, value in case[page].items() if value}
    hand = Style("noto-serif", BLUE)
    sheets = fill_form("canteen", "request", "TEST000001", values, hand, random.Random(3), 200, signers={"": "样例甲"})
    scans = [cv2.imencode(".png", sheet.image)[1].tobytes() for sheet in sheets]
    read = [reading for scan in scans for reading in read_file(scan, "scan.png", canteen, today=TODAY)]
    found = [(item.how, item.material, item.page) for item in read]
    assert found == [("registered", "request", 1), ("registered", "request", 2)]
    assert read[0].fields["uscc"].value == CODE
    rest = [item for item in pages("canteen", case) if item.material not in ("request", "bizlic")]
    result = check(canteen, [*read, *rest], TODAY, Firms())
    assert [item for item in result.findings if item.severity in ("block", "fix")] == []
    before_it_was_signed = check(canteen, [*read, *rest], date(2026, 11, 19), Firms())
    assert ("G-06-date", "request", "sign_date") in findings(before_it_was_signed)


@pytest.mark.parametrize(
    "values",
    [
        FOOD,
        changed(FOOD, ("application/1", "sign_date", "2023-11-30")),
        {page: fields for page, fields in FOOD.items() if page != "bizlic/1"},
    ],
    ids=["good", "signed before the edition", "business licence from the register"],
)
def test_findings_and_licence_are_as_with_the_usual_id(canteen: Matter, values: Values) -> None:
    usual = check(find_matter("food_licence"), pages("food_licence", values), TODAY, Firms())
    readings = pages("canteen", renamed(values))
    assert findings(check(canteen, readings, TODAY, Firms())) == findings(usual)
    licence = draft_licence(
        canteen,
        readings,
        serial=1,
        application="510116-XX-20261123-000001",
        authority="示例市市场监督管理局（样例）",
        authority_code="11990099MB00000000",
        today=TODAY,
        verify_url="http://127.0.0.1/v/x",
    )
    assert licence.number.startswith("JY2510116")


@pytest.mark.parametrize(
    ("holder", "problem"),
    [
        ('holder = "idcard.name"', "none of the forms"),
        ('holder = "request.name"\nholder_or = "layout.place"', "'request' and 'layout'"),
    ],
)
def test_a_matter_that_leaves_open_which_is_the_application_form_is_refused(
    canteen: Matter, tmp_path: Path, holder: str, problem: str
) -> None:
    path = tmp_path / "canteen.toml"
    path.write_text(path.read_text("utf-8").replace('holder = "request.name"', holder, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=problem) as caught:
        load_matter(path)
    assert "of one form" in caught.value.remedy
    assert path.read_text("utf-8").splitlines()[caught.value.line - 1].startswith("holder")
