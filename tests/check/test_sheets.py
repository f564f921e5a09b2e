"""Sheets of one table: rows go on in the order of the sheets, and what is missing, doubled or mixed in is named."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from docproc.check.check import check
from docproc.check.reconcile import gather_joined
from docproc.domain import CheckResult, Field, PageReading, Quality
from docproc.matter.load import find_matter
from tests.cases import FOOD, TODAY, cid, pages

MATTER = find_matter("food_licence")
ROWS = 5
"""Of the staff table on a sheet of the application's second page."""


def sheet(number: int, count: int, *names: str, form_id: str = "F1", **more: str) -> PageReading:
    """A sheet of page 2 with these persons; rows are named by their place in the whole table, as they are read."""
    second = next(p for p in pages("food_licence", FOOD) if (p.material, p.page) == ("application", 2))
    rest = {k: v for k, v in second.fields.items() if not k.startswith("staff.") and number == 1}
    fields = dict(rest)
    for row in range(1, ROWS + 1):
        at = (number - 1) * ROWS + row
        name = names[row - 1] if row <= len(names) else ""
        values = {"name": name, "cid": cid("19900101", f"{at:03d}") if name else "", "post": "manager" if name else ""}
        for column, value in (values | ({"training": "passed"} if name else {"training": ""})).items():
            key = f"staff.{at}.{column}"
            fields[key] = Field(key, value, value, 0.999, (0, 0, 9, 9), 2)
    fields |= {key: Field(key, value, value, 0.999, (0, 0, 9, 9), 2) for key, value in more.items()}
    return replace(second, file=f"{form_id}-{number}.jpg", fields=fields, form_id=form_id, sheet=number, sheets=count)


def judged(*sheets: PageReading) -> CheckResult:
    others = [p for p in pages("food_licence", FOOD) if (p.material, p.page) != ("application", 2)]
    return check(MATTER, [*others, *sheets], TODAY)


def told(result: CheckResult, *codes: str) -> list[tuple[str, str, str]]:
    return [(f.code, f.severity, f.message) for f in result.findings if f.code in codes]


def staff(*sheets: PageReading) -> list[str | None]:
    first = pages("food_licence", FOOD)[0]
    return [row["name"].value for row in gather_joined(MATTER, [first, *sheets]).rows("application.staff")]


THREE = (sheet(1, 3, *"甲乙丙丁戊"), sheet(2, 3, *"己庚"), sheet(3, 3, "辛"))
ABOUT_SHEETS = ("G-00", "G-15", "G-18", "G-19", "G-20")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_rows_go_on_whatever_the_order_of_the_scans(order: tuple[int, ...]) -> None:
    sheets = [THREE[n] for n in order]
    assert staff(*sheets) == list("甲乙丙丁戊己庚辛")
    assert told(judged(*sheets), *ABOUT_SHEETS, "G-16") == []


def test_a_missing_sheet_is_named() -> None:
    result = judged(THREE[0], THREE[2])
    assert told(result, *ABOUT_SHEETS) == [("G-00", "fix", "缺少材料：《食品经营许可申请书》第2页第2张（共3张）")]
    assert result.verdict == "supplement"
    assert staff(THREE[0], THREE[2]) == list("甲乙丙丁戊辛")


def test_a_sheet_that_was_scanned_twice_with_other_content_is_named_and_counts_once() -> None:
    copied = replace(sheet(2, 3, *"子丑寅"), file="copy.jpg")
    result = judged(*THREE, copied)
    assert told(result, *ABOUT_SHEETS) == [
        ("G-18", "fix", "“食品经营许可申请书第2页第2张（共3张）”扫描了不止一次，内容不一致，请撤回不要的一份")
    ]
    assert staff(*THREE, copied) == list("甲乙丙丁戊己庚辛")


def test_the_same_sheet_again_is_said_and_changes_nothing() -> None:
    result = judged(*THREE, replace(THREE[1], file="again.jpg"))
    assert told(result, *ABOUT_SHEETS) == []
    assert told(result, "G-16") == [
        ("G-16", "info", "“食品经营许可申请书第2页第2张（共3张）”同一份交来了不止一次，不影响办理")
    ]


def test_of_two_scans_of_a_sheet_the_readable_one_counts() -> None:
    blurred = replace(THREE[1], fields={}, quality=Quality("rescan"))
    assert staff(THREE[0], blurred, THREE[1], THREE[2]) == list("甲乙丙丁戊己庚辛")


def test_sheets_of_another_print_out_are_told_and_not_mixed_in() -> None:
    stray = sheet(2, 2, *"子丑", form_id="F2")
    result = judged(*THREE, stray)
    assert told(result, *ABOUT_SHEETS) == [
        (
            "G-19",
            "fix",
            "“食品经营许可申请书第2页第2张（共2张）”是另一次打印的表格（编号F2），不能与其他各张合并，请撤回，或把各行抄到同一次打印的表格上",
        )
    ]
    assert staff(*THREE, stray) == list("甲乙丙丁戊己庚辛")
    in_place = [(code, message) for code, _, message in told(judged(THREE[0], stray, THREE[2]), "G-00", "G-19")]
    assert [code for code, _ in in_place] == ["G-00", "G-19"] and "第2张（共3张）" in in_place[0][1]


def test_one_serial_with_two_numbers_of_sheets_is_told() -> None:
    other = sheet(2, 2, *"子丑")
    assert [code for code, *_ in told(judged(*THREE, other), *ABOUT_SHEETS)] == ["G-19"]


def test_a_sheet_whose_code_cannot_be_read_is_asked_for_again() -> None:
    unread = replace(THREE[1], form_id=None, sheet=1, sheets=1, how="matched")
    codes = [code for code, *_ in told(judged(THREE[0], unread, THREE[2]), *ABOUT_SHEETS)]
    assert codes == ["G-00", "G-20"]
    assert staff(THREE[0], unread, THREE[2]) == list("甲乙丙丁戊辛")


def test_what_stands_on_several_sheets_counts_where_it_is_filled_in_first() -> None:
    matter = find_matter("social_insurance")

    def page(number: int, **values: str) -> PageReading:
        fields = {name: Field(name, value, value, 0.99, None, 1) for name, value in values.items()}
        quality = Quality("good")
        return PageReading(
            "a.jpg", 0, "staff_list", "registered", quality, fields, 1, "2026-05", "F1", sheet=number, sheets=2
        )

    second, first = page(2, name="", sign="present"), page(1, name="样例商行", sign="")
    (paper,) = gather_joined(matter, [second, first]).documents["staff_list"]
    assert {name: item.value for name, item in paper.fields.items()} == {"name": "样例商行", "sign": "present"}


def test_rows_of_two_print_outs_of_before_are_not_mixed() -> None:
    one, other = (replace(sheet(1, 1, *names, form_id=key)) for names, key in (("甲乙", "F1"), ("丙丁", "F2")))
    assert staff(one, other) == list("甲乙丙丁"), "rows keyed by number would have covered each other"
    names = [sorted(row) for row in gather_joined(MATTER, [one, other]).rows("application.staff")]
    assert names == [["cid", "name", "post", "training"]] * 4
