"""Up to submission: opening an application, uploading files, correcting fields, submitting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy.orm import Session

from docproc.domain import CorrectionKind, PageReading
from docproc.errors import ConflictError, InputError, LimitError
from docproc.flow.applications import corrections, joint_approval, views
from docproc.flow.applications.media import media_type
from docproc.flow.applications.views import ApplicationSummary, ApplicationView, PageView
from docproc.flow.core import reads, sittings
from docproc.flow.core.access import Act, Caller
from docproc.flow.core.acts import sign_act
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, run_once
from docproc.flow.jobs import fair_queue
from docproc.lifecycle import OPEN_FOR_PAGES, Status, transition
from docproc.matter.load import find_matter
from docproc.matter.opening import check_grants, check_opens
from docproc.store.applications import applications, pages, previews
from docproc.store.audit import audit
from docproc.store.blobs.source import Source, Stored, source_of
from docproc.store.messages import outbox
from docproc.store.review import claims
from docproc.store.tables.applications import ApplicationRow, PageRow
from docproc.store.upkeep import retention
from docproc.store.wallet import shares

CHANNELS = ("kiosk", "counter", "web", "api", fair_queue.BATCH)
MAX_FILES = 100
"""Files of one application."""


@dataclass(frozen=True, slots=True)
class _Upload:
    """A file whose bytes are in the blob store already."""

    sha256: str
    size: int
    filename: str
    media_type: str
    material: str
    """Material named by the sender, or empty."""


def create_application(
    ctx: Context, caller: Caller, matter: str, channel: str = "api", once: Once | None = None
) -> ApplicationView:
    """Open a draft of a matter.

    Raises:
        NotFoundError: no such matter.
        MatterClosedError: the matter is retired, passed to others, or without a law in force.
        AccessError: the caller may not.
    """
    caller.require("create")
    spec = find_matter(matter)
    check_opens(spec, ctx.today(), caller.org)
    if channel not in CHANNELS:
        raise InputError(f"channel {channel!r} is none of {', '.join(CHANNELS)}")

    def work(session: Session) -> ApplicationView:
        at = ctx.clock()
        number = applications.next_number(session, spec.region, spec.number_code, ctx.today())
        row = applications.add_application(
            session, number, matter=matter, org=caller.org, channel=channel, by=caller.subject, at=at
        )
        sign_act(session, caller, row)
        shares.add_follow_code(session, number)
        sittings.open_to_key(ctx, caller, row)
        audit.append(session, at, caller.subject, "application.created", number, matter=matter, channel=channel)
        return joint_approval.view(session, caller, row, receipt=True)

    return run_once(ctx, caller, once, work)


def add_page(
    ctx: Context,
    caller: Caller,
    number: str,
    data: bytes | Source,
    *,
    filename: str = "",
    material: str | None = None,
    once: Once | None = None,
) -> PageView:
    """Take a file in and queue it for reading; the same bytes again give the file that is there.

    A source is read piece by piece, and never in memory as a whole.

    Raises:
        UnsupportedFileError: not JPEG, PNG, TIFF or PDF by its first bytes.
        LimitError: too large, or too many files.
        BusyError: too many files wait to be read.
        ConflictError: the application is not open for files.
        NotFoundError: no such application.
        UnknownMaterialError: the matter has no such material.
    """
    caller.require("upload")
    source = source_of(data)
    kind = media_type(source.head)
    if source.size > ctx.settings.max_upload_bytes:
        raise LimitError(f"upload of {source.size} bytes is over {ctx.settings.max_upload_bytes}")
    keep_days = check_room(ctx, caller, number, material)
    # Before the transaction: a blob without a row is harmless, a row without a blob is not.
    # Only for as long as a draft stays: issuing lengthens it, and what never becomes anything can be deleted.
    key = ctx.blobs.put_source(source, keep_days=keep_days)
    file = _Upload(key, source.size, plain_name(filename), kind, material or "")

    def work(session: Session) -> PageView:
        row = _open_application(session, caller, number)
        retention.settle(session, [key])
        same = pages.find_same(session, number, key, file.material)
        return views.page_view(same or _queue_file(ctx, session, caller, row, file))

    answer = run_once(ctx, caller, once, work)
    if not ctx.blobs.exists(key):  # the same bytes of somebody else were erased just before the transaction
        ctx.blobs.put_source(source, keep_days=keep_days)
    return answer


def _queue_file(ctx: Context, session: Session, caller: Caller, row: ApplicationRow, file: _Upload) -> PageRow:
    """Insert a file into an open application and queue it for reading."""
    if len(pages.live_pages(session, row.number)) >= MAX_FILES:
        raise LimitError(f"an application holds at most {MAX_FILES} files", message_zh="上传的材料份数过多")
    at = ctx.clock()
    place = fair_queue.place(session, row.channel, caller.subject)
    added = pages.add_page(
        session,
        row,
        sha256=file.sha256,
        size=file.size,
        filename=file.filename,
        media_type=file.media_type,
        material=file.material,
        by=caller.subject,
        at=at,
        place=place,
    )
    touch(row, at)
    sittings.open_to_key(ctx, caller, row)
    ctx.jobs.enqueue(session, "look_at_page", looking_job(added.id), added.id, priority=place)
    ctx.jobs.enqueue(session, "read_page", f"read:{added.id}", added.id, priority=place)
    audit.append(session, at, caller.subject, "page.added", row.number, page=added.id, sha256=file.sha256)
    return added


def looking_job(page_id: str) -> str:
    """Name of the job that draws a file and gives a first word on it."""
    return f"look:{page_id}"


def remove_page(ctx: Context, caller: Caller, number: str, page_id: str) -> None:
    """Take a file back while the application is open; its bytes stay for the audit."""
    caller.require("upload")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = _open_application(session, caller, number)
        page = pages.find_page(session, page_id, number)
        if page.removed_at is not None:
            return
        page.removed_at = at
        touch(row, at)
        queue_check(ctx, session, row)
        audit.append(session, at, caller.subject, "page.removed", number, page=page_id)


def page_file(ctx: Context, caller: Caller, number: str, page_id: str) -> tuple[Stored, str]:
    """An uploaded file and its media type."""
    with ctx.database.read() as session:
        page = visible_page(session, caller, number, page_id)
        reads.note(caller, "page_file", number, page_id)
        return ctx.blobs.stream(page.sha256), page.media_type


def page_preview(ctx: Context, caller: Caller, number: str, page_id: str, index: int, *, thumb: bool = False) -> bytes:
    """A page for the screen, as WebP; a worker made it.

    Raises:
        NotFoundError: not there (yet).
    """
    caller.require("view_file")
    with ctx.database.read() as session:
        seen = visible(session, caller, number, "view_file")
        pages.find_page(session, page_id, number)
        joint_approval.check_page(session, caller, seen, page_id, index)
        row = previews.find_preview(session, page_id, index)
        reads.note(caller, "page_picture", number, f"{page_id}/{index}")
        return ctx.blobs.get(row.thumb_sha256 if thumb else row.view_sha256)


def correct_field(
    ctx: Context,
    caller: Caller,
    number: str,
    page_id: str,
    index: int,
    field: str,
    value: str,
    kind: CorrectionKind | None = None,
) -> ApplicationView:
    """Store a person's correction of a field; the application is checked again.

    Args:
        ctx: the service.
        caller: who corrects.
        number: application.
        page_id: the file.
        index: page of the file.
        field: on that page.
        value: what stands there from now on.
        kind: ``misread`` or ``changed``; needed where the reading was certain.

    Raises:
        KindNeededError: it was certain, and no kind is given.
        NotMendableError: it changes what the applicant wrote, and the matter does not let an official do that.
        ConflictError: the application is decided already.
        ClaimedError: somebody else works on it.
        NotFoundError: no such page, reading or field.
    """
    caller.require("correct")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = visible(session, caller, number, "correct", lock=True)
        if row.status not in ("draft", "returned", "submitted", "accepted"):
            raise ConflictError(f"application is {row.status}", message_zh="办件已作出决定，不能修改")
        claims.check_free(session, number, caller.subject, at, joint_approval.desk(caller, row))
        joint_approval.check_page(session, caller, row, page_id, index)
        page = pages.find_page(session, page_id, number)
        reading = pages.find_reading(session, page_id, index)
        if page.removed_at is not None:
            raise ConflictError("the page was removed", message_zh="这份材料已撤回")
        _check_field(row.matter, reading, field)
        edits = pages.corrections_on(session, page_id, index, field)
        remarked = any(
            (item.page_id, item.index, item.field) == (page_id, index, field)
            for item in pages.open_remarks(session, number)
        )
        matter = find_matter(row.matter)
        found = corrections.kind_of(matter, reading, field, edits, value, kind, remarked=remarked)
        pages.add_correction(session, page_id, index, field, value, found, caller.subject, at)
        touch(row, at)
        queue_check(ctx, session, row)
        noted = {"page": page_id, "index": index, "material": reading.material, "field": field, "kind": found}
        audit.append(session, at, caller.subject, "field.corrected", number, **noted)
        return joint_approval.view(session, caller, row)


def submit(ctx: Context, caller: Caller, number: str, once: Once | None = None) -> ApplicationView:
    """Submit the application, for the first time or after 补正.

    Raises:
        ConflictError: no file, files still being read, or not in a state to be submitted.
        MatterClosedError: the matter was closed meanwhile.
    """
    caller.require("submit")
    _keep_originals(ctx, caller, number)

    def work(session: Session) -> ApplicationView:
        at = ctx.clock()
        row = visible(session, caller, number, "submit", lock=True)
        status = transition(row.status, "resubmit" if row.status == "returned" else "submit")
        _check_taken(ctx, row)
        if not pages.live_pages(session, number):
            raise ConflictError("nothing was handed in", message_zh="还没有上传材料，请先上传")
        if row.checked_revision != row.revision:
            raise ConflictError(
                "files are still being read", message_zh="材料正在识别，请稍候再提交", code="not_checked"
            )
        row.submitted_at = at
        change_status(session, row, status, at)
        sittings.open_to_key(ctx, caller, row)
        audit.append(session, at, caller.subject, "application.submitted", number, verdict=row.verdict)
        announce(ctx, session, row, "application.submitted")
        return joint_approval.view(session, caller, row, receipt=True)

    return run_once(ctx, caller, once, work)


def _check_taken(ctx: Context, row: ApplicationRow) -> None:
    """What was handed in before the matter was passed down comes back to where it was; anything new does not."""
    matter = find_matter(row.matter)
    if row.status == "returned":
        check_grants(matter, ctx.today())
    else:
        check_opens(matter, ctx.today(), row.org)


def withdraw(ctx: Context, caller: Caller, number: str, once: Once | None = None) -> ApplicationView:
    """Take the application back before it is decided."""
    caller.require("withdraw")
    with ctx.database.read() as session:
        visible(session, caller, number, "withdraw")  # before an answer that is kept is given again

    def work(session: Session) -> ApplicationView:
        at = ctx.clock()
        row = visible(session, caller, number, "withdraw", lock=True)
        change_status(session, row, transition(row.status, "withdraw"), at)
        audit.append(session, at, caller.subject, "application.withdrawn", number)
        announce(ctx, session, row, "application.withdrawn")
        return joint_approval.view(session, caller, row)

    return run_once(ctx, caller, once, work)


def view_application(ctx: Context, caller: Caller, number: str) -> ApplicationView:
    """An application with everything about it."""
    with ctx.database.read() as session:
        return joint_approval.view(session, caller, visible(session, caller, number, "view"))


def list_applications(
    ctx: Context, caller: Caller, *, status: str | None = None, after: str = "", limit: int = 50
) -> list[ApplicationSummary]:
    """Applications that the caller sees, by number after ``after``."""
    caller.require("view")
    with ctx.database.read() as session:
        rows = applications.list_applications(
            session,
            org=None if caller.sees_all else caller.org,
            created_by=caller.subject if caller.sees_own_only else None,
            open_at=caller.moment if caller.sees_own_only else None,
            among=caller.session,
            status=status,
            after=after,
            limit=limit,
            matters=() if caller.sees_own_only else joint_approval.matters_of(caller.org),
        )
        return [views.summary(row) for row in rows]


def open_by_code(ctx: Context, caller: Caller, code: str) -> ApplicationView:
    """Open an application again at the kiosk where it was begun, by the code on the citizen's receipt.

    Args:
        ctx: the service.
        caller: the kiosk's key.
        code: the follow code, or the address in the receipt's QR code.

    Raises:
        NotFoundError: no application of this kiosk has the code.
    """
    caller.require("sit")
    with ctx.database.write() as session:
        row = by_code(session, caller, code)
        row = applications.find_application(session, row.number, lock=True)
        sittings.open_to_key(ctx, caller, row)
        session.flush()
        audit.append(session, ctx.clock(), caller.subject, "application.opened", row.number)
        return joint_approval.view(session, caller, row, receipt=True)


def by_code(session: Session, caller: Caller, code: str) -> ApplicationRow:
    """The application with a follow code, if it was begun at the caller's kiosk or belongs to the caller's office.

    Raises:
        NotFoundError: the same for a code that there is not and for one of elsewhere.
    """
    row = shares.followed(session, code.strip().rstrip("/").rpartition("/")[2])
    if not (caller.made(row) if caller.sees_own_only else row.org == caller.org):
        raise shares.unknown_code()
    return row


def end_session(ctx: Context, caller: Caller) -> None:
    """Close to a kiosk's key all that it opened; from now on only the receipt's code opens it."""
    caller.require("sit")
    with ctx.database.write() as session:
        applications.close_to_kiosk(session, caller.subject, ctx.clock())


def visible(session: Session, caller: Caller, number: str, act: Act, *, lock: bool = False) -> ApplicationRow:
    """The application, if the caller may do this with it.

    Raises:
        AccessError: no role allows it.
        NotFoundError: no such application for this caller.
    """
    caller.require(act)
    row = applications.find_application(session, number, lock=lock)
    joint_approval.check_sees(caller, row, act)
    return row


def visible_page(session: Session, caller: Caller, number: str, page_id: str) -> PageRow:
    """An uploaded file, if the caller may have it; raises as :func:`visible`."""
    row = visible(session, caller, number, "view_file")
    page = pages.find_page(session, page_id, number)
    joint_approval.check_page(session, caller, row, page_id)
    return page


def change_status(session: Session, row: ApplicationRow, status: Status, at: datetime) -> None:
    """Set a status that :func:`docproc.lifecycle.transition` gave."""
    row.status = status
    row.version += 1
    row.updated_at = at
    session.flush()


def set_back(session: Session, row: ApplicationRow, note: str, at: datetime) -> None:
    """Give an approval that nobody signed back to its official; the application must be locked."""
    change_status(session, row, transition(row.status, "reopen"), at)
    row.seal_state, row.seal_note = "unconfirmed", note


def announce(ctx: Context, session: Session, row: ApplicationRow, topic: str, **body: Any) -> None:
    """Write an event about an application and queue its delivery."""
    at = ctx.clock()
    event = outbox.add_event(session, at, topic, row.number, row.org, status=row.status, verdict=row.verdict, **body)
    ctx.jobs.enqueue(session, "deliver_event", f"event:{event.id}", event.id)


def queue_check(ctx: Context, session: Session, row: ApplicationRow) -> None:
    """Queue a check of the present revision once every file is read; the application must be locked."""
    session.flush()
    if pages.count_waiting(session, row.number) == 0:
        job_id, priority = f"check:{row.number}:{row.revision}", fair_queue.lane(row.channel)
        ctx.jobs.enqueue(session, "check_application", job_id, row.number, row.revision, priority=priority)


def _check_field(matter: str, reading: PageReading, field: str) -> None:
    """Only fields that the material has can be corrected."""
    specs = find_matter(matter).fields_of(reading.material) if reading.material is not None else ()
    if field not in reading.fields and field.partition(".")[0] not in {spec.name for spec in specs}:
        raise InputError(f"material {reading.material} has no field {field!r}", message_zh="没有这个字段")


def _open_application(session: Session, caller: Caller, number: str, *, lock: bool = True) -> ApplicationRow:
    row = visible(session, caller, number, "upload", lock=lock)
    if row.status not in OPEN_FOR_PAGES:
        raise ConflictError(f"application is {row.status}, not open for files", message_zh="办件当前状态不能增减材料")
    return row


def check_room(ctx: Context, caller: Caller, number: str, material: str | None) -> int:
    """Refuse before the blob is written what the transaction would refuse anyway; returns the days to keep it."""
    with ctx.database.read() as session:
        row = _open_application(session, caller, number, lock=False)
        matter = find_matter(row.matter)
        if material is not None:
            matter.check_material(material)
        fair_queue.check_room(session, row.channel, ctx.settings.max_queue)
        return matter.retention.draft_days


def _keep_originals(ctx: Context, caller: Caller, number: str) -> None:
    """Nothing that was submitted can be deleted before the matter's shortest time for it is over."""
    with ctx.database.read() as session:
        row = visible(session, caller, number, "submit")
        keys = [page.sha256 for page in pages.live_pages(session, number)]
        days = find_matter(row.matter).retention.refused_days
    for key in keys:
        ctx.blobs.keep(key, days)


def touch(row: ApplicationRow, at: datetime) -> None:
    """Note a change of pages or values: findings and verdict of before no longer count."""
    row.revision += 1
    row.updated_at = at


def plain_name(filename: str) -> str:
    """A file name to show: without folders and control characters, at most 200 characters."""
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(c for c in name if c.isprintable())[:200]
