"""Joint approval: each department in its own queue and on its own papers, one outcome of all opinions."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from docproc.errors import AccessError, ConflictError, DocprocError, InputError, NotFoundError
from docproc.flow.applications.applications import correct_field, list_applications, page_file, submit, view_application
from docproc.flow.audit import proof
from docproc.flow.core.context import Context
from docproc.flow.review import workbench
from docproc.flow.review.decisions import StaleError, accept, decide, release
from docproc.store.applications import applications, notices
from tests.cases import INSURANCE, changed
from tests.flow.people import KIOSK, SEALER, caller, hand_in, insurance_papers, seen, submitted, until

LEAD, TAX = "social_insurance_agency", "tax_office"
AGENT = caller("agent-1", "reviewer", "approver", org=LEAD)
COLLEAGUE = caller("agent-2", "approver", org=LEAD)
TAXMAN = caller("tax-1", "reviewer", "approver", org=TAX)
STRANGER = caller("other-1", "reviewer", "approver", org="elsewhere")


def opened(ctx: Context, values: Any = INSURANCE) -> str:
    return str(submitted(ctx, papers=insurance_papers(values), matter="social_insurance")["number"])


def speak(ctx: Context, who: Any, number: str, action: Any, **more: Any) -> dict[str, Any]:
    return decide(ctx, who, number, action, seen(view_application(ctx, who, number)), **more)


def waits_for(ctx: Context, who: Any) -> set[str]:
    return {item.view["number"] for item in workbench.queue(ctx, who)}


def test_all_agree_then_it_is_approved_once_and_sealed(office: Context) -> None:
    number = opened(office)
    assert number in waits_for(office, AGENT) and number in waits_for(office, TAXMAN)
    first = speak(office, TAXMAN, number, "approve")
    assert first["status"] == "submitted" and first["decisions"] == []
    assert number not in waits_for(office, TAXMAN) and number in waits_for(office, AGENT)
    done = speak(office, AGENT, number, "approve")
    assert done["status"] == "approved" and [d["action"] for d in done["decisions"]] == ["approve"]
    both = caller("tax-1", "sealer")
    with pytest.raises(AccessError) as error:
        release(office, both, number, done["version"])
    assert error.value.code == "same_person", "who agreed for any department does not release the seal"
    release(office, SEALER, number, done["version"])
    assert until(lambda: view_application(office, AGENT, number)["licence"])
    assert not [p for p in proof.prove(office, None).problems if number in p]


def test_a_department_sees_its_own_papers_only(office: Context) -> None:
    number = opened(office, changed(INSURANCE, ("staff_list/1", "name", "双流区另一家店")))
    lead, tax = view_application(office, AGENT, number), view_application(office, TAXMAN, number)
    papers = {p["id"]: p["readings"][0]["material"] for p in lead["pages"]}
    assert set(papers.values()) == {"application", "staff_list", "idcard", "bizlic", "bank_doc"}
    assert {r["material"] for p in tax["pages"] for r in p["readings"]} == {"application", "bizlic", "bank_doc"}
    assert "SI-04-roster" in {f["code"] for f in lead["findings"]}
    assert "SI-04-roster" not in {f["code"] for f in tax["findings"]}
    for page_id, material in papers.items():
        if material in ("application", "bizlic", "bank_doc"):
            assert page_file(office, TAXMAN, number, page_id)
            continue
        with pytest.raises(NotFoundError):
            page_file(office, TAXMAN, number, page_id)
        with pytest.raises(NotFoundError):
            correct_field(office, TAXMAN, number, page_id, 0, "name", "x")
    with pytest.raises(NotFoundError):
        view_application(office, STRANGER, number)
    assert number not in {a["number"] for a in list_applications(office, STRANGER, limit=200)}
    assert number in {a["number"] for a in list_applications(office, TAXMAN, limit=200)}


def test_a_draft_is_nobody_elses_business(office: Context) -> None:
    number = hand_in(office, papers=[], matter="social_insurance")
    with pytest.raises(NotFoundError):
        view_application(office, AGENT, number)
    assert number not in {a["number"] for a in list_applications(office, AGENT, limit=200)}


def test_one_refusal_refuses_and_names_its_basis(office: Context) -> None:
    number = opened(office)
    with pytest.raises(InputError):
        speak(office, TAXMAN, number, "reject", reason="不属于本机关征收")
    done = speak(office, TAXMAN, number, "reject", reason="不属于本机关征收", basis="《社会保险费征缴暂行条例》第六条")
    assert done["status"] == "rejected" and "税务机关：\n不属于本机关征收" in done["decisions"][0]["reason"]
    with pytest.raises(ConflictError):
        speak(office, AGENT, number, "approve")


def test_corrections_are_joined_into_one_notice_and_the_next_round_begins_afresh(office: Context) -> None:
    number = opened(office)
    waiting = speak(office, TAXMAN, number, "return", reason="请补交开户许可证", basis="征缴条例第八条")
    assert waiting["status"] == "submitted", "the applicant is told once, of everything"
    done = speak(office, AGENT, number, "return", reason="请补全职工名册", basis="社会保险法第五十八条")
    told = done["decisions"][0]
    assert done["status"] == "returned"
    assert told["reason"] == "一、社会保险经办机构：\n请补全职工名册\n二、税务机关：\n请补交开户许可证"
    assert told["basis"] == "社会保险法第五十八条；征缴条例第八条"
    with office.database.read() as session:
        notice = notices.newest(session, number)
    assert notice is not None and notice.number == f"{number}-BZ1"
    assert ["reason", "需要补正的全部内容", told["reason"]] in notice.body["fields"]
    submit(office, KIOSK, number)
    fresh = view_application(office, AGENT, number)
    assert [o["action"] for o in fresh["opinions"]] == [None, None]
    speak(office, AGENT, number, "approve")
    assert speak(office, TAXMAN, number, "approve")["status"] == "approved"


def test_an_opinion_on_papers_that_changed_no_longer_counts(office: Context) -> None:
    number = opened(office)
    speak(office, TAXMAN, number, "approve")
    lead = view_application(office, AGENT, number)
    of = {p["readings"][0]["material"]: p["id"] for p in lead["pages"]}
    correct_field(office, AGENT, number, of["staff_list"], 0, "staff.1.since", "2026-11-02", "misread")
    until(lambda: view_application(office, AGENT, number)["checked"])
    assert number not in waits_for(office, TAXMAN), "the roster is not what the tax office looked at"
    correct_field(office, AGENT, number, of["bank_doc"], 0, "bank", "样例银行成都支行", "misread")
    until(lambda: view_application(office, AGENT, number)["checked"])
    assert number in waits_for(office, TAXMAN)
    assert [o["outdated"] for o in view_application(office, AGENT, number)["opinions"]] == [False, True]
    assert speak(office, AGENT, number, "approve")["status"] == "submitted"
    assert speak(office, TAXMAN, number, "approve")["status"] == "approved"


def test_departments_work_side_by_side_and_officials_of_one_do_not(office: Context) -> None:
    number = opened(office)
    assert workbench.claim(office, AGENT, number) and workbench.claim(office, TAXMAN, number)
    with pytest.raises(ConflictError) as error:
        speak(office, COLLEAGUE, number, "approve")
    assert error.value.code == "claimed"
    speak(office, AGENT, number, "return", reason="请补全职工名册")
    with pytest.raises(ConflictError) as error:
        speak(office, COLLEAGUE, number, "approve")
    assert error.value.code == "opinion_given"
    assert speak(office, AGENT, number, "approve")["opinions"][0]["action"] == "approve", "one's own can be replaced"
    workbench.put_back(office, TAXMAN, number)
    two_hats = caller("agent-1", "approver", org=TAX)
    with pytest.raises(AccessError) as denied:
        speak(office, two_hats, number, "approve")
    assert denied.value.code == "same_person"


def test_who_took_it_in_accepts_but_does_not_decide_and_a_department_takes_a_stand_on_its_findings(
    office: Context,
) -> None:
    number = opened(office, changed(INSURANCE, ("bank_doc/1", "account_name", "双流区另一家店")))
    hall = caller("hall-1", "reviewer", "approver")
    assert number in waits_for(office, hall)
    with pytest.raises(AccessError):
        accept(office, TAXMAN, number, view_application(office, TAXMAN, number)["version"])
    accept(office, hall, number, view_application(office, hall, number)["version"])
    assert number not in waits_for(office, hall)
    with pytest.raises(AccessError):
        speak(office, hall, number, "approve", reason="x", set_aside=["SI-03"])
    with pytest.raises(ConflictError):
        speak(office, TAXMAN, number, "approve")
    speak(office, TAXMAN, number, "approve", reason="已核对户名", set_aside=["SI-03"])
    done = speak(office, AGENT, number, "approve", reason="已核对", set_aside=["SI-03"])
    assert done["status"] == "approved" and done["decisions"][0]["set_aside"] == ["SI-03"]


def test_of_two_departments_that_speak_at_once_both_are_heard(office: Context) -> None:
    number = opened(office)
    views = {who: view_application(office, who, number) for who in (AGENT, TAXMAN)}
    start, trouble = threading.Barrier(2), []

    def vote(who: Any) -> None:
        start.wait()
        try:
            decide(office, who, number, "approve", seen(views[who]))
        except DocprocError as error:
            trouble.append(error)

    threads = [threading.Thread(target=vote, args=(who,)) for who in (AGENT, TAXMAN)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble
    with office.database.read() as session:
        assert len(applications.decisions_of(session, number)) == 1
    with pytest.raises((StaleError, ConflictError)):
        decide(office, TAXMAN, number, "return", seen(views[TAXMAN]), reason="再看")
