"""What an applicant sees without signing in: the stage, what to correct, and whether the licence is in force."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from docproc.flow.applications import progress
from docproc.flow.applications.applications import view_application
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import change_licence
from docproc.flow.review.decisions import decide, release
from docproc.store.licences import licences
from tests.flow.people import APPROVER, KIOSK, REVIEWER, SEALER, receipt_code, seen, submitted, until

REASON, BASIS = "以欺骗手段取得许可", "《中华人民共和国行政许可法》第六十九条"


def issued(ctx: Context) -> dict[str, Any]:
    view = submitted(ctx)
    approved = decide(ctx, REVIEWER, view["number"], "approve", seen(view))
    release(ctx, SEALER, view["number"], approved["version"])
    done = until(lambda: (v := view_application(ctx, KIOSK, view["number"]))["licence"] and v)
    return {**done, "follow_code": receipt_code(ctx, view["number"])}


def test_a_licence_in_force_is_offered_with_the_code_to_pick_it_up(office: Context) -> None:
    view = issued(office)
    told = progress.follow(office, view["follow_code"])
    assert (told["standing"], told["status_zh"]) == ("valid", "已发证")
    assert told["licence"] is not None and told["licence"]["offered"]
    assert told["pickup"] == {"ready": True, "times": 0, "shown_at": None}
    assert view["licence_status"] == "valid"


@pytest.mark.parametrize(
    ("action", "status", "words"), [("suspend", "suspended", "已暂停"), ("revoke", "revoked", "已作废")]
)
def test_a_licence_out_of_force_is_told_as_such_and_not_offered(
    office: Context, action: Any, status: str, words: str
) -> None:
    view = issued(office)
    change_licence(office, APPROVER, view["licence"], action, REASON, BASIS)
    told = progress.follow(office, view["follow_code"])
    assert (told["standing"], told["standing_zh"]) == (status, words)
    licence = told["licence"]
    assert licence is not None and not licence["offered"]
    assert (licence["reason"], licence["basis"]) == (REASON, BASIS) and licence["since"]
    assert told["pickup"] is not None and not told["pickup"]["ready"], "nothing is handed over at the counter either"
    assert progress.progress(office, view["number"])["standing"] == status, "the number alone says so too"
    assert view_application(office, REVIEWER, view["number"])["licence_status"] == status


def test_a_licence_in_force_again_is_offered_again(office: Context) -> None:
    view = issued(office)
    change_licence(office, APPROVER, view["licence"], "suspend", REASON, BASIS)
    change_licence(office, APPROVER, view["licence"], "restore", "已整改", BASIS)
    told = progress.follow(office, view["follow_code"])
    assert told["standing"] == "valid" and told["licence"] is not None and told["licence"]["offered"]
    assert told["licence"]["reason"] == "", "why it was suspended is over"


def test_a_licence_whose_term_is_over_is_not_offered(office: Context) -> None:
    view = issued(office)
    with office.database.write() as session:
        licences.find_licence(session, view["licence"]).valid_to = office.today() - timedelta(days=1)
    told = progress.follow(office, view["follow_code"])
    assert told["standing"] == "expired" and told["licence"] is not None and not told["licence"]["offered"]


def test_before_the_licence_there_is_no_standing(office: Context) -> None:
    view = submitted(office)
    assert progress.progress(office, view["number"])["standing"] is None
    assert view["licence_status"] is None


def test_what_was_returned_is_told_once_with_its_lines(office: Context) -> None:
    view = submitted(office)
    reason = "1. 请补交租赁合同原件\n2. 请重新签字"
    decide(office, REVIEWER, view["number"], "return", seen(view), reason=reason, basis="")
    told = progress.follow(office, view["follow_code"])
    assert told["reason"] == reason and "findings" not in told, "the notice lists everything that is to be corrected"
