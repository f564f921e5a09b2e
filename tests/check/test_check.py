"""Every rule of both matters speaks when it should, and only then; doubt never counts against the citizen."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.check.check import check
from docproc.domain import CheckResult, Finding, Quality
from docproc.matter.load import find_matter
from docproc.matter.model import Delegation
from tests.cases import (
    ADDRESS,
    CODE,
    COOK,
    FOOD,
    INSURANCE,
    OWNER,
    TEENAGER,
    TODAY,
    TRADER,
    YOUTH,
    Values,
    changed,
    pages,
    uscc,
)


def judge(matter: str, values: Values, confidence: float = 0.999, today: date = TODAY) -> CheckResult:
    return check(find_matter(matter), pages(matter, values, confidence), today)


def without(values: Values, *gone: str) -> Values:
    return {key: fields for key, fields in values.items() if key not in gone}


def against(result: CheckResult) -> list[Finding]:
    return [f for f in result.findings if f.severity in ("block", "fix")]


@pytest.mark.parametrize(
    ("matter", "values"), [("food_licence", FOOD), ("sole_trader", TRADER), ("social_insurance", INSURANCE)]
)
def test_a_good_application_passes_without_a_word_against_it(matter: str, values: Values) -> None:
    result = judge(matter, values)
    assert [f for f in result.findings if f.severity != "info"] == []
    assert result.verdict == "pass"


A1, A2 = "application/1", "application/2"
BROKEN = [
    ("social_insurance", changed(INSURANCE, (A1, "insured", "")), "G-01", "fix"),
    ("social_insurance", changed(INSURANCE, (A1, "sign", "")), "G-02", "fix"),
    ("social_insurance", without(INSURANCE, "bank_doc/1"), "G-00", "fix"),
    ("social_insurance", changed(INSURANCE, (A1, "rep_id", COOK)), "G-05-cid", "block"),
    ("social_insurance", changed(INSURANCE, ("bizlic/1", "name", "双流区另一家店")), "SI-02-name", "block"),
    ("social_insurance", changed(INSURANCE, ("bizlic/1", "uscc", uscc("MA6CK7P4"))), "SI-02-uscc", "block"),
    ("social_insurance", changed(INSURANCE, ("bizlic/1", "legal_rep", "样例丁")), "SI-02-rep", "block"),
    ("social_insurance", changed(INSURANCE, ("bank_doc/1", "account_name", "双流区另一家店")), "SI-03", "fix"),
    ("social_insurance", changed(INSURANCE, ("staff_list/1", "name", "双流区另一家店")), "SI-04-roster", "fix"),
    ("social_insurance", changed(INSURANCE, (A1, "insured_from", "2026-10-01")), "SI-04-date", "fix"),
    ("social_insurance", changed(INSURANCE, (A1, "address", "北京市东城区样例路8号")), "SI-08", "fix"),
    ("food_licence", changed(FOOD, (A1, "contact", "")), "G-01", "fix"),
    ("food_licence", changed(FOOD, (A1, "format", "")), "G-01", "fix"),
    ("food_licence", changed(FOOD, (A1, "seats", "")), "G-01", "fix"),
    ("food_licence", changed(FOOD, (A2, "staff.1.cid", "")), "G-01", "fix"),
    ("food_licence", changed(FOOD, (A1, "format_note", "vending")), "G-00", "fix"),
    ("food_licence", changed(FOOD, (A1, "format_note", "vending")), "G-01", "fix"),
    ("food_licence", without(FOOD, "bizlic/1"), "G-00", "fix"),
    ("food_licence", without(FOOD, A2), "G-00", "fix"),
    ("food_licence", without(FOOD, "idcard/2"), "G-04", "fix"),
    ("food_licence", changed(FOOD, ("idcard/2", "valid_to", "2026-05-12")), "G-04-valid", "fix"),
    ("food_licence", changed(FOOD, ("idcard/2", "valid_to", "2033-05-12")), "G-04-term", "warn"),
    ("food_licence", changed(FOOD, ("idcard/2", "valid_to", "长期")), "G-04-term", "warn"),
    ("food_licence", changed(FOOD, (A1, "rep_id", COOK)), "G-05-cid", "block"),
    (
        "food_licence",
        changed(FOOD, (A1, "legal_rep", "样例丁"), ("bizlic/1", "legal_rep", "样例丁")),
        "G-05-name",
        "block",
    ),
    ("food_licence", changed(FOOD, ("idcard/1", "born_on", "1986-03-13")), "G-05-self", "warn"),
    ("food_licence", changed(FOOD, (A1, "sign_date", "2026-11-24")), "G-06-date", "fix"),
    ("food_licence", changed(FOOD, (A1, "sign_date", "2023-11-30")), "G-06-edition", "fix"),
    ("food_licence", changed(FOOD, (A1, "uscc", CODE[:-1] + ("0" if CODE[-1] != "0" else "1"))), "G-06", "fix"),
    ("food_licence", changed(FOOD, (A1, "phone", "12345678901")), "G-06", "fix"),
    ("food_licence", changed(FOOD, (A1, "sign", ""), (A1, "stamp", "")), "G-02", "fix"),
    ("food_licence", changed(FOOD, (A1, "items", "prepacked")), "FO-01", "block"),
    ("food_licence", changed(FOOD, (A1, "format", "sales,catering")), "FO-02-format", "fix"),
    ("food_licence", changed(FOOD, ("bizlic/1", "name", "成都另一家餐饮有限公司")), "FO-02-name", "block"),
    ("food_licence", changed(FOOD, ("bizlic/1", "uscc", uscc("MA6CK7P4"))), "FO-02-uscc", "block"),
    ("food_licence", changed(FOOD, ("bizlic/1", "legal_rep", "王样例")), "FO-02-rep", "block"),
    ("food_licence", changed(FOOD, ("bizlic/1", "scope", "软件开发；五金零售")), "FO-03", "fix"),
    ("food_licence", changed(FOOD, (A1, "kitchen_area", "")), "FO-04-kitchen", "fix"),
    ("food_licence", changed(FOOD, (A2, "equipment.1.name", "冰箱")), "FO-04-room", "fix"),
    ("food_licence", without(FOOD, "health/1"), "FO-05", "fix"),
    ("food_licence", changed(FOOD, ("health/1", "valid_to", "2026-11-22")), "FO-05", "fix"),
    ("food_licence", changed(FOOD, ("health/1", "name", "样例戊")), "FO-05", "fix"),
    ("food_licence", changed(FOOD, (A1, "licence_no", "JY15308250014109")), "FO-06", "warn"),
    ("food_licence", changed(FOOD, (A1, "place", "江苏省苏州市吴中区样例路1号")), "FO-08", "fix"),
    ("sole_trader", changed(TRADER, (A1, "sex", "female")), "G-05-form", "block"),
    ("sole_trader", changed(TRADER, (A1, "ethnicity", "回")), "G-05-ethnicity", "warn"),
    ("sole_trader", changed(TRADER, (A1, "form", "individual,family")), "SO-01", "block"),
    ("sole_trader", changed(TRADER, (A1, "form", "family")), "SO-01-family", "block"),
    ("sole_trader", changed(TRADER, (A1, "form", "family")), "G-00", "fix"),
    ("sole_trader", changed(TRADER, (A1, "operator_id", YOUTH)), "SO-02", "fix"),
    ("sole_trader", changed(TRADER, (A1, "operator_id", TEENAGER)), "SO-02-minor", "warn"),
    ("sole_trader", changed(TRADER, (A1, "residence", "四川省成都市武侯区别处路1号")), "SO-03", "fix"),
    ("sole_trader", changed(TRADER, ("lease/1", "address", "四川省成都市双流区别处路99号2栋")), "SO-04-place", "fix"),
    ("sole_trader", changed(TRADER, (A1, "place", "江苏省苏州市吴中区样例路1号")), "SO-04-region", "fix"),
    ("sole_trader", changed(TRADER, ("lease/1", "tenant", "王别人")), "SO-04-tenant", "fix"),
    ("sole_trader", changed(TRADER, ("lease/1", "valid_to", "2026-11-22")), "SO-04-end", "fix"),
    ("sole_trader", changed(TRADER, (A1, "name", "双流区样例有限公司")), "SO-06", "warn"),
    ("sole_trader", changed(TRADER, (A1, "sign", "")), "G-02", "fix"),
    ("sole_trader", without(TRADER, "lease/1"), "G-00", "fix"),
]


@pytest.mark.parametrize(
    ("matter", "values", "code", "severity"), BROKEN, ids=[f"{b[0]}-{b[2]}-{n}" for n, b in enumerate(BROKEN)]
)
def test_each_rule_speaks_when_it_is_broken(matter: str, values: Values, code: str, severity: str) -> None:
    result = judge(matter, values)
    assert (code, severity) in [(f.code, f.severity) for f in result.findings]
    assert result.verdict == ("supplement" if against(result) else "pass")
    assert not any(f.look for f in result.findings)


@pytest.mark.parametrize(
    ("matter", "values", "code", "severity"), BROKEN, ids=[f"{b[0]}-{b[2]}-{n}" for n, b in enumerate(BROKEN)]
)
def test_a_doubtful_reading_never_counts_against_the_citizen(
    matter: str, values: Values, code: str, severity: str
) -> None:
    """Only what does not rest on a reading's exact value (a blank box, a missing paper, a tick) may still be said."""
    result = judge(matter, values, confidence=0.5)
    structural = {
        "G-00",
        "G-01",
        "G-02",
        "G-04",
        "SO-01",
        "SO-01-family",
        "FO-01",
        "FO-02-format",
        "FO-04-kitchen",
        "FO-04-room",
    }
    assert {f.code for f in against(result)} <= structural
    assert any(f.severity == "warn" for f in result.findings)


