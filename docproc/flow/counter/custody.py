"""综合窗口: originals received and returned, paper compared with the scans when it arrives later, results handed over.

Every step is one row of the chain of custody and one line of the audit log, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypedDict

from sqlalchemy.orm import Session

from docproc.canonical import JsonObject
from docproc.domain import CHINA
from docproc.errors import AccessError, ConflictError, InputError, NotFoundError
from docproc.flow.applications.applications import announce, visible
from docproc.flow.applications.pickup import is_code
from docproc.flow.applications.views import PaperResult
from docproc.flow.core import reads, views
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.counter.paper_check import checked_so_far
from docproc.marks import parse_code
from docproc.matter.load import find_matter
from docproc.scan.compare.paper_match import Outcome
from docproc.store.applications import pages
from docproc.store.audit import audit
from docproc.store.counter import custody, pickup
from docproc.store.licences import licences
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.counter import CustodyRow, StepKind
from docproc.store.wallet import shares

MOST_COPIES = 100
WRONG_CODES = 5
"""Pick-up codes that may be wrong within :data:`LOCKED_FOR` before no more are taken."""
LOCKED_FOR = timedelta(hours=12)
_OTHER_PRINT = "纸质表格的二维码与扫描件不是同一张，不能记为一致"


@dataclass(frozen=True, slots=True)
class Original:
    """A kind of paper that is deposited at the counter."""

    material: str
    copies: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A scanned page and what was found when its paper lay beside it."""

    page_id: str
    index: int
    result: PaperResult
    scanned: str = ""
    """What the hand scanner read from the paper's QR code; empty where it has none."""
    note: str = ""


class CustodyStep(TypedDict):
    """One step in the chain of custody."""

    id: int
    kind: StepKind
    receipt: str | None
    by: str
    at: str
    detail: JsonObject


class ComparedPage(TypedDict):
    """A scanned page and what was found when its paper lay beside it, as it is kept."""

    page_id: str
    index: int
    material: str | None
    result: PaperResult
    note: str
    serial: str
    checked: Outcome | Literal[""]
    """What the machine had found before; empty where it did not look."""


def find_case(ctx: Context, caller: Caller, text: str) -> str:
    """The application behind what a hand scanner read: a receipt's barcode, its QR code, or a number typed in.

    Raises:
        NotFoundError: none that the caller sees.
    """
    caller.require("counter")
    word = text.strip().rstrip("/").rpartition("/")[2]
    with ctx.database.read() as session:
        if "/p/" in text:
            row = shares.followed(session, word)
            caller.check_sees(row)
            return row.number
        number = word.upper()
        stem, _, last = number.rpartition("-")
        return visible(session, caller, stem if last[:1] in ("S", "B") and last[1:2] else number, "view").number


def receive_originals(
    ctx: Context, caller: Caller, number: str, items: Sequence[Original], note: str = ""
) -> CustodyStep:
    """Take originals in and number their receipt.

    Raises:
        InputError: no papers, no sensible number of copies.
        UnknownMaterialError: the matter has no such paper.
        NotFoundError: no such application.
    """
    caller.require("counter")
    if not items or any(not 1 <= item.copies <= MOST_COPIES for item in items):
        raise InputError("name papers with 1 to 100 copies each", message_zh="请勾选收到的原件并填写份数")
    with ctx.database.write() as session:
        row = visible(session, caller, number, "view", lock=True)
        matter = find_matter(row.matter)
        for item in items:
            matter.check_material(item.material)
        named = [
            {"material": i.material, "name": matter.find_material(i.material).name, "copies": i.copies} for i in items
        ]
        receipt = f"{number}-S{custody.count(session, number, 'received') + 1}"
        return _step(ctx, session, caller, row, "received", receipt=receipt, items=named, note=note.strip())


