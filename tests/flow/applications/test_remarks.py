"""识别有误: what a citizen says of a value that was read stays a remark, and makes an official look."""

from __future__ import annotations

from typing import Any

import pytest

from docproc.errors import AccessError, ConflictError, LimitError, NotFoundError
from docproc.flow.applications.applications import correct_field, submit, view_application
from docproc.flow.applications.remarks import remark, take_back
from docproc.flow.audit.log import audit_lines
from docproc.flow.core.context import Context
from docproc.flow.review import workbench
from tests.cases import TRADER
from tests.flow.people import AUDITOR, KIOSK, REVIEWER, caller, hand_in, until

READ = TRADER["application/1"]["employees"]


def checked(ctx: Context, number: str) -> dict[str, Any]:
    return dict(until(lambda: (v := view_application(ctx, KIOSK, number))["checked"] and v))


def opened(ctx: Context) -> tuple[str, str]:
    """A draft that was read and checked, and its page with the number of employees."""
    number = hand_in(ctx)
    view = checked(ctx, number)
    assert view["verdict"] == "pass"
    return number, next(
        p["id"] for p in view["pages"] for r in p["readings"] for f in r["fields"] if f["name"] == "employees"
    )


def field_of(view: dict[str, Any], name: str = "employees") -> dict[str, Any]:
    return next(f for p in view["pages"] for r in p["readings"] for f in r["fields"] if f["name"] == name)


def test_a_remark_makes_the_value_doubted_and_is_never_the_value(office: Context) -> None:
    number, page = opened(office)
    before = view_application(office, KIOSK, number)["content_sha256"]
    remark(office, KIOSK, number, page, 0, "employees", " 7 ")
    view = checked(office, number)
    item = field_of(view)
    assert (item["value"], item["confidence"], item["source"]) == (READ, 0.0, "ocr")
    assert view["verdict"] == "look" and view["content_sha256"] != before
    found = next(f for f in view["findings"] if f["code"] == "remarked")
    assert (found["severity"], found["material"], found["field"]) == ("warn", "application", "employees")
    assert "7" not in found["message"], "the words may be personal, and are shown with the field alone"
    (said,) = view["remarks"]
    assert (said["said"], said["by"], said["settled"]) == ("7", KIOSK.subject, False)


def test_an_official_settles_a_remark_by_looking(office: Context) -> None:
    number, page = opened(office)
    remark(office, KIOSK, number, page, 0, "employees", "7")
    checked(office, number)
    submit(office, KIOSK, number)
    assert workbench.bench(office, REVIEWER, number)["remarks"][0]["said"] == "7"
    correct_field(office, REVIEWER, number, page, 0, "employees", "7")
    view = checked(office, number)
    kinds = [item["kind"] for item in workbench.bench(office, REVIEWER, number)["corrections"]]
    assert kinds == ["misread"], "the applicant said so, and the official saw it"
    assert field_of(view)["value"] == "7" and view["verdict"] == "pass"
    assert [item["settled"] for item in view["remarks"]] == [True], "what was said stays as it was said"


def test_an_official_may_find_the_reading_right(office: Context) -> None:
    number, page = opened(office)
    remark(office, KIOSK, number, page, 0, "employees")
    checked(office, number)
    submit(office, KIOSK, number)
    assert READ is not None
    correct_field(office, REVIEWER, number, page, 0, "employees", READ)
    view = checked(office, number)
    assert view["verdict"] == "pass" and field_of(view)["value"] == READ


def test_a_second_remark_replaces_the_first_and_one_can_be_taken_back(office: Context) -> None:
    number, page = opened(office)
    remark(office, KIOSK, number, page, 0, "employees", "7")
    remark(office, KIOSK, number, page, 0, "employees", "8")
    assert [item["said"] for item in view_application(office, KIOSK, number)["remarks"]] == ["8"]
    take_back(office, KIOSK, number, page, 0, "employees")
    view = checked(office, number)
    assert view["remarks"] == [] and view["verdict"] == "pass" and field_of(view)["confidence"] > 0.9
    take_back(office, KIOSK, number, page, 0, "employees")
    told = [line["action"] for line in audit_lines(office, AUDITOR, subject=number) if "remark" in line["action"]]
    assert told.count("field.remarked") == 2 and told.count("field.remark_taken_back") == 1


def test_who_may_say_what_and_until_when(office: Context) -> None:
    number, page = opened(office)
    with pytest.raises(AccessError):
        remark(office, REVIEWER, number, page, 0, "employees")
    with pytest.raises(NotFoundError):
        remark(office, caller("kiosk-2", "kiosk"), number, page, 0, "employees")
    with pytest.raises(NotFoundError):
        remark(office, KIOSK, number, page, 0, "no_such_field")
    with pytest.raises(LimitError):
        remark(office, KIOSK, number, page, 0, "employees", "x" * 501)
    submit(office, KIOSK, number)
    with pytest.raises(ConflictError):
        remark(office, KIOSK, number, page, 0, "employees")
