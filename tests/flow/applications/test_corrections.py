"""Values entered by hand: misreadings told apart from changes of what the applicant wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from docproc.domain import CorrectionKind
from docproc.errors import ConflictError, InputError
from docproc.flow.applications.applications import correct_field, view_application
from docproc.flow.audit.log import audit_lines
from docproc.flow.core import in_force
from docproc.flow.core.context import Context
from docproc.flow.matters import catalogue
from docproc.flow.review import workbench
from docproc.flow.review.decisions import decide
from docproc.flow.review.figures import figures
from docproc.matter.load import MATTERS_DIR, put_in_force
from docproc.store.applications import pages as stored
from docproc.store.tables.applications import CorrectionRow
from tests.cases import TRADER, pages
from tests.flow.people import ADMIN, APPROVER, AUDITOR, KIOSK, REVIEWER, Workers, seen, submitted, until
from tests.flow.small_stages import paper

EMPLOYEES = TRADER["application/1"]["employees"]


@pytest.fixture
def mendable(ctx: Context, workers: Workers) -> Iterator[Context]:
    """An office whose officials may change the number of employees."""
    text = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8")
    lax = text.replace('name = "employees"\n', 'name = "employees"\nmendable = true\n', 1)
    change = catalogue.propose(ctx, ADMIN, [("sole_trader.toml", lax.encode())], ctx.today(), "试点")
    catalogue.confirm(ctx, APPROVER, str(change["id"]))
    workers.start("w1")
    yield ctx
    put_in_force(MATTERS_DIR)
    in_force._seen = ("", ())


def application(ctx: Context, confidence: float = 0.999, value: str | None = EMPLOYEES) -> dict[str, Any]:
    """Submitted, with the number of employees read with this confidence."""
    readings = pages("sole_trader", TRADER)
    field = replace(readings[0].fields["employees"], confidence=confidence, value=value)
    readings[0] = replace(readings[0], fields={**readings[0].fields, "employees": field})
    return submitted(ctx, papers=[paper([reading]) for reading in readings])


def correct(
    ctx: Context, view: dict[str, Any], value: str, kind: CorrectionKind | None = None, field: str = "employees"
) -> dict[str, Any]:
    page = next(p["id"] for p in view["pages"] for r in p["readings"] for f in r["fields"] if f["name"] == field)
    correct_field(ctx, REVIEWER, view["number"], page, 0, field, value, kind)
    return dict(until(lambda: (v := view_application(ctx, REVIEWER, view["number"]))["checked"] and v))


def kinds(ctx: Context, view: dict[str, Any]) -> list[str]:
    return [item["kind"] for item in workbench.bench(ctx, REVIEWER, view["number"])["corrections"]]


def logged(ctx: Context, number: str, action: str) -> list[dict[str, Any]]:
    return [line["detail"] for line in audit_lines(ctx, AUDITOR, subject=number) if line["action"] == action]


def test_a_value_read_for_certain_is_replaced_by_nobody_without_saying_why(office: Context) -> None:
    view = application(office)
    with pytest.raises(InputError) as refused:
        correct(office, view, "3")
    assert refused.value.code == "correction_kind" and "与申请人所写不同" in refused.value.message_zh
    assert kinds(office, view) == []
    after = correct(office, view, "3", "misread")
    assert kinds(office, view) == ["misread"] and after["changes"] == []
    assert [line["kind"] for line in logged(office, view["number"], "field.corrected")] == ["misread"]
    with pytest.raises(InputError):
        correct(office, view, "4")


def test_a_near_value_needs_more_certainty_than_another_one(office: Context) -> None:
    view = application(office, confidence=0.9, value="120")
    with pytest.raises(InputError):
        correct(office, view, "3")
    correct(office, view, "1120")
    assert kinds(office, view) == ["misread"]


@pytest.mark.parametrize(("value", "confidence"), [(None, 0.3), (EMPLOYEES, 0.5)])
def test_what_was_left_open_or_is_uncertain_was_misread(office: Context, value: str | None, confidence: float) -> None:
    view = application(office, confidence, value)
    correct(office, view, "3")
    assert kinds(office, view) == ["misread"]


def test_confirming_what_was_read_needs_no_word(office: Context) -> None:
    view = application(office)
    assert EMPLOYEES is not None
    correct(office, view, EMPLOYEES)
    assert kinds(office, view) == ["confirmed"]


def test_what_the_applicant_wrote_is_theirs_to_correct(office: Context) -> None:
    view = application(office)
    with pytest.raises(ConflictError) as refused:
        correct(office, view, "3", "changed")
    assert refused.value.code == "not_mendable" and "补正" in refused.value.message_zh
    assert kinds(office, view) == []
    with pytest.raises(ConflictError):
        correct(office, view, "样例李", "changed", field="name")


def test_a_change_that_the_matter_allows_is_shown_wherever_the_approval_is(mendable: Context) -> None:
    ctx = mendable
    view = application(ctx)
    after = correct(ctx, view, "3", "changed")
    (change,) = after["changes"]
    assert (change["written"], change["value"], change["by"]) == (EMPLOYEES, "3", REVIEWER.subject)
    assert change["label"].endswith("从业人数") and change["material"] == "application"
    assert view["content_sha256"] != after["content_sha256"]
    done = decide(ctx, REVIEWER, view["number"], "approve", seen(after))
    assert done["decisions"][-1]["changed"] == [change]
    (line,) = logged(ctx, view["number"], "application.approved")
    assert line["changed"] == ["application.employees"]
    assert [line["kind"] for line in logged(ctx, view["number"], "field.corrected")] == ["changed"]


def test_what_was_seen_as_misread_is_not_approved_as_changed(mendable: Context) -> None:
    ctx = mendable
    view = application(ctx)
    as_misread = correct(ctx, view, "3", "misread")
    correct(ctx, view, "4", "changed")
    as_changed = correct(ctx, view, "3", "misread")
    assert as_changed["content_sha256"] == as_misread["content_sha256"]
    changed = correct(ctx, view, "5", "changed")
    assert [c["written"] for c in changed["changes"]] == ["3"], "the official's own reading of the paper"


def test_a_changed_value_counts_against_no_machine(mendable: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = mendable
    monkeypatch.setattr("docproc.flow.review.thresholds.FEWEST", 1)
    view = application(ctx)
    after = correct(ctx, view, "3", "changed")
    decide(ctx, REVIEWER, view["number"], "approve", seen(after))
    found = figures(ctx, APPROVER)
    assert not [item for item in found.misread if item.field == "employees"]
    assert not [item for item in found.trust if item.field == "employees"]


def test_what_the_version_before_corrected_has_no_kind(office: Context) -> None:
    view = application(office, value=None, confidence=0.3)
    page = view["pages"][0]["id"]
    with office.database.write() as session:
        row = CorrectionRow(page_id=page, index=0, field="employees", value="3", by="reviewer-9", at=office.clock())
        session.add(row)
    assert kinds(office, view) == [""]
    correct(office, view, "3")
    assert kinds(office, view) == ["", "misread"]
    with office.database.read() as session:
        assert [item.kind for item in stored.corrections_of(session, view["number"])] == ["", "misread"]
    assert view_application(office, KIOSK, view["number"])["changes"] == []