def test_a_value_that_differs_by_one_character_is_shown_to_the_reviewer_unless_both_readings_are_certain() -> None:
    values = changed(FOOD, ("bizlic/1", "name", "双流区样例小吃屋"))
    severities = {
        c: [f.severity for f in judge("food_licence", values, c).findings if f.code == "FO-02-name"]
        for c in (0.9, 0.999)
    }
    assert severities == {0.9: ["warn"], 0.999: ["block"]}


def test_an_unread_value_asks_the_reviewer_and_not_the_citizen() -> None:
    result = judge("food_licence", changed(FOOD, (A1, "rep_id", None)))
    assert [(f.code, f.field) for f in result.findings if f.severity == "warn"] == [("G-09", "rep_id")]
    assert result.verdict == "pass"


def test_an_unreadable_page_is_to_be_scanned_again() -> None:
    blurred = Quality("rescan", (Finding("scan.blur", "fix", "照片模糊，请重新扫描"),))
    readings = pages("food_licence", FOOD)
    readings[0] = replace(readings[0], quality=blurred, fields={})
    result = check(find_matter("food_licence"), readings, TODAY)
    assert result.verdict == "rescan"
    assert "scan.blur" in {f.code for f in result.findings}


def test_everything_wrong_is_told_at_once_with_its_legal_basis() -> None:
    values = changed(FOOD, (A1, "contact", ""), (A1, "items", "prepacked"), ("idcard/2", "valid_to", "2020-01-01"))
    result = judge("food_licence", values)
    assert {"G-01", "FO-01", "G-04-valid"} <= {f.code for f in against(result)}
    assert all("《" in f.basis for f in against(result))
    (notice,) = [f for f in result.findings if f.code == "G-10"]
    assert str(len(against(result))) in notice.message