def receipt_pdf(ctx: Context, caller: Caller, number: str, receipt: str) -> bytes:
    """The receipt for originals to print, with its number as a barcode.

    Raises:
        NotFoundError: there is none of this number.
    """
    from docproc.form.receipt import CounterReceipt, draw_receipt  # most processes never draw one

    caller.require("counter")
    with ctx.database.read() as session:
        row = visible(session, caller, number, "view")
        step = _received(session, number, receipt)
        reads.note(caller, "custody", number, receipt)
        code = shares.follow_code(session, number)
        body = CounterReceipt(
            number=receipt,
            application=number,
            matter=find_matter(row.matter).name,
            authority=ctx.settings.authority_name,
            received_at=f"{step.at.astimezone(CHINA):%Y年%m月%d日 %H:%M}",
            clerk=step.actor,
            items=tuple((item["name"], int(item["copies"])) for item in step.detail["items"]),
            note=str(step.detail["note"]),
            address=f"{ctx.settings.public_url.rstrip('/')}/p/{code}",
        )
    return draw_receipt(body)


def receipt_address(ctx: Context, caller: Caller, number: str) -> str:
    """The address that is printed on the applicant's receipt as a QR code.

    Raises:
        NotFoundError: no such application for this caller.
    """
    with ctx.database.read() as session:
        visible(session, caller, number, "create")
        return f"{ctx.settings.public_url.rstrip('/')}/p/{shares.follow_code(session, number)}"


def return_originals(ctx: Context, caller: Caller, number: str, receipt: str, to: str) -> CustodyStep:
    """Give originals back.

    Raises:
        ConflictError: they were given back already.
        NotFoundError: there is no such receipt.
        InputError: nobody is named.
    """
    caller.require("counter")
    _named(to)
    with ctx.database.write() as session:
        row = visible(session, caller, number, "view", lock=True)
        _received(session, number, receipt)
        if any(step.kind == "returned" and step.receipt == receipt for step in custody.steps(session, number)):
            raise ConflictError(f"originals of {receipt} were returned", message_zh="这份收件凭证上的原件已经退还")
        return _step(ctx, session, caller, row, "returned", receipt=receipt, to=to.strip())


def compare(ctx: Context, caller: Caller, number: str, found: Sequence[Compared]) -> CustodyStep:
    """Record how paper that arrived later stands against the scans that were decided on.

    A form tells by its QR code which print-out it is; another one than was scanned cannot be recorded as a match. Where
    the last check by machine saw a difference, a match needs a word.

    Raises:
        ConflictError: not submitted yet.
        NotFoundError: no such page.
        InputError: nothing was compared, a page twice, a mismatch without a word, or a match that the code denies, or
            that the machine denies and no word explains.
    """
    caller.require("counter")
    if not found or len({(item.page_id, item.index) for item in found}) != len(found):
        raise InputError("compare each page once", message_zh="请逐页选择核对结果")
    with ctx.database.write() as session:
        row = visible(session, caller, number, "view", lock=True)
        if row.submitted_at is None:
            raise ConflictError(f"application {number} was not handed in", message_zh="办件还没有提交")
        steps = [step for step in custody.steps(session, number) if step.kind == "checked"]
        checks = checked_so_far(step.detail["pages"] for step in steps)
        outcomes = {place: check["outcome"] for place, check in checks.items()}
        said = [_compared(session, number, item, outcomes.get((item.page_id, item.index), "")) for item in found]
        results = {item["result"] for item in said}
        whole: PaperResult = "mismatch" if "mismatch" in results else "absent" if "absent" in results else "match"
        step = _step(ctx, session, caller, row, "compared", result=whole, pages=said)
        if whole == "mismatch":
            announce(ctx, session, row, "papers.mismatch")
        return step


