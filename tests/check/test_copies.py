"""Several papers of one kind: two that differ are shown with what differs, the same one twice is only said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from docproc.check.check import check
from docproc.check.copies import conflicts
from docproc.check.reconcile import gather_joined
from docproc.domain import CheckResult, Field, Finding, PageReading
from docproc.matter.load import find_matter
from tests.cases import FOOD, TODAY, TRADER, Values, changed, pages

A1 = "application/1"


def page(matter: str, values: Values, key: str, file: str = "again.jpg", confidence: float = 0.999) -> PageReading:
    (found,) = pages(matter, {key: values[key]}, confidence)
    return replace(found, file=file)


def of(matter: str, values: Values, *more: PageReading) -> CheckResult:
    return check(find_matter(matter), [*pages(matter, values), *more], TODAY)


def told(result: CheckResult, code: str) -> list[Finding]:
    return [f for f in result.findings if f.code == code]


def other_licence(name: str = "成都另一家餐饮有限公司") -> Values:
    return changed(FOOD, ("bizlic/1", "name", name), ("bizlic/1", "legal_rep", "王样例"))


def test_two_business_licences_that_differ_where_rules_look_are_for_a_person() -> None:
    result = of("food_licence", FOOD, page("food_licence", other_licence(), "bizlic/1"))
    (found,) = told(result, "G-15")
    assert (found.severity, found.look, found.material) == ("warn", True, "bizlic")
    assert "名称" in found.message and "法定代表人" in found.message and "信用代码" not in found.message
    assert result.verdict == "look"


def test_what_differs_is_known_by_page_and_field() -> None:
    matter = find_matter("food_licence")
    readings = [*pages("food_licence", FOOD), page("food_licence", other_licence(), "bizlic/1")]
    (found,) = conflicts(gather_joined(matter, readings))
    assert found.material == "bizlic" and found.fields == ("name", "legal_rep")
    assert [p.file for paper in found.papers for p in paper.pages] == ["bizlic.jpg", "again.jpg"]


def test_a_difference_that_no_rule_looks_at_is_shown_and_prevents_nothing() -> None:
    other = changed(FOOD, ("bizlic/1", "registered_capital", "壹佰万元整"))
    base = changed(FOOD, ("bizlic/1", "registered_capital", "伍拾万元整"))
    result = of("food_licence", base, page("food_licence", other, "bizlic/1"))
    assert [(f.severity, f.look) for f in told(result, "G-15")] == [("warn", False)]
    assert result.verdict == "pass"


@pytest.mark.parametrize("confidence", [0.6, 0.999])
def test_a_misreading_of_one_character_is_no_second_paper(confidence: float) -> None:
    """The same paper photographed twice, once read with doubt."""
    near = changed(FOOD, ("bizlic/1", "scope", str(FOOD["bizlic/1"]["scope"])[:-1] + "馆"))
    result = of("food_licence", FOOD, page("food_licence", near, "bizlic/1", confidence=confidence))
    assert bool(told(result, "G-15")) is (confidence > 0.9)


@pytest.mark.parametrize("key", ["bizlic/1", "idcard/1", "application/1", "health/1"])
def test_the_same_paper_again_is_said_and_asks_for_nothing(key: str) -> None:
    result = of("food_licence", FOOD, page("food_licence", FOOD, key))
    assert [f.severity for f in told(result, "G-16")] == ["info"]
    assert result.verdict == "pass" and not told(result, "G-15") and not told(result, "G-04")


def test_the_same_bytes_again_are_the_same_paper_whatever_could_be_read() -> None:
    blind = replace(page("sole_trader", TRADER, "lease/1"), fields={}, sha256="b" * 64)
    readings = [r for r in pages("sole_trader", TRADER) if r.material != "lease"]
    result = check(find_matter("sole_trader"), [*readings, blind, replace(blind, file="again.jpg")], TODAY)
    assert [f.material for f in told(result, "G-16")] == ["lease"]


def test_several_papers_of_a_kind_that_may_be_several_are_accused_of_nothing() -> None:
    cook = changed(FOOD, ("health/1", "name", "样例戊"))
    result = of("food_licence", FOOD, page("food_licence", cook, "health/1"))
    assert not told(result, "G-15") and not told(result, "G-16")


def test_a_card_of_somebody_else_is_another_paper() -> None:
    stranger = changed(FOOD, ("idcard/1", "name", "王别人"), ("idcard/1", "cid", "510116199107300021"))
    pair = [page("food_licence", stranger, key, f"{key[-1]}.jpg") for key in ("idcard/1", "idcard/2")]
    result = of("food_licence", FOOD, *pair)
    (found,) = told(result, "G-15")
    assert found.look and found.material == "idcard" and "姓名" in found.message
    assert not told(result, "G-04")


def test_pages_that_complete_each_other_are_no_two_papers() -> None:
    """A lease of two sheets: the second one names what the first does not."""
    first, second = {"landlord": "样例丙"}, {"valid_to": "2027-11-22"}
    rest = {k: v for k, v in TRADER["lease/1"].items() if k not in second}
    lease = [replace(page("sole_trader", TRADER, "lease/1"), fields=fields_of(v)) for v in ({**rest, **first}, second)]
    readings = [r for r in pages("sole_trader", TRADER) if r.material != "lease"]
    result = check(find_matter("sole_trader"), [*readings, *lease], TODAY)
    assert not told(result, "G-15") and not told(result, "G-16")


def test_a_second_print_of_the_form_that_says_something_else_is_another_paper() -> None:
    other = changed(FOOD, (A1, "phone", "13900000001"))
    pair = [replace(page("food_licence", other, key, f"{key[-1]}.jpg"), form_id="F2") for key in (A1, "application/2")]
    (found,) = told(of("food_licence", FOOD, *pair), "G-15")
    assert found.material == "application" and "电话" in found.message


def fields_of(values: dict[str, str | None]) -> dict[str, Field]:
    return {k: Field(k, v, v or "", 0.999, None, 1) for k, v in values.items()}
