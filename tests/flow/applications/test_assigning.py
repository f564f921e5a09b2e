"""What a person says a page is: kept as said by whom, followed by the reader, and never taken for recognised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from docproc.domain import GOOD, PageReading, Said
from docproc.errors import AccessError, ConflictError, InputError, NotFoundError
from docproc.flow.applications.applications import correct_field, submit, view_application
from docproc.flow.applications.assigning import assign_page
from docproc.flow.audit.log import audit_lines
from docproc.flow.core.context import Context
from docproc.flow.review.decisions import decide
from docproc.store.codec import reading_to_json
from tests.cases import INSURANCE, TRADER, Values, pages
from tests.flow.people import AUDITOR, CLERK, KIOSK, REVIEWER, SEALER, caller, hand_in, seen, until
from tests.flow.small_stages import paper

NOISE = PageReading("noise.jpg", 0, None, "free", GOOD)
LEASE = next(r for r in pages("sole_trader", TRADER) if r.material == "lease")
AGENT = caller("agent-1", "reviewer", "approver", org="social_insurance_agency")
TAXMAN = caller("tax-1", "reviewer", "approver", org="tax_office")


def without_lease(*more: bytes) -> list[bytes]:
    return [paper([r]) for r in pages("sole_trader", TRADER) if r.material != "lease"] + list(more)


def checked(ctx: Context, number: str, who: Any = REVIEWER) -> dict[str, Any]:
    return dict(until(lambda: (v := view_application(ctx, who, number))["checked"] and v))


def opened(ctx: Context, **noise: Any) -> tuple[str, str]:
    """An application whose lease is a page that nobody recognised, and the id of that page."""
    number = hand_in(ctx, papers=without_lease(paper([NOISE], **noise)))
    return number, str(checked(ctx, number, KIOSK)["pages"][-1]["id"])


def name(ctx: Context, who: Any, number: str, page: str, material: str | None, side: int = 1) -> dict[str, Any]:
    assign_page(ctx, who, number, page, 0, Said(material, side))
    return checked(ctx, number, who)


def last(view: dict[str, Any]) -> dict[str, Any]:
    return dict(view["pages"][-1]["readings"][0])


def test_a_page_that_reads_as_what_the_citizen_says_is_recognised(office: Context) -> None:
    number, page = opened(office, named={"lease": reading_to_json(LEASE)})
    assert checked(office, number)["verdict"] == "look"
    view = name(office, KIOSK, number, page, "lease")
    assert view["verdict"] == "pass" and not last(view)["claimed"]
    assert {f["name"]: f["value"] for f in last(view)["fields"]} == TRADER["lease/1"]
    said = last(view)["said"]
    assert (said["material"], said["page"], said["by"]) == ("lease", 1, "kiosk-1") and said["at"]


def test_a_page_that_does_not_is_claimed_and_for_a_person_to_look_at(office: Context) -> None:
    number, page = opened(office)
    view = name(office, KIOSK, number, page, "lease")
    assert view["verdict"] == "look" and last(view)["claimed"]
    assert [f["code"] for f in view["findings"] if f["look"]] == ["G-14"]
    assert all(f["value"] is None for f in last(view)["fields"]), "an official can enter what stands there"
    lines = [line for line in audit_lines(office, AUDITOR, subject=number) if line["action"] == "page.assigned"]
    assert [(line["actor"], line["detail"]["material"], line["detail"]["before"]) for line in lines] == [
        ("kiosk-1", "lease", None)
    ]


def test_a_page_that_is_none_of_the_papers_excuses_none(office: Context) -> None:
    number, page = opened(office)
    view = name(office, KIOSK, number, page, None)
    assert view["verdict"] == "supplement" and last(view)["material"] is None and last(view)["claimed"]
    assert ("G-00", "lease") in {(f["code"], f["material"]) for f in view["findings"] if f["severity"] == "fix"}
    assert name(office, KIOSK, number, page, "lease")["verdict"] == "look", "it can be named again"


def test_an_official_names_pages_until_the_decision_and_a_citizen_until_submission(office: Context) -> None:
    number, page = opened(office)
    submit(office, KIOSK, number)
    with pytest.raises(ConflictError):
        name(office, KIOSK, number, page, "lease")
    view = name(office, REVIEWER, number, page, "lease")
    assert last(view)["said"]["by"] == "reviewer-1"
    decide(office, REVIEWER, number, "return", seen(view), reason="请重新提交租赁合同")
    with pytest.raises(AccessError):
        name(office, SEALER, number, page, "lease")


def test_what_was_entered_for_another_paper_goes_with_it(office: Context) -> None:
    number, page = opened(office)
    name(office, CLERK, number, page, "lease")
    correct_field(office, CLERK, number, page, 0, "tenant", "样例甲")
    assert "样例甲" in {f["value"] for f in last(checked(office, number))["fields"]}
    view = name(office, CLERK, number, page, "lease")
    assert "样例甲" in {f["value"] for f in last(view)["fields"]}, "said again, nothing changes"
    view = name(office, CLERK, number, page, "idcard", 2)
    assert {f["name"] for f in last(view)["fields"]} == {"authority", "valid_from", "valid_to"}
    assert all(f["value"] is None for f in last(view)["fields"])


def test_a_form_with_its_own_code_stays_what_it_is(office: Context) -> None:
    number, _ = opened(office)
    form = view_application(office, KIOSK, number)["pages"][0]["id"]
    with pytest.raises(ConflictError) as error:
        assign_page(office, KIOSK, number, form, 0, Said("lease"))
    assert "编码" in error.value.message_zh


@pytest.mark.parametrize(
    ("said", "wrong"),
    [(Said("nonsense"), InputError), (Said("lease", 2), InputError), (Said("idcard", 3), InputError)],
)
def test_what_the_matter_does_not_have_cannot_be_said(office: Context, said: Said, wrong: type[Exception]) -> None:
    number, page = opened(office)
    with pytest.raises(wrong):
        assign_page(office, KIOSK, number, page, 0, said)
    with pytest.raises(NotFoundError):
        assign_page(office, KIOSK, number, page, 7, Said("lease"))


def test_one_page_of_a_file_is_named_and_the_others_stay(office: Context) -> None:
    sheets = [replace(NOISE, index=0), replace(LEASE, index=1)]
    number = hand_in(office, papers=without_lease(paper(sheets)))
    page = str(checked(office, number)["pages"][-1]["id"])
    view = name(office, KIOSK, number, page, "idcard", 1)
    found = [(r["index"], r["material"], r["claimed"]) for r in view["pages"][-1]["readings"]]
    assert found == [(0, "idcard", True), (1, "lease", False)]


def test_a_page_that_breaks_the_reader_is_a_claim_and_no_stuck_job(office: Context) -> None:
    number, page = opened(office, named={"lease": {}})
    view = name(office, KIOSK, number, page, "lease")
    assert last(view)["claimed"] and view["verdict"] == "look"


def test_a_department_names_no_page_that_it_does_not_see(office: Context) -> None:
    values: Values = {k: v for k, v in INSURANCE.items() if k != "bank_doc/1"}
    papers = [paper([r]) for r in pages("social_insurance", values)] + [paper([NOISE])]
    number = hand_in(office, papers=papers, matter="social_insurance")
    page = str(checked(office, number, KIOSK)["pages"][-1]["id"])
    submit(office, KIOSK, number)
    with pytest.raises(NotFoundError):
        assign_page(office, TAXMAN, number, page, 0, Said("bank_doc"))
    assert name(office, AGENT, number, page, "bank_doc")["verdict"] == "look"
    with pytest.raises(InputError):
        assign_page(office, TAXMAN, number, page, 0, Said("staff_list"))