def hand_over(ctx: Context, caller: Caller, number: str, code: str, to: str) -> CustodyStep:
    """Hand the printed licence over to who knows the pick-up code.

    Raises:
        ConflictError: there is no licence in force, or it was handed over already.
        AccessError: the code is wrong, or too many were.
        InputError: nobody is named.
    """
    caller.require("counter")
    _named(to)
    with ctx.database.read() as session:
        visible(session, caller, number, "view")
        kept = pickup.find_code(session, number)
    right = is_code(kept.hash if kept is not None else None, code)
    with ctx.database.write() as session:
        row = visible(session, caller, number, "view", lock=True)
        licence = licences.licence_of_application(session, number)
        if licence is None or licence.sha256 is None or views.licence_status(licence, ctx.today()) != "valid":
            raise ConflictError(f"application {number} has no licence in force", message_zh="没有可以领取的证照")
        if custody.count(session, number, "handed_over"):
            raise ConflictError(f"licence {licence.number} was handed over", message_zh="证照已经领取")
        since = ctx.clock() - LOCKED_FOR
        if custody.count(session, number, "refused", since) >= WRONG_CODES:
            raise AccessError("too many wrong codes", message_zh="领证码多次错误，请稍后再试", code="pickup_locked")
        now = pickup.find_code(session, number)
        if right and kept is not None and now is not None and now.hash == kept.hash:
            pickup.drop_code(session, number)
            return _step(ctx, session, caller, row, "handed_over", licence=licence.number, to=to.strip())
        _step(ctx, session, caller, row, "refused", licence=licence.number)
    raise AccessError("the pick-up code is wrong", message_zh="领证码不正确", code="wrong_pickup_code")


def chain_of_custody(ctx: Context, caller: Caller, number: str) -> list[CustodyStep]:
    """Every step of an application's papers, the oldest first."""
    with ctx.database.read() as session:
        visible(session, caller, number, "view")
        reads.note(caller, "custody", number)
        return [_view(step) for step in custody.steps(session, number)]


def _compared(session: Session, number: str, item: Compared, checked: Outcome | Literal[""]) -> ComparedPage:
    page = pages.find_page(session, item.page_id, number)
    reading = pages.find_reading(session, item.page_id, item.index)
    result, note, serial = item.result, item.note.strip(), ""
    if page.removed_at is not None:
        raise NotFoundError(f"page {item.page_id} was removed", message_zh="这份材料已撤回")
    if item.scanned.strip():
        paper = parse_code(item.scanned)
        serial = paper.form_id
        scan = (reading.material, reading.page, reading.form_id, reading.sheet, reading.sheets)
        same = (paper.material, paper.page, paper.form_id, paper.sheet, paper.sheets) == scan
        if not same and result == "match":
            raise InputError(
                f"the paper is {serial}, the scan {reading.form_id}", message_zh=_OTHER_PRINT, code="other_paper"
            )
    if result == "match" and checked == "other_print":
        raise InputError("the machine saw another print-out", message_zh=_OTHER_PRINT, code="other_paper")
    if result == "match" and checked in ("differs", "unclear") and not note:
        problem = "自动核对发现差异或看不清的页，记为一致的，请写明核对情况"
        raise InputError(f"the machine says {checked}", message_zh=problem, code="say_why_it_matches")
    if result == "mismatch" and not note:
        raise InputError("say what differs", message_zh="不一致的，请写明差异")
    return {
        "page_id": item.page_id,
        "index": item.index,
        "material": reading.material,
        "result": result,
        "note": note,
        "serial": serial,
        "checked": checked,
    }


def _received(session: Session, number: str, receipt: str) -> CustodyRow:
    for step in custody.steps(session, number):
        if step.kind == "received" and step.receipt == receipt:
            return step
    raise NotFoundError(f"no receipt {receipt!r}", message_zh="没有这份收件凭证")


def _named(to: str) -> None:
    if not to.strip():
        raise InputError("name who receives it", message_zh="请填写领取人姓名")


def _step(
    ctx: Context,
    session: Session,
    caller: Caller,
    row: ApplicationRow,
    kind: StepKind,
    *,
    receipt: str = "",
    **detail: Any,
) -> CustodyStep:
    at: datetime = ctx.clock()
    made = custody.add(session, row.number, kind, caller.subject, at, receipt=receipt, **detail)
    noted = {key: value for key, value in detail.items() if key in ("licence", "result")}
    if kind == "compared":
        noted["mismatched"] = [item["page_id"] for item in detail["pages"] if item["result"] == "mismatch"]
    audit.append(session, at, caller.subject, f"papers.{kind}", row.number, step=made.id, receipt=receipt, **noted)
    return _view(made)


def _view(step: CustodyRow) -> CustodyStep:
    return {
        "id": step.id,
        "kind": step.kind,
        "receipt": step.receipt or None,
        "by": step.actor,
        "at": step.at.isoformat(),
        "detail": step.detail,
    }