def test_an_edition_that_is_over_and_a_matter_without_law_are_refused() -> None:
    matter = find_matter("food_licence")
    over = matter.model_copy(
        update={"form": tuple(f.model_copy(update={"valid_to": date(2026, 10, 31)}) for f in matter.form)}
    )
    assert "G-07" in {f.code for f in check(over, pages("food_licence", FOOD), TODAY).findings}
    assert "G-08" in {f.code for f in judge("food_licence", FOOD, today=date(2010, 1, 1)).findings}
    ended = tuple(b.model_copy(update={"valid_to": date(2023, 12, 31)}) for b in matter.basis)
    found = check(matter.model_copy(update={"basis": ended}), pages("food_licence", FOOD), TODAY)
    assert found.verdict == "supplement", "laws that all matters share authorise none"
    assert "G-08" in {f.code for f in found.findings if f.severity == "block"}


def test_a_matter_that_was_passed_down_is_told_where_it_is_not_taken() -> None:
    to = Delegation(authority="样例镇便民服务中心", basis="food_law")
    gone = find_matter("food_licence").model_copy(update={"status": "delegated", "delegated": to})
    found = check(gone, pages("food_licence", FOOD), TODAY)
    assert [f.message for f in found.findings if f.code == "G-17"] == [
        "该事项已下放至样例镇便民服务中心办理，本级只办结下放前收到的申请"
    ]
    assert not [f for f in found.findings if f.severity in ("block", "fix")]
    here = gone.model_copy(update={"delegated": to.model_copy(update={"org": ("town",)})})
    assert "G-17" not in {f.code for f in check(here, pages("food_licence", FOOD), TODAY).findings}


