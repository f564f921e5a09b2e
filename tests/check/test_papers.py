"""Which papers are there: an unknown page is at most one of them, and what a person says of a page is no proof."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from docproc.check.check import check
from docproc.check.papers import unsettled
from docproc.domain import GOOD, CheckResult, Finding, PageReading, Quality
from docproc.matter.load import find_matter
from tests.cases import FOOD, TODAY, TRADER, Values, changed, pages

NOISE = PageReading("noise.jpg", 0, None, "free", GOOD, sha256="a" * 64)
BLANK = Quality("rescan", (Finding("scan.blank", "fix", "页面为空白"),))


def of(matter: str, values: Values, *more: PageReading, today: date = TODAY) -> CheckResult:
    return check(find_matter(matter), [*pages(matter, values), *more], today)


def without(values: Values, *gone: str) -> Values:
    return {key: fields for key, fields in values.items() if key not in gone}


def missing(result: CheckResult, severity: str) -> list[str | None]:
    return [f.material for f in result.findings if f.code == "G-00" and f.severity == severity]


def claim(reading: PageReading) -> PageReading:
    """The same page where a person said what it is and the reader could not tell."""
    return replace(reading, claimed=True, fields={k: replace(f, value=None) for k, f in reading.fields.items()})


def test_one_unknown_page_excuses_no_application_that_has_nothing_else() -> None:
    result = check(find_matter("food_licence"), [NOISE], TODAY)
    assert result.verdict == "supplement"
    assert missing(result, "fix") == ["application", "idcard", "bizlic", "layout", "rules_list"]


@pytest.mark.parametrize(("unknown", "verdict"), [(0, "supplement"), (1, "supplement"), (2, "look"), (3, "look")])
def test_as_many_papers_as_there_are_unknown_pages_may_be_there(unknown: int, verdict: str) -> None:
    more = [replace(NOISE, file=f"{n}.jpg", sha256=str(n) * 64) for n in range(unknown)]
    result = of("sole_trader", without(TRADER, "idcard/1", "idcard/2", "lease/1"), *more)
    assert result.verdict == verdict
    told = missing(result, "warn" if verdict == "look" else "fix")
    assert told == ["idcard", "lease"], "all are told at once, whichever it is"
    assert sum(f.code == "G-12" for f in result.findings) == unknown


def test_exactly_one_missing_paper_and_one_unknown_page_are_for_a_person_to_look_at() -> None:
    result = of("food_licence", without(FOOD, "bizlic/1"), NOISE)
    assert result.verdict == "look"
    assert [(f.code, f.look) for f in result.findings if f.material == "bizlic"] == [("G-00", True)]


def test_an_unknown_page_beside_a_complete_application_is_said_and_prevents_nothing() -> None:
    result = of("food_licence", FOOD, NOISE)
    assert result.verdict == "pass"
    (told,) = [f for f in result.findings if f.code == "G-12"]
    assert "noise.jpg" in told.message and "撤回" in told.message


def test_the_same_unknown_page_twice_is_one_page() -> None:
    result = of("sole_trader", without(TRADER, "idcard/1", "idcard/2", "lease/1"), NOISE, NOISE)
    assert result.verdict == "supplement"


def test_a_blank_page_is_no_paper() -> None:
    result = of("food_licence", without(FOOD, "bizlic/1"), replace(NOISE, quality=BLANK))
    assert result.verdict == "rescan" and missing(result, "fix") == ["bizlic"]


@pytest.mark.parametrize("gone", ["application/2", "idcard/2"])
def test_a_missing_side_counts_as_one_of_the_papers_that_an_unknown_page_may_be(gone: str) -> None:
    assert of("food_licence", without(FOOD, gone), NOISE).verdict == "look"
    assert of("food_licence", without(FOOD, gone, "bizlic/1"), NOISE).verdict == "supplement"


def test_a_paper_that_only_a_person_named_is_looked_at_however_good_the_rest_is() -> None:
    readings = [claim(r) if r.material == "bizlic" else r for r in pages("food_licence", FOOD)]
    result = check(find_matter("food_licence"), readings, TODAY)
    assert result.verdict == "look"
    assert [(f.code, f.severity, f.look) for f in result.findings if f.code == "G-14"] == [("G-14", "warn", True)]
    assert unsettled(find_matter("food_licence"), readings).claimed == ("bizlic",)


def test_a_page_that_a_person_called_none_of_the_papers_excuses_nothing() -> None:
    result = of("food_licence", without(FOOD, "bizlic/1"), replace(NOISE, claimed=True))
    assert result.verdict == "supplement" and missing(result, "fix") == ["bizlic"]
    spoilt = replace(NOISE, claimed=True, quality=Quality("rescan", (Finding("scan.blur", "fix", "模糊"),)))
    assert of("food_licence", FOOD, spoilt).verdict == "pass", "nobody scans again what is none of the papers"


def test_a_need_that_hangs_on_an_unread_tick_is_for_a_person() -> None:
    result = of("food_licence", changed(FOOD, ("application/1", "format_note", None)))
    assert ("G-00", "vending_plan", "warn", True) in [(f.code, f.material, f.severity, f.look) for f in result.findings]
    assert result.verdict == "look"


def test_what_would_forbid_if_it_were_read_for_certain_is_looked_at() -> None:
    values = changed(FOOD, ("bizlic/1", "name", "成都另一家餐饮有限公司"))
    doubtful = check(find_matter("food_licence"), pages("food_licence", values, 0.7), TODAY)
    assert [(f.severity, f.look) for f in doubtful.findings if f.code == "FO-02-name"] == [("warn", True)]
    assert doubtful.verdict == "look"
    certain = check(find_matter("food_licence"), pages("food_licence", values), TODAY)
    assert certain.verdict == "supplement"


def test_unsettled_papers_are_those_missing_and_those_that_only_a_person_named() -> None:
    matter = find_matter("sole_trader")
    assert unsettled(matter, pages("sole_trader", TRADER)).missing == ()
    left = unsettled(matter, [*pages("sole_trader", without(TRADER, "lease/1", "application/2")), NOISE, NOISE])
    assert left.missing == ("application", "lease") and left.claimed == ()
