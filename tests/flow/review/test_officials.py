"""Decisions, separate duties, sealing troubles, the licence's life."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from docproc.errors import AccessError, ConflictError, DocprocError, InputError, NotFoundError
from docproc.flow.applications.applications import correct_field, submit, view_application
from docproc.flow.audit.log import audit_lines, check_audit
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import change_licence, licence_by_number, view_licence
from docproc.flow.messages.feed import events
from docproc.flow.review.decisions import StaleError, accept, decide, release
from tests.cases import TRADER, pages
from tests.flow.people import (
    APPROVER,
    AUDITOR,
    CLERK,
    KIOSK,
    OTHER_REVIEWER,
    REVIEWER,
    SEALER,
    caller,
    seen,
    submitted,
    until,
)
from tests.flow.small_stages import paper

Values = dict[str, dict[str, str | None]]


def view_of(ctx: Context, number: str) -> dict[str, Any]:
    return view_application(ctx, REVIEWER, number)


def issued(ctx: Context) -> dict[str, Any]:
    view = submitted(ctx)
    approved = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], approved["version"])
    return dict(until(lambda: (v := view_of(ctx, view["number"]))["licence"] and v))


def test_of_two_who_decide_at_once_one_is_told_so(office: Context) -> None:
    view = submitted(office)
    start, results = threading.Barrier(2), []

    def vote(who: Any, action: Any) -> None:
        start.wait()
        try:
            results.append(decide(office, who, view["number"], action, seen(view), reason="理由")["status"])
        except DocprocError as error:
            results.append(type(error))

    votes = [(REVIEWER, "approve"), (OTHER_REVIEWER, "return")]
    threads = [threading.Thread(target=vote, args=each) for each in votes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert StaleError in results and len({str(r) for r in results}) == 2
    assert len(view_of(office, view["number"])["decisions"]) == 1


def test_a_decision_on_something_else_than_was_seen_is_refused(office: Context) -> None:
    view = submitted(office)
    page = view["pages"][0]["id"]
    correct_field(office, OTHER_REVIEWER, view["number"], page, 0, "employees", "3", "misread")
    with pytest.raises(StaleError):
        decide(office, REVIEWER, view["number"], "approve", seen(view))
    fresh = until(lambda: (v := view_of(office, view["number"]))["checked"] and v)
    with pytest.raises(StaleError):
        decide(office, REVIEWER, view["number"], "approve", replace(seen(fresh), version=fresh["version"] - 1))
    assert decide(office, REVIEWER, view["number"], "approve", seen(fresh))["status"] == "approved"


def test_nobody_decides_on_what_they_handed_in_or_seals_what_they_approved(office: Context) -> None:
    everything = caller("kiosk-1", "clerk", "reviewer", "approver", "sealer")
    view = submitted(office)
    for refused in (
        lambda: accept(office, everything, view["number"], view["version"]),
        lambda: decide(office, everything, view["number"], "approve", seen(view)),
    ):
        with pytest.raises(AccessError) as error:
            refused()
        assert error.value.code == "same_person"
    both = caller("reviewer-1", "reviewer", "sealer")
    approved = decide(office, both, view["number"], "approve", seen(view))
    assert approved["seal"]["state"] == "awaiting_release"
    with pytest.raises(AccessError) as error:
        release(office, both, view["number"], approved["version"])
    assert error.value.code == "same_person"
    with pytest.raises(StaleError):
        release(office, SEALER, view["number"], approved["version"] - 1)


def with_papers(ctx: Context, values: Values) -> dict[str, Any]:
    return submitted(ctx, CLERK, [paper([reading]) for reading in pages("sole_trader", values)])


def changed(**fields: str | None) -> Values:
    values = {key: dict(item) for key, item in TRADER.items()}
    values["application/1"].update(fields)
    return values


def test_findings_stand_against_approval_until_someone_answers_for_them(office: Context) -> None:
    blocked = with_papers(office, changed(operator="样例丁"))
    codes = [f["code"] for f in blocked["findings"]]
    with pytest.raises(ConflictError) as error:
        decide(office, REVIEWER, blocked["number"], "approve", seen(blocked), set_aside=codes, reason="已核对")
    assert error.value.code == "blocked"

    fixable = with_papers(office, changed(sign_date="2026-12-31", capital="6"))
    aside = sorted({f["code"] for f in fixable["findings"] if f["severity"] == "fix"})
    assert aside
    for refused in ([], aside[1:], ["G-99"]):
        with pytest.raises(ConflictError) as error:
            decide(office, REVIEWER, fixable["number"], "approve", seen(fixable), set_aside=refused, reason="已核对")
        assert error.value.code == "open_findings"
    with pytest.raises(InputError):
        decide(office, REVIEWER, fixable["number"], "approve", seen(fixable), set_aside=aside)
    done = decide(office, REVIEWER, fixable["number"], "approve", seen(fixable), set_aside=aside, reason="已核对")
    assert done["decisions"][0]["set_aside"] == aside


def test_an_unread_field_that_goes_onto_the_licence_stops_the_approval(office: Context) -> None:
    view = with_papers(office, changed(scope=None))
    aside = sorted({f["code"] for f in view["findings"] if f["severity"] == "fix"})
    with pytest.raises(ConflictError, match=r"application\.scope"):
        decide(office, REVIEWER, view["number"], "approve", seen(view), set_aside=aside, reason="已核对")


def test_returned_papers_are_handed_in_again(office: Context) -> None:
    view = submitted(office)
    with pytest.raises(InputError):
        decide(office, REVIEWER, view["number"], "return", seen(view))
    returned = decide(office, REVIEWER, view["number"], "return", seen(view), reason="请补交委托书")
    assert returned["status"] == "returned"
    again = submit(office, KIOSK, view["number"])
    assert again["status"] == "submitted"
    accepted = accept(office, REVIEWER, view["number"], again["version"])
    with pytest.raises(AccessError):
        decide(office, REVIEWER, view["number"], "reject", seen(accepted), reason="不符合条件")
    rejected = decide(office, APPROVER, view["number"], "reject", seen(accepted), reason="不符合条件")
    assert rejected["status"] == "rejected" and rejected["licence"] is None


def test_sealing_waits_for_the_time_stamp_service_and_says_so(office: Context) -> None:
    down = office.settings.data_dir / "tsa-down"
    down.touch()
    view = submitted(office)
    approved = decide(office, REVIEWER, view["number"], "approve", seen(view))
    release(office, SEALER, view["number"], approved["version"])
    waiting = until(lambda: (v := view_of(office, view["number"]))["seal"]["state"] == "waiting" and v)
    assert "暂不可用" in waiting["seal"]["note"] and waiting["licence"] is None
    down.unlink()
    assert until(lambda: view_of(office, view["number"])["licence"])


def test_a_seal_that_fails_needs_a_person_and_keeps_the_number(office: Context) -> None:
    revoked = office.settings.data_dir / "seal-revoked"
    revoked.touch()
    view = submitted(office)
    approved = decide(office, REVIEWER, view["number"], "approve", seen(view))
    release(office, SEALER, view["number"], approved["version"])
    failed = until(lambda: (v := view_of(office, view["number"]))["seal"]["state"] == "failed" and v)
    assert failed["seal"]["note"] == "印章证书已撤销"
    lines = audit_lines(office, AUDITOR, limit=1000)
    approval = failed["decisions"][0]["id"]
    numbered = [
        line["subject"] for line in lines if line["detail"].get("decision") == approval and "numbered" in line["action"]
    ]
    with pytest.raises(NotFoundError):
        licence_by_number(office, numbered[0])
    revoked.unlink()
    release(office, SEALER, view["number"], failed["version"])
    assert until(lambda: view_of(office, view["number"])["licence"]) == numbered[0] and len(numbered) == 1


def test_a_licence_can_be_suspended_restored_and_revoked_for_good(office: Context) -> None:
    number = issued(office)["licence"]
    with pytest.raises(AccessError):
        change_licence(office, REVIEWER, number, "revoke", "违法", "样例法第一条")
    with pytest.raises(InputError):
        change_licence(office, APPROVER, number, "suspend", " ", "样例法第一条")
    with pytest.raises(InputError):
        change_licence(office, APPROVER, number, "suspend", "调查", " ")
    with pytest.raises(NotFoundError):
        stranger = caller("approver-9", "approver", org="elsewhere")
        change_licence(office, stranger, number, "suspend", "调查", "样例法第一条")
    for action, status in (("suspend", "suspended"), ("restore", "valid"), ("revoke", "revoked")):
        change_licence(office, APPROVER, number, action, "调查", "样例法第一条")  # type: ignore[arg-type]
        assert licence_by_number(office, number)["status"] == status
    with pytest.raises(ConflictError):
        change_licence(office, APPROVER, number, "restore", "误操作", "样例法第一条")
    history = view_licence(office, REVIEWER, number)["history"]
    assert {line["basis"] for line in history[1:]} == {"样例法第一条"}
    assert [line["status"] for line in history] == ["valid", "suspended", "valid", "revoked"]


def test_everything_leaves_a_line_in_a_whole_audit_log_and_an_event(office: Context) -> None:
    view = issued(office)
    lines = [(line["action"], line["actor"]) for line in audit_lines(office, AUDITOR, subject=view["number"])]
    assert lines[0] == ("application.created", "kiosk-1")
    assert lines[-3:] == [
        ("application.submitted", "kiosk-1"),
        ("application.approved", "reviewer-1"),
        ("seal.released", "sealer-1"),
    ]
    sealed = [line["action"] for line in audit_lines(office, AUDITOR, subject=view["licence"])]
    assert sealed == ["licence.numbered", "licence.issued"]
    assert check_audit(office, AUDITOR) == {"ok": True, "first_broken": None, "problem": None}
    topics = [event["topic"] for event in events(office, CLERK, limit=1000) if event["subject"] == view["number"]]
    assert topics == ["application.checked", "application.submitted", "application.approved", "licence.issued"]
    assert events(office, caller("clerk-9", "clerk", org="elsewhere")) == []
