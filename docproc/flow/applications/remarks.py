"""识别有误: what a citizen says of a value that was read, before they submit.

A remark is kept as it was said and never taken as the value: the value counts as doubted, an official must look at it
beside the picture, and only their correction or confirmation settles it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from docproc.domain import Finding
from docproc.errors import ConflictError, LimitError, NotFoundError
from docproc.flow.applications import joint_approval
from docproc.flow.applications.applications import queue_check, touch, visible
from docproc.flow.applications.views import ApplicationView
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.lifecycle import OPEN_FOR_PAGES
from docproc.store.applications import pages, remarks
from docproc.store.audit import audit
from docproc.store.tables.applications import ApplicationRow

MOST_LETTERS = 500
CODE = "remarked"
MESSAGE = "申请人指出这一项识别有误，请对照原图核对"


def remark(
    ctx: Context, caller: Caller, number: str, page_id: str, index: int, field: str, said: str = ""
) -> ApplicationView:
    """Keep that the citizen finds a value wrongly read, in place of an earlier remark on it.

    Args:
        ctx: the service.
        caller: the kiosk or clerk to whom it is said.
        number: application, open for files.
        page_id: the file.
        index: page of the file.
        field: on that page.
        said: what should stand there, in the citizen's words; may be empty.

    Raises:
        ConflictError: the application is not open for files.
        LimitError: too long.
        NotFoundError: no such page, reading or field.
    """
    if len(said) > MOST_LETTERS:
        raise LimitError(f"a remark of over {MOST_LETTERS} letters", message_zh="填写的内容过长")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = _open(session, caller, number)
        reading = _reading_field(session, number, page_id, index, field)
        remarks.put(session, page_id, index, field, said.strip(), caller.subject, at)
        return _noted(ctx, session, caller, row, "field.remarked", page_id, index, reading, field, at)


def take_back(ctx: Context, caller: Caller, number: str, page_id: str, index: int, field: str) -> ApplicationView:
    """Forget a remark; raises as :func:`remark`."""
    with ctx.database.write() as session:
        at = ctx.clock()
        row = _open(session, caller, number)
        reading = _reading_field(session, number, page_id, index, field)
        if not remarks.remove(session, page_id, index, field):
            return joint_approval.view(session, caller, row)
        return _noted(ctx, session, caller, row, "field.remark_taken_back", page_id, index, reading, field, at)


def findings(session: Session, number: str) -> list[Finding]:
    """A finding for each remark that no official has settled."""
    read = {(page.id, reading.index): reading for page, reading in pages.readings_of(session, number, corrected=False)}
    return [
        Finding(CODE, "warn", MESSAGE, read[row.page_id, row.index].material, row.field, look=True)
        for row in pages.open_remarks(session, number)
    ]


def _open(session: Session, caller: Caller, number: str) -> ApplicationRow:
    row = visible(session, caller, number, "remark", lock=True)
    if row.status not in OPEN_FOR_PAGES:
        raise ConflictError(f"application is {row.status}", message_zh="办件已提交，不能再标注")
    return row


def _reading_field(session: Session, number: str, page_id: str, index: int, field: str) -> str | None:
    """The material of the page that has the field."""
    page = pages.find_page(session, page_id, number)
    if page.removed_at is not None:
        raise ConflictError("the page was removed", message_zh="这份材料已撤回")
    reading = pages.find_reading(session, page_id, index)
    if field not in reading.fields:
        raise NotFoundError(f"page {page_id} has no field {field!r}", message_zh="没有这个字段")
    return reading.material


def _noted(
    ctx: Context,
    session: Session,
    caller: Caller,
    row: ApplicationRow,
    action: str,
    page_id: str,
    index: int,
    material: str | None,
    field: str,
    at: datetime,
) -> ApplicationView:
    touch(row, at)
    queue_check(ctx, session, row)
    audit.append(
        session, at, caller.subject, action, row.number, page=page_id, index=index, material=material, field=field
    )
    return joint_approval.view(session, caller, row)
