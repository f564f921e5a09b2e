"""QR codes of licences held against their print."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import cv2
import pytest

from docproc.domain import Field, PageReading
from docproc.matter.load import find_matter
from docproc.read.pipeline import read_file
from docproc.read.qr_check import check_qr_codes
from samples.business import qr_code
from samples.canvas import Canvas
from samples.older import older_licence
from samples.people import Firm, make_company, make_person, make_trader

TODAY = date(2026, 11, 23)
MATTER = find_matter("food_licence")
SPECS = MATTER.fields_of("bizlic")


def field(name: str, value: str | None, confidence: float = 0.9) -> Field:
    return Field(name, value, value or "", confidence, None, 1)


def firm(seed: int) -> Firm:
    chance = random.Random(seed)
    return make_company(chance, make_person(chance, TODAY), TODAY)


def read(sheet: Canvas) -> PageReading:
    data = cv2.imencode(".jpg", sheet.image)[1].tobytes()
    return read_file(data, "licence.jpg", MATTER, material="bizlic", today=TODAY)[0]


@pytest.mark.parametrize("text", ["样例 {}", "https://example.invalid/unid?uniscid={}&x=1", "统一社会信用代码:{}"])
def test_a_code_with_another_number_casts_doubt(text: str) -> None:
    ours, other = firm(29).uscc, firm(30).uscc
    fields = {"uscc": field("uscc", ours)}
    differs, findings = check_qr_codes(fields, SPECS, [text.format(other)], TODAY)
    assert differs["uscc"].confidence <= 0.5 and differs["uscc"].value == ours
    assert other in differs["uscc"].alternatives
    assert [(item.code, item.severity, item.field) for item in findings] == [("code.differs", "warn", "uscc")]
    agrees, findings = check_qr_codes(fields, SPECS, [text.format(ours)], TODAY)
    assert agrees["uscc"].confidence > 0.95 and not findings


def test_a_code_that_says_nothing_of_the_licence_changes_nothing() -> None:
    fields = {"uscc": field("uscc", firm(29).uscc), "name": field("name", "样例店")}
    told = ["https://example.invalid/a?b=1", "名称:", "电话:028-85550000", ""]
    assert check_qr_codes(fields, SPECS, told, TODAY) == (fields, ())


def test_names_numbers_and_dates_of_a_code_are_compared_whatever_their_form() -> None:
    fields = {
        "uscc": field("uscc", "510116616242080"),
        "name": field("name", "成都样例悦川餐饮管理有限公司(普通合伙)"),
        "established_on": field("established_on", "2020-05-24"),
        "legal_rep": field("legal_rep", "林邦"),
    }
    told = (
        "注册号：510116616242080;企业名称：成都样例悦川餐饮管理有限公司（普通合伙）;成立日期:2020年5月24日；负责人=林帮"
    )
    found, findings = check_qr_codes(fields, SPECS, [told + "；负责人=林帮"], TODAY)
    assert {name for name, item in found.items() if item.confidence > 0.95} == {"uscc", "name", "established_on"}
    assert [item.field for item in findings] == ["legal_rep"]


def test_what_was_not_read_is_offered_from_the_code_but_not_taken() -> None:
    found, findings = check_qr_codes({"name": field("name", None, 0.0)}, SPECS, ["名称:样例小吃店"], TODAY)
    assert found["name"].value is None and found["name"].alternatives == ("样例小吃店",)
    assert not findings


def test_a_licence_whose_print_was_altered_is_told_by_its_code() -> None:
    chance = random.Random(31)
    ours, other = (make_trader(chance, make_person(chance, TODAY), TODAY) for _ in range(2))
    genuine, values = older_licence(ours, ours.founded, random.Random(1), "2015-portrait")
    page = read(genuine)
    assert page.fields["name"].value == values["name"] and page.fields["name"].confidence >= 0.97
    assert not [item for item in page.quality.findings if item.code == "code.differs"]
    forged, _ = older_licence(replace(other, uscc=ours.uscc), other.founded, random.Random(1), "2015-portrait")
    height = forged.image.shape[0]
    forged.image[int(0.55 * height) : int(0.8 * height), : forged.image.shape[1] // 3] = 250
    text = f"统一社会信用代码:{ours.uscc}\n名称:{ours.name}\n注册日期:{ours.founded}"
    qr_code(forged, text, 32.0, 180.0, 30.0)
    page = read(forged)
    assert {item.field for item in page.quality.findings if item.code == "code.differs"} == {"name", "established_on"}
    assert page.fields["name"].confidence <= 0.5 and page.fields["uscc"].confidence >= 0.97
