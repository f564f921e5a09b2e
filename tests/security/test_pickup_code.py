"""The code that a printed licence is handed over for: what those who hand it over can see does not lead to it."""

from __future__ import annotations

import hashlib
import json

import pytest

from docproc.errors import AccessError
from docproc.flow.applications.applications import view_application
from docproc.flow.applications.pickup import LETTERS, show_code
from docproc.flow.applications.progress import follow
from docproc.flow.core.context import Context
from docproc.flow.counter.custody import chain_of_custody, hand_over
from docproc.flow.review.decisions import decide, release
from docproc.store.audit import audit
from docproc.store.tables.counter import PickupRow
from tests.flow.people import APPROVER, AUDITOR, CLERK, KIOSK, REVIEWER, SEALER, receipt_code, seen, submitted, until


@pytest.fixture
def case(office: Context) -> dict[str, str]:
    """An application whose licence is sealed."""
    view = submitted(office)
    decide(office, APPROVER, view["number"], "approve", seen(view))
    release(office, SEALER, view["number"], view_application(office, SEALER, view["number"])["version"])
    until(lambda: view_application(office, CLERK, view["number"])["licence"])
    seen_then = view_application(office, KIOSK, view["number"])
    return {**seen_then, "follow_code": receipt_code(office, view["number"])}


def test_who_works_here_is_not_told_what_opens_the_receipt(office: Context, case: dict[str, str]) -> None:
    code = case["follow_code"]
    assert len(code) >= 20
    for who in (CLERK, REVIEWER, APPROVER, SEALER, AUDITOR):
        assert code not in json.dumps(view_application(office, who, case["number"]), default=str)


def test_what_everybody_knows_of_a_case_does_not_make_the_code(office: Context, case: dict[str, str]) -> None:
    right = show_code(office, case["follow_code"])
    assert set(right.replace("-", "")) <= set(LETTERS) and len(right) == 9
    digest = hashlib.sha256(f"pick-up {case['follow_code']} {case['licence']}".encode()).digest()
    former = f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"  # how it was made before
    with pytest.raises(AccessError):
        hand_over(office, CLERK, case["number"], former, "样例甲")
    assert hand_over(office, CLERK, case["number"], right, "样例甲")["kind"] == "handed_over"


def test_before_anybody_had_it_shown_no_code_is_right(office: Context, case: dict[str, str]) -> None:
    for code in ("", "000000", "elsewhere"):
        with pytest.raises(AccessError):
            hand_over(office, CLERK, case["number"], code, "样例甲")


def test_it_is_shown_once_kept_as_a_hash_and_each_showing_leaves_a_trace(office: Context, case: dict[str, str]) -> None:
    first = show_code(office, case["follow_code"])
    told = follow(office, case["follow_code"])
    assert told["pickup"] is not None and told["pickup"]["times"] == 1 and told["pickup"]["shown_at"]
    assert first not in json.dumps(told, default=str)
    second = show_code(office, case["follow_code"])
    assert first != second
    with office.database.read() as session:
        row = session.get(PickupRow, case["number"])
        assert row is not None and row.hash.startswith("$argon2id$") and row.times == 2
        lines = [line for line in audit.lines(session, subject=case["number"]) if line.action == "pickup.shown"]
    assert len(lines) == 2 and second not in str([line.detail for line in lines])
    with pytest.raises(AccessError):
        hand_over(office, CLERK, case["number"], first, "样例甲")
    hand_over(office, CLERK, case["number"], second, "样例甲")
    assert second not in json.dumps(chain_of_custody(office, CLERK, case["number"]))
    with office.database.read() as session:
        assert session.get(PickupRow, case["number"]) is None, "once used it is gone"
