"""What a person says a page is: kept as said by whom and when, and followed by reading the page as that.

A citizen names a page that was not recognised, or not as what it is; an official does so until the decision. Where the
reader cannot make it out as what was said, the material is claimed, and the verdict is ``look`` until a reviewer
confirms it by name. With no material a page is none of the matter's papers, which asks for no reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from docproc.domain import GOOD, PageReading, Said
from docproc.errors import ConflictError, InputError
from docproc.flow.applications import joint_approval
from docproc.flow.applications.applications import queue_check, touch, visible
from docproc.flow.applications.views import ApplicationView
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.jobs import fair_queue
from docproc.lifecycle import OPEN_FOR_PAGES, Status
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.read.free.unread import with_unread_fields
from docproc.store.applications import assignments, pages
from docproc.store.audit import audit
from docproc.store.review import claims
from docproc.store.tables.applications import ApplicationRow, AssignmentRow, PageRow

UNDECIDED: frozenset[Status] = OPEN_FOR_PAGES | {"submitted", "accepted"}


def assign_page(ctx: Context, caller: Caller, number: str, page_id: str, index: int, said: Said) -> ApplicationView:
    """Keep what a person says a page is, and queue the page to be read as that.

    Args:
        ctx: the service.
        caller: who says it; a kiosk for the citizen in front of it, as long as files can be added.
        number: application.
        page_id: the file.
        index: page of the file.
        said: material and its page, or no material: the page is none of the matter's papers.

    Raises:
        ConflictError: the application is decided, the file was taken back, or the page bears a form's own code.
        ClaimedError: somebody else works on it.
        InputError: the matter has no such material, or the material no such page.
        NotFoundError: no such application, page or reading.
    """
    caller.require("assign")
    with ctx.database.write() as session:
        row = visible(session, caller, number, "assign", lock=True)
        page, old = _page_to_name(ctx, session, caller, row, page_id, index)
        matter = find_matter(row.matter)
        _check_said(session, caller, row, matter, old, said)
        if not _is_said_already(session, number, page_id, index, said):
            _keep(ctx, session, caller, row, page, replace(old, index=index), said)
        return joint_approval.view(session, caller, row)


def follow(
    session: Session, matter: Matter, page: PageRow, handled: Sequence[AssignmentRow], read: Sequence[PageReading]
) -> bool:
    """Store the readings of pages that persons named; those that could not be read become claims without values.

    Returns:
        Whether the file is read now; else something was said meanwhile, which another job follows.
    """
    by_index = {reading.index: reading for reading in read}
    for item in handled:
        old = pages.find_reading(session, page.id, item.index)
        made = by_index.get(item.index) or claim(matter, old, Said(item.material, item.side))
        assignments.replace_reading(session, page.id, made)
    assignments.mark_followed(session, [item.id for item in handled])
    return not assignments.pending(session, page.id)


def claim(matter: Matter, old: PageReading, said: Said) -> PageReading:
    """The page as what a person said it is, without anything read."""
    quality = old.quality if said.material is not None else GOOD
    made = replace(old, material=said.material, page=said.page, claimed=True, fields={}, edition=None, quality=quality)
    return with_unread_fields(made, matter)


def _page_to_name(
    ctx: Context, session: Session, caller: Caller, row: ApplicationRow, page_id: str, index: int
) -> tuple[PageRow, PageReading]:
    if row.status not in (UNDECIDED if caller.can("correct") else OPEN_FOR_PAGES):
        raise ConflictError(f"application is {row.status}", message_zh="办件当前状态不能更改材料类别")
    claims.check_free(session, row.number, caller.subject, ctx.clock(), joint_approval.desk(caller, row))
    joint_approval.check_page(session, caller, row, page_id, index)
    page, reading = pages.find_page(session, page_id, row.number), pages.find_reading(session, page_id, index)
    if page.removed_at is not None:
        raise ConflictError("the page was removed", message_zh="这份材料已撤回")
    return page, reading


def _check_said(
    session: Session, caller: Caller, row: ApplicationRow, matter: Matter, old: PageReading, said: Said
) -> None:
    if old.form_id is not None and (said.material, said.page) != (old.material, old.page):
        raise ConflictError(
            f"the page bears the code of form {old.form_id}",
            message_zh="这一页印有表格编码，系统已确认它是哪份表格，不能改为其他材料",
        )
    if said.material is None:
        return
    seen = joint_approval.scope(caller, row)
    if seen is not None and not seen.sees(said.material):
        raise InputError(f"{seen.org} does not see {said.material}", message_zh="您的部门不审核这份材料")
    matter.check_material(said.material)
    spec = matter.find_material(said.material)
    most = len(matter.find_form(spec.id).page) if spec.kind == "form" else spec.sides
    if not 1 <= said.page <= most:
        raise InputError(f"{spec.id} has {most} pages", message_zh=f"《{spec.name}》没有第{said.page}页")


def _is_said_already(session: Session, number: str, page_id: str, index: int, said: Said) -> bool:
    last = assignments.newest_of(session, number).get((page_id, index))
    return last is not None and (last.material, last.side) == (said.material, said.page)


def _keep(
    ctx: Context, session: Session, caller: Caller, row: ApplicationRow, page: PageRow, old: PageReading, said: Said
) -> None:
    at, index, to_read = ctx.clock(), old.index, said.material is not None
    made = assignments.add_assignment(session, page.id, index, said, caller.subject, at, followed=not to_read)
    if to_read:
        place = fair_queue.place(session, row.channel, caller.subject)
        page.state, page.place = "queued", place
        ctx.jobs.enqueue(session, "read_page", reading_job(page.id, [made]), page.id, priority=place)
    else:
        assignments.replace_reading(session, page.id, claim(find_matter(row.matter), old, said))
    touch(row, at)
    queue_check(ctx, session, row)
    noted = {"page": page.id, "index": index, "material": said.material, "side": said.page}
    audit.append(session, at, caller.subject, "page.assigned", row.number, **noted, before=old.material)


def reading_job(page_id: str, waiting: Sequence[AssignmentRow]) -> str:
    """Id of the job that reads a file: for the first time, or as what was said of its pages last."""
    return f"read:{page_id}:{waiting[-1].id}" if waiting else f"read:{page_id}"
