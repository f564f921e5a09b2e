"""The counter: originals in and out, paper held against scans, the licence handed over to who knows the code."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from docproc.errors import AccessError, ConflictError, InputError, NotFoundError, UnknownMaterialError
from docproc.flow.applications.applications import submit, view_application
from docproc.flow.applications.pickup import show_code
from docproc.flow.applications.progress import follow
from docproc.flow.audit.log import audit_lines
from docproc.flow.core.context import Context, utc_now
from docproc.flow.counter.custody import (
    LOCKED_FOR,
    WRONG_CODES,
    Compared,
    Original,
    chain_of_custody,
    compare,
    find_case,
    hand_over,
    receipt_pdf,
    receive_originals,
    return_originals,
)
from docproc.flow.counter.paper_check import check_papers
from docproc.flow.messages.feed import events
from docproc.flow.review.decisions import decide, release
from docproc.marks import FormCode
from tests.cases import TRADER, pages
from tests.flow.people import (
    APPROVER,
    AUDITOR,
    CLERK,
    KIOSK,
    REVIEWER,
    SEALER,
    caller,
    hand_in,
    receipt_code,
    seen,
    submitted,
    until,
)
from tests.flow.small_stages import paper

STRANGER = caller("clerk-9", "clerk", org="elsewhere")
SERIAL = "0123456789"


def printed() -> list[bytes]:
    """The papers of a sole trader; the form says which print-out it is."""
    readings = pages("sole_trader", TRADER)
    return [paper([replace(r, form_id=SERIAL) if r.material == "application" else r]) for r in readings]


def test_originals_are_received_with_a_receipt_and_returned_once(office: Context) -> None:
    number = str(submitted(office)["number"])
    with pytest.raises(InputError):
        receive_originals(office, CLERK, number, [])
    with pytest.raises(UnknownMaterialError):
        receive_originals(office, CLERK, number, [Original("no_such_paper", 1)])
    for who in (KIOSK, REVIEWER):
        with pytest.raises(AccessError):
            receive_originals(office, who, number, [Original("application", 1)])
    receipt = receive_originals(office, CLERK, number, [Original("application", 1), Original("lease", 2)])["receipt"]
    assert receipt == f"{number}-S1"
    assert receipt_pdf(office, CLERK, number, receipt).startswith(b"%PDF-")
    code = receipt_code(office, number)
    for text in (receipt, number, number.lower(), f"https://x.example/p/{code}"):
        assert find_case(office, CLERK, text) == number
        with pytest.raises(NotFoundError):
            find_case(office, STRANGER, text)
    return_originals(office, CLERK, number, receipt, "样例甲")
    with pytest.raises(ConflictError):
        return_originals(office, CLERK, number, receipt, "样例甲")
    with pytest.raises(NotFoundError):
        return_originals(office, CLERK, number, f"{number}-S2", "样例甲")
    steps = chain_of_custody(office, REVIEWER, number)
    assert [(s["kind"], s["by"]) for s in steps] == [("received", CLERK.subject), ("returned", CLERK.subject)]
    actions = [line["action"] for line in audit_lines(office, AUDITOR, subject=number)]
    assert "papers.received" in actions and "papers.returned" in actions


def test_paper_that_is_another_print_out_is_no_match_and_a_mismatch_is_told(office: Context) -> None:
    number = str(submitted(office, papers=printed())["number"])
    view = view_application(office, CLERK, number)
    found = [Compared(page["id"], reading["index"], "match") for page in view["pages"] for reading in page["readings"]]
    form = next(p for p in view["pages"] if p["readings"][0]["material"] == "application")
    sheet = form["readings"][0]["page"]
    own = FormCode("sole_trader", "2022-03", "application", sheet, SERIAL).text()
    other = own.replace(SERIAL, "ZZZZZZZZZZ")
    at = next(i for i, item in enumerate(found) if item.page_id == form["id"])
    for wrong in (
        replace(found[at], scanned=other),
        replace(found[at], scanned=f"{own}:2/3"),
        replace(found[at], scanned="DP2:x"),
        replace(found[at], result="mismatch"),
    ):
        with pytest.raises(InputError):
            compare(office, CLERK, number, [wrong])
    with pytest.raises(InputError):
        compare(office, CLERK, number, [found[0], found[0]])
    with pytest.raises(NotFoundError):
        compare(office, STRANGER, number, found)
    found[at] = replace(found[at], scanned=own)
    assert compare(office, CLERK, number, found)["detail"]["result"] == "match"
    assert view_application(office, REVIEWER, number)["papers"] == "match"
    found[at] = replace(found[at], scanned=other, result="mismatch", note="纸质表格为另一份")
    step = compare(office, CLERK, number, found)
    assert step["detail"]["pages"][at]["serial"] == "ZZZZZZZZZZ"
    assert view_application(office, REVIEWER, number)["papers"] == "mismatch"
    assert [e["topic"] for e in events(office, CLERK, limit=1000) if e["subject"] == number].count(
        "papers.mismatch"
    ) == 1
    line = next(x for x in audit_lines(office, AUDITOR, subject=number) if x["detail"].get("mismatched"))
    assert line["detail"]["mismatched"] == [form["id"]]


def sheet(seed: int) -> np.ndarray:
    """A page of figures that no other seed gives."""
    page, draw = np.full((1754, 1240, 3), 252, np.uint8), np.random.default_rng(seed)
    for line in range(26):
        text = " ".join("".join(map(str, draw.integers(0, 10, draw.integers(2, 7)))) for _ in range(7))
        cv2.putText(page, text, (120, 140 + 58 * line), cv2.FONT_HERSHEY_DUPLEX, 0.9, (40, 38, 36), 2, cv2.LINE_AA)
    return page


def picture(page: np.ndarray, form: str = ".png") -> bytes:
    return cv2.imencode(form, page)[1].tobytes()


def test_what_the_machine_sees_on_the_paper_is_kept_and_a_match_against_it_needs_a_word(office: Context) -> None:
    readings = pages("sole_trader", TRADER)
    sheets = [sheet(seed) for seed in range(len(readings))]
    papers = [picture(drawn) + paper([reading]) for drawn, reading in zip(sheets, readings, strict=True)]
    number = hand_in(office, KIOSK, papers)
    until(lambda: view_application(office, KIOSK, number)["checked"])
    with pytest.raises(ConflictError):
        check_papers(office, CLERK, number, [picture(sheets[0])])
    submit(office, KIOSK, number)
    for who in (KIOSK, REVIEWER):
        with pytest.raises(AccessError):
            check_papers(office, who, number, [picture(sheets[0])])
    with pytest.raises(NotFoundError):
        check_papers(office, STRANGER, number, [picture(sheets[0])])
    with pytest.raises(InputError):
        check_papers(office, CLERK, number, [])
    scanned = [cv2.GaussianBlur(np.rot90(drawn), (3, 3), 0) for drawn in sheets]
    scanned[1] = scanned[1].copy()
    scanned[1][600:640, 500:620] = 252
    first = check_papers(office, CLERK, number, [picture(scanned[1], ".jpg"), picture(sheet(99))])
    assert [item["outcome"] for item in first["sheets"]] == ["absent", "differs", *["absent"] * (len(sheets) - 2)]
    assert first["sheets"][1]["spots"][0]["kind"] == "missing" and first["left"] == [2]
    rest = check_papers(office, CLERK, number, [picture(drawn, ".jpg") for at, drawn in enumerate(scanned) if at != 1])
    assert [item["outcome"] for item in rest["sheets"]] == ["same", "absent", *["same"] * (len(sheets) - 2)]
    found = [Compared(item["page_id"], item["index"], "match") for item in rest["sheets"]]
    with pytest.raises(InputError) as refused:
        compare(office, CLERK, number, found)
    assert refused.value.code == "say_why_it_matches", "the earlier check of that page counts"
    found[1] = replace(found[1], note="污渍，内容一致")
    step = compare(office, CLERK, number, found)
    assert [item["checked"] for item in step["detail"]["pages"]][:2] == ["same", "differs"]
    lines = [line for line in audit_lines(office, AUDITOR, subject=number) if line["action"] == "papers.checked"]
    assert len(lines) == 2 and found[1].page_id in lines[-1]["detail"]["differing"]
    kept = [step for step in chain_of_custody(office, CLERK, number) if step["kind"] == "checked"]
    assert [len(step["detail"]["papers"]) for step in kept] == [2, len(sheets) - 1], "hashes, no pictures"


def test_the_licence_is_handed_over_once_to_who_knows_the_code(office: Context) -> None:
    view = submitted(office)
    number = str(view["number"])
    with pytest.raises(ConflictError):
        hand_over(office, CLERK, number, "000000", "样例甲")
    decide(office, APPROVER, number, "approve", seen(view))
    release(office, SEALER, number, view_application(office, SEALER, number)["version"])
    until(lambda: view_application(office, CLERK, number)["licence"])
    void, code = (show_code(office, view["follow_code"]) for _ in range(2))
    wrong = void
    for _ in range(WRONG_CODES):
        with pytest.raises(AccessError) as refused:
            hand_over(office, CLERK, number, wrong, "样例乙")
        assert refused.value.code == "wrong_pickup_code"
    with pytest.raises(AccessError) as locked:
        hand_over(office, CLERK, number, code, "样例甲")
    assert locked.value.code == "pickup_locked"
    later = replace(office, clock=lambda: utc_now() + LOCKED_FOR)
    with pytest.raises(InputError):
        hand_over(later, CLERK, number, code, " ")
    done = hand_over(later, CLERK, number, f" {code.lower().replace('-', ' ')}", "样例甲")
    assert done["detail"] == {"licence": view_application(office, CLERK, number)["licence"], "to": "样例甲"}
    with pytest.raises(ConflictError):
        hand_over(later, CLERK, number, code, "样例甲")
    told = follow(office, view["follow_code"])["pickup"]
    assert told is not None and not told["ready"]
    with pytest.raises(ConflictError):
        show_code(office, view["follow_code"])
    assert [s["kind"] for s in chain_of_custody(office, CLERK, number)] == ["refused"] * WRONG_CODES + ["handed_over"]
