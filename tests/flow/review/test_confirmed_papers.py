"""Nothing is approved while a required paper is neither recognised nor confirmed by the reviewer by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from docproc.domain import GOOD, PageReading, Said
from docproc.errors import ConflictError, InputError
from docproc.flow.applications.applications import submit, view_application
from docproc.flow.applications.assigning import assign_page
from docproc.flow.audit.log import audit_lines
from docproc.flow.core.context import Context
from docproc.flow.review import workbench
from docproc.flow.review.decisions import decide
from docproc.store.tables.applications import ApplicationRow
from tests.cases import FOOD, INSURANCE, TRADER, Values, changed, pages
from tests.flow.people import AUDITOR, KIOSK, REVIEWER, caller, hand_in, seen, until
from tests.flow.small_stages import paper

NOISE = PageReading("noise.jpg", 0, None, "free", GOOD)
OTHER_LICENCE = next(
    replace(reading, file="other.jpg")
    for reading in pages("food_licence", changed(FOOD, ("bizlic/1", "legal_rep", "王样例")))
    if reading.material == "bizlic"
)
AGENT = caller("agent-1", "reviewer", "approver", org="social_insurance_agency")
TAXMAN = caller("tax-1", "reviewer", "approver", org="tax_office")


def checked(ctx: Context, number: str, who: Any = REVIEWER) -> dict[str, Any]:
    return dict(until(lambda: (v := view_application(ctx, who, number))["checked"] and v))


def handed_in(ctx: Context, matter: str, values: Values, *more: PageReading) -> dict[str, Any]:
    files = [paper([reading]) for reading in [*pages(matter, values), *more]]
    number = hand_in(ctx, papers=files, matter=matter)
    checked(ctx, number, KIOSK)
    submit(ctx, KIOSK, number)
    return view_application(ctx, KIOSK, number)


def without(values: Values, *gone: str) -> Values:
    return {key: fields for key, fields in values.items() if key not in gone}


def approve(ctx: Context, number: str, who: Any = REVIEWER, **more: Any) -> dict[str, Any]:
    return dict(decide(ctx, who, number, "approve", seen(view_application(ctx, who, number)), **more))


def refused(ctx: Context, number: str, who: Any = REVIEWER, **more: Any) -> str:
    with pytest.raises(ConflictError) as error:
        approve(ctx, number, who, **more)
    return str(error.value.code)


def name(ctx: Context, who: Any, number: str, page: str, said: Said) -> dict[str, Any]:
    assign_page(ctx, who, number, page, 0, said)
    return checked(ctx, number, who)


def test_two_forms_and_a_page_of_nothing_are_never_approved(office: Context) -> None:
    """No identity card and no premises: what stands for them is one page that nobody recognised."""
    view = handed_in(office, "sole_trader", without(TRADER, "idcard/1", "idcard/2", "lease/1"), NOISE)
    number = view["number"]
    assert view["verdict"] == "supplement"
    codes = [f["code"] for f in view["findings"]]
    assert refused(office, number) == "missing_paper"
    assert refused(office, number, reason="看过了", set_aside=codes) == "missing_paper"
    assert refused(office, number, confirmed=["idcard", "lease"]) == "missing_paper"


def test_the_paper_that_a_page_is_must_be_named_before_it_is_confirmed(office: Context) -> None:
    view = handed_in(office, "sole_trader", without(TRADER, "lease/1"), NOISE)
    number, page = view["number"], view["pages"][-1]["id"]
    assert view["verdict"] == "look"
    assert refused(office, number) == "missing_paper"
    assert refused(office, number, confirmed=["lease"]) == "missing_paper"
    name(office, REVIEWER, number, page, Said("lease"))
    assert refused(office, number) == "unconfirmed_paper"
    assert refused(office, number, set_aside=["G-14"], reason="看过了") == "unconfirmed_paper"
    done = approve(office, number, confirmed=["lease"])
    assert done["status"] == "approved" and done["decisions"][-1]["confirmed"] == ["lease"]
    (line,) = [
        item for item in audit_lines(office, AUDITOR, subject=number) if item["action"] == "application.approved"
    ]
    assert line["detail"]["confirmed"] == ["lease"]


def test_only_what_no_reader_recognised_is_kept_as_confirmed(office: Context) -> None:
    view = handed_in(office, "sole_trader", TRADER)
    with pytest.raises(InputError):
        approve(office, view["number"], confirmed=["nonsense"])
    assert approve(office, view["number"], confirmed=["lease"])["decisions"][-1]["confirmed"] == []


def test_a_verdict_of_an_older_check_excuses_nothing(office: Context) -> None:
    """A version before called this good: the approval looks for itself."""
    view = handed_in(office, "sole_trader", without(TRADER, "lease/1"), NOISE)
    with office.database.write() as session:
        session.execute(sa.update(ApplicationRow).where(ApplicationRow.number == view["number"]).values(verdict="pass"))
    assert refused(office, view["number"]) == "missing_paper"


def test_what_the_machine_is_not_sure_of_is_settled_or_set_aside(office: Context) -> None:
    view = handed_in(office, "food_licence", FOOD, OTHER_LICENCE)
    number = view["number"]
    assert view["verdict"] == "look" and [f["code"] for f in view["findings"] if f["look"]] == ["G-15"]
    assert refused(office, number) == "open_findings"
    view = name(office, REVIEWER, number, view["pages"][-1]["id"], Said(None))
    assert view["verdict"] == "pass", "the other licence is none of this application's papers"
    assert approve(office, number)["status"] == "approved"


def test_it_can_be_set_aside_with_a_reason(office: Context) -> None:
    number = handed_in(office, "food_licence", FOOD, OTHER_LICENCE)["number"]
    assert approve(office, number, set_aside=["G-15"], reason="以第一份为准")["status"] == "approved"


def test_in_a_joint_approval_each_department_confirms_what_it_sees(office: Context) -> None:
    view = handed_in(
        office,
        "social_insurance",
        without(INSURANCE, "bank_doc/1", "staff_list/1"),
        NOISE,
        replace(NOISE, file="b.jpg"),
    )
    number, (first, second) = view["number"], [page["id"] for page in view["pages"][-2:]]
    assert refused(office, number, TAXMAN) == "missing_paper"
    name(office, AGENT, number, first, Said("bank_doc"))
    name(office, AGENT, number, second, Said("staff_list"))
    assert refused(office, number, TAXMAN) == "unconfirmed_paper"
    said = approve(office, number, TAXMAN, confirmed=["bank_doc", "staff_list"])
    assert [o["confirmed"] for o in said["opinions"] if o["org"] == "tax_office"] == [["bank_doc"]], (
        "the rest it never saw"
    )
    assert refused(office, number, AGENT, confirmed=["bank_doc"]) == "unconfirmed_paper"
    done = approve(office, number, AGENT, confirmed=["bank_doc", "staff_list"])
    assert done["status"] == "approved" and done["decisions"][-1]["confirmed"] == ["bank_doc", "staff_list"]


def test_the_queue_counts_what_a_person_must_settle(office: Context) -> None:
    view = handed_in(office, "sole_trader", without(TRADER, "lease/1"), NOISE)
    (item,) = [w for w in workbench.queue(office, REVIEWER) if w.view["number"] == view["number"]]
    assert (item.findings, item.looks, item.view["verdict"]) == (0, 1, "look")
