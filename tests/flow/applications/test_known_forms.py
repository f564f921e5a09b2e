"""Forms printed with what the register knows: only who and where, only of licences in force, and read as registered."""

from __future__ import annotations

from dataclasses import replace

import pymupdf
import pytest

from docproc.errors import AccessError, InputError, NotFoundError
from docproc.flow.applications.applications import view_application
from docproc.flow.applications.forms import (
    blank_form,
    form_by_follow,
    form_by_licence,
    form_of_holder,
    form_of_papers,
    known_of_papers,
)
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import change_licence, licence_by_number, view_licence
from docproc.flow.review.decisions import decide, release
from docproc.matter.load import find_matter
from docproc.read.pipeline import read_file
from tests.cases import OWNER, TRADER, pages
from tests.flow.people import APPROVER, CLERK, KIOSK, SEALER, caller, hand_in, seen, submitted, until
from tests.flow.small_stages import paper


@pytest.fixture(scope="module")
def licence(office: Context) -> str:
    view = submitted(office)
    number = str(view["number"])
    decide(office, APPROVER, number, "approve", seen(view))
    release(office, SEALER, number, view_application(office, SEALER, number)["version"])
    return str(until(lambda: view_application(office, CLERK, number)["licence"]))


def words(pdf: bytes) -> str:
    with pymupdf.open(stream=pdf) as document:
        return "".join(page.get_text() for page in document).replace("\n", "")


def test_what_is_known_is_read_from_the_print_and_the_rest_is_blank(office: Context, licence: str) -> None:
    firm = caller("firm-1", "enterprise", org=licence)
    holder = licence_by_number(office, licence)["holder"]
    pdf = form_of_holder(office, firm, "food_licence", "application")
    read = read_file(pdf, "form.pdf", find_matter("food_licence"), material=None, today=office.today())
    fields = {name: item for reading in read for name, item in reading.fields.items()}
    said = {name: item.value for name, item in fields.items() if item.value}
    known = {line["name"]: line["value"] for line in view_licence(office, CLERK, licence)["fields"]}
    assert said == {"name": holder, "uscc": licence, "place": known["place"]}
    assert all(reading.form_id for reading in read), "read as a form of ours, not as free text"


def test_the_qr_code_of_a_licence_fills_a_form_in_until_the_licence_is_not_in_force(
    office: Context, licence: str
) -> None:
    code = view_licence(office, CLERK, licence)["code"]
    holder = licence_by_number(office, licence)["holder"]
    for given in (code, f"https://x.example/v/{code}/"):
        assert holder in words(form_by_licence(office, "sole_trader", "application", given))
    assert holder not in words(blank_form(office, "sole_trader", "application"))
    with pytest.raises(NotFoundError):
        form_by_licence(office, "sole_trader", "application", "x" * 22)
    with pytest.raises(AccessError):
        form_of_holder(office, CLERK, "sole_trader", "application")
    change_licence(office, APPROVER, licence, "suspend", "核查", "《样例办法》第一条")
    with pytest.raises(NotFoundError):
        form_by_licence(office, "sole_trader", "application", code)
    firm = caller("firm-1", "enterprise", org=licence)
    left = words(form_of_holder(office, firm, "food_licence", "application"))
    assert holder not in left


WRONG = OWNER[:-1] + ("1" if OWNER[-1] != "1" else "2")


def card(number: str = OWNER, confidence: float = 0.999) -> bytes:
    reading = next(item for item in pages("sole_trader", TRADER) if item.material == "idcard" and item.page == 1)
    read = replace(reading.fields["cid"], value=number, confidence=confidence)
    return paper([replace(reading, fields={**reading.fields, "cid": read})])


def known(office: Context, papers: list[bytes]) -> tuple[str, dict[str, str]]:
    number = hand_in(office, KIOSK, papers)
    until(lambda: view_application(office, KIOSK, number)["checked"])
    return number, {item.field: item.value for item in known_of_papers(office, KIOSK, number, "application")}


def test_a_card_that_is_scanned_first_fills_the_form_with_what_it_says_itself(office: Context) -> None:
    number, said = known(office, [card()])
    on_card = TRADER["idcard/1"]
    assert said["operator_id"] == on_card["cid"] and said["operator"] == on_card["name"]
    printed = words(form_of_papers(office, KIOSK, number, "application")).replace(" ", "")
    assert said["operator"] in printed and said["operator_id"] in printed
    with pytest.raises(NotFoundError):
        form_of_papers(office, caller("kiosk-2", "kiosk"), number, "application")
    with pytest.raises(AccessError):
        form_of_papers(office, APPROVER, number, "application")


@pytest.mark.parametrize(("number", "confidence"), [(OWNER, 0.97), (WRONG, 0.999)])
def test_what_is_in_doubt_or_fails_its_check_digit_is_not_printed(
    office: Context, number: str, confidence: float
) -> None:
    _, said = known(office, [card(number, confidence)])
    assert "operator_id" not in said and "operator" in said


def test_a_receipt_fills_in_nothing_sensitive_and_only_with_its_own_number(office: Context) -> None:
    view = submitted(office)
    code, number = view["follow_code"], view["number"]
    printed = words(form_by_follow(office, KIOSK, "sole_trader", "application", code, number))
    form = TRADER["application/1"]
    assert form["name"] in printed and form["operator"] in printed
    assert form["operator_id"] not in printed.replace(" ", "") and printed.count(str(form["place"])) == 1, (
        "the home is the same here"
    )
    for who, wrong in ((KIOSK, "510116-ST-20200101-000001"), (caller("kiosk-9", "kiosk", org="elsewhere"), number)):
        with pytest.raises(NotFoundError):
            form_by_follow(office, who, "sole_trader", "application", code, wrong)


def test_a_form_with_a_table_prints_on_as_many_sheets_as_are_asked_for(office: Context) -> None:
    with pymupdf.open(stream=blank_form(office, "social_insurance", "staff_list", sheets=3)) as document:
        assert [f"第 {n} 张，共 3 张" in page.get_text() for n, page in enumerate(document, 1)] == [True] * 3
    with pytest.raises(InputError, match="no table"):
        blank_form(office, "sole_trader", "place_promise", sheets=2)
