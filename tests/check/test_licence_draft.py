"""From readings to the licence: numbers, term, labels, and what must not be printed."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.check.licence_draft import draft_licence, series
from docproc.check.rules import last_day
from docproc.errors import ConflictError
from docproc.fields import validate
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.matter.load import find_matter
from tests.cases import FOOD, TRADER, Values, pages

TODAY = date(2026, 11, 23)


def drafted(matter: str, values: Values, serial: int = 1):  # type: ignore[no-untyped-def]
    return draft_licence(
        find_matter(matter),
        pages(matter, values),
        serial=serial,
        application="510116-XX-20261123-000001",
        authority="示例市市场监督管理局（样例）",
        authority_code="11990099MB00000000",
        today=TODAY,
        verify_url="http://127.0.0.1/v/x",
    )


def without(values: Values, **fields: str | None) -> Values:
    changed = {key: dict(item) for key, item in values.items()}
    changed["application/1"].update(fields)
    return changed


@given(serial=st.integers(1, 999_999))
def test_every_number_passes_its_own_check_digits(serial: int) -> None:
    food, trader = drafted("food_licence", FOOD, serial), drafted("sole_trader", TRADER, serial)
    assert food.number.startswith("JY2510116") and validate("food_licence_no", food.number, today=TODAY).ok
    assert trader.number.startswith("92510116MA") and validate("uscc", trader.number, today=TODAY).ok


def test_a_food_licence_says_what_was_applied_for_in_words() -> None:
    licence = drafted("food_licence", FOOD)
    values = {name: value for name, _, value in licence.fields}
    assert values["format"] == "餐饮服务经营者" and "、" in values["items"]
    assert licence.holder == values["holder"] == "双流区样例小吃店"
    assert (licence.valid_from, licence.valid_to) == (TODAY, date(2031, 11, 22))


def test_a_sole_trader_without_a_trade_name_is_named_by_the_person() -> None:
    assert drafted("sole_trader", without(TRADER, name="")).holder == "样例甲"
    assert drafted("sole_trader", TRADER).valid_to is None


@pytest.mark.parametrize("field", ["operator", "place", "scope"])
def test_what_the_machine_did_not_read_is_never_printed(field: str) -> None:
    with pytest.raises(ConflictError) as error:
        drafted("sole_trader", without(TRADER, **{field: None}))
    assert "人工录入" in error.value.message_zh


def test_an_ambiguous_choice_gives_no_number() -> None:
    with pytest.raises(ConflictError, match="format"):
        drafted("food_licence", without(FOOD, format="sales,catering"))


def test_series_and_codes_follow_matter_and_place() -> None:
    assert [find_matter(key).number_code for key in ("food_licence", "sole_trader", "social_insurance")] == [
        "FL",
        "ST",
        "SI",
    ]
    food = find_matter("food_licence")
    assert series(food, pages("food_licence", FOOD)) == "licence:food_business:2510116"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date(2026, 11, 23), date(2031, 11, 22)),
        (date(2024, 2, 29), date(2029, 2, 28)),
        (date(2027, 1, 1), date(2031, 12, 31)),
    ],
)
def test_a_term_ends_on_the_day_before_its_anniversary(start: date, end: date) -> None:
    assert last_day(start, 5) == end


@pytest.mark.parametrize(("matter", "values"), [("food_licence", FOOD), ("sole_trader", TRADER)])
def test_every_matter_has_a_layout_that_takes_its_licence(matter: str, values: Values) -> None:
    licence = drafted(matter, values)
    assert render(licence, load_layout(find_matter(matter).licence.layout)).startswith(b"%PDF-")