class Firms:
    """A register that knows one firm and one earlier licence."""

    def firm(self, uscc: str) -> dict[str, str] | None:
        return {k: v for k, v in FOOD["bizlic/1"].items() if v} if uscc == CODE else None

    def other_licence_same_place(self, cid: str, place: str) -> bool | None:
        return cid == OWNER and place == ADDRESS


def test_what_a_register_supplies_need_not_be_handed_in() -> None:
    readings = pages("food_licence", without(FOOD, "bizlic/1"))
    result = check(find_matter("food_licence"), readings, TODAY, Firms())
    assert result.verdict == "pass"
    assert "G-11" in {f.code for f in result.findings}


def test_an_earlier_licence_at_the_same_place_is_shown() -> None:
    result = check(find_matter("sole_trader"), pages("sole_trader", TRADER), TODAY, Firms())
    assert "SO-05" in {f.code for f in result.findings}


def test_a_promise_stands_in_for_the_lease() -> None:
    values = without(TRADER, "lease/1") | {
        "place_promise/1": {
            "operator": "样例甲",
            "place": ADDRESS,
            "use": "own",
            "sign": "present",
            "sign_date": "2026-11-20",
        }
    }
    assert judge("sole_trader", values).verdict == "pass"
    values["place_promise/1"]["place"] = "四川省成都市双流区别处路99号2栋"
    assert "SO-04-promise" in {f.code for f in judge("sole_trader", values).findings}


@given(st.data())
def test_any_text_in_any_field_gives_a_verdict_and_never_an_error(data: st.DataObject) -> None:
    matter, base = data.draw(st.sampled_from([("food_licence", FOOD), ("sole_trader", TRADER)]))
    values = {key: dict(fields) for key, fields in base.items()}
    for _ in range(data.draw(st.integers(1, 6))):
        page = data.draw(st.sampled_from(sorted(values)))
        name = data.draw(st.sampled_from(sorted(values[page])))
        values[page][name] = data.draw(
            st.none() | st.text(max_size=30) | st.text("0123456789X年月日长期，.-", max_size=20)
        )
    result = judge(matter, values, data.draw(st.floats(0, 1)))
    assert result.verdict in ("pass", "look", "supplement")
    assert all(f.message for f in result.findings)


@pytest.mark.parametrize("source", ["ocr", "repair"])
def test_a_value_in_doubt_is_looked_at_however_it_was_come_by(source: str) -> None:
    readings = pages("sole_trader", TRADER)
    doubted = replace(readings[0].fields["phone"], confidence=0.4, source=source)
    readings[0] = replace(readings[0], fields={**readings[0].fields, "phone": doubted})
    found = check(find_matter("sole_trader"), readings, TODAY).findings
    assert [(item.code, item.severity) for item in found if item.field == "phone"] == [("G-09", "warn")]


def test_a_field_that_an_unread_tick_may_ask_for_is_for_a_person() -> None:
    """Seats are asked of a restaurant; whether it is one could not be read."""
    result = judge("food_licence", changed(FOOD, (A1, "seats", ""), (A1, "format", None)))
    assert [(f.severity, f.look) for f in result.findings if f.field == "seats"] == [("warn", True)]
    assert result.verdict == "look"
