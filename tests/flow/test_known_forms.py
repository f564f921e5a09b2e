"""Forms printed with what the register knows: only who and where, only of licences in force, and read as registered."""

from __future__ import annotations

import pymupdf
import pytest

from docproc.errors import AccessError, NotFoundError
from docproc.flow.context import Context
from docproc.flow.forms import blank_form, form_by_licence, form_of_holder
from docproc.flow.service import (
    change_licence,
    decide,
    licence_by_number,
    release,
    view_application,
    view_licence,
)
from docproc.matter import find_matter
from docproc.read.page import read_file
from tests.flow.people import APPROVER, CLERK, SEALER, caller, seen, submitted, until


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
