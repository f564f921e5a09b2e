"""The jobs that read files and check applications; every step can run twice without harm.

::

    look_at_page       blob -> pictures for the screen, a first word on each page's quality
    read_page          blob -> readings stored; the last file of an application queues its check
    check_application  readings -> findings and verdict stored

What happens once happens in a database transaction that looks first whether it happened already. A file that is too
dear to open is so once: neither the next step, nor another try, nor another upload of the same bytes opens it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from docproc.check.check import check
from docproc.domain import CheckResult, Finding, PageReading, Quality, Said
from docproc.errors import InputError, OverdueError, SetupError
from docproc.flow.applications import remarks
from docproc.flow.applications.applications import announce, looking_job, queue_check
from docproc.flow.applications.assigning import follow
from docproc.flow.core.stages import Tools
from docproc.flow.jobs import meters
from docproc.flow.jobs.engine import step, workflow
from docproc.log import about
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.sandbox.spent import metered
from docproc.store.applications import applications, assignments, pages, previews, refused
from docproc.store.tables.applications import FirstWordBody, FirstWordFinding, PreviewRow

log = logging.getLogger(__name__)
T = TypeVar("T")

UNREADABLE = "系统未能识别这份材料，请重新扫描后上传，或联系工作人员"
NOT_CHECKED = "系统核验未能完成，请联系工作人员"
DEAR_SECONDS = 1.0
"""CPU time from which the refusal of a file is remembered; a cheaper one costs less to find again than to keep."""


@workflow("look_at_page")
def look_at_page(page_id: str) -> None:
    """Draw an uploaded file for the screen and say what is wrong with its pages at first sight."""
    look_and_store(page_id)


@workflow("read_page")
def read_page(page_id: str) -> None:
    """Read an uploaded file; draw it first where no job of its own does, as in a version before."""
    draw_and_store(page_id)
    read_and_store(page_id)


@step("look_and_store")
def look_and_store(page_id: str) -> None:
    """Store pictures and first words, page by page, so that the first page's are there at once."""
    _draw(page_id)


@step("draw_and_store")
def draw_and_store(page_id: str) -> None:
    """The same, unless a job is about it."""
    ctx, _ = Tools.get()
    with ctx.database.read() as session:
        drawn = previews.has_previews(session, page_id)
    if not drawn and not ctx.jobs.has_begun(looking_job(page_id)):
        _draw(page_id)


def _draw(page_id: str) -> None:
    """Store pictures of the file's pages; what cannot be drawn is reported by the reading."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        page = pages.find_page(session, page_id)
        about(application=page.application, page=page_id)
        if page.removed_at is not None:
            return
    data = ctx.blobs.get(page.sha256)

    def draw() -> None:
        for picture in stages.draw_pages(data):
            view, thumb = ctx.blobs.put(picture.view), ctx.blobs.put(picture.thumb)
            row = PreviewRow(page_id=page_id, index=picture.index, view_sha256=view, thumb_sha256=thumb)
            row.width, row.height, row.first_word = picture.width, picture.height, _first_word(picture.quality)
            with ctx.database.write() as session:
                previews.add_previews(session, [row])

    _on_file(page.sha256, "drawing", draw)


def _first_word(quality: Quality) -> FirstWordBody:
    found = quality.findings
    said: list[FirstWordFinding] = [{"code": f.code, "severity": f.severity, "message": f.message} for f in found]
    return {"verdict": quality.verdict, "findings": said}


@step("read_and_store")
def read_and_store(page_id: str) -> None:
    """Read the file and store the readings; a file that cannot be read becomes a finding, never a stuck job."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        page = pages.find_page(session, page_id)
        about(application=page.application, page=page_id)
        matter = find_matter(applications.find_application(session, page.application).matter)
        done = page.state != "queued" or page.removed_at is not None
        named = assignments.pending(session, page_id)
    if done:
        return
    data = ctx.blobs.get(page.sha256)
    hint, today = page.material_hint or None, ctx.today()
    said = {item.index: Said(item.material, item.side) for item in named} if named else None
    readings = _on_file(
        page.sha256,
        "reading",
        lambda: stages.read_file(data, page.filename, matter, material=hint, said=said, today=today),
    )
    if not isinstance(readings, Finding) and not readings:
        readings = Finding("no_pages", "fix", UNREADABLE)
    with ctx.database.write() as session:
        row = applications.find_application(session, page.application, lock=True)
        page = pages.find_page(session, page_id)
        if page.state != "queued":
            return
        if named:
            found = () if isinstance(readings, Finding) else readings
            page.state = "read" if follow(session, matter, page, named, found) else "queued"
        elif isinstance(readings, Finding):
            pages.mark_failed(session, page, readings, ctx.clock())
        else:
            pages.store_readings(session, page, readings, ctx.clock())
            meters.count_readings(readings)
        queue_check(ctx, session, row)


def _on_file(sha256: str, doing: str, work: Callable[[], T]) -> T | Finding:
    """Work on a file of a stranger: what is wrong with the file becomes a finding, never a stuck job."""
    known = _refused(sha256)
    if known is not None:
        return known
    with metered() as meter:
        try:
            return work()
        except InputError as error:
            found = Finding(error.code, "fix", error.message_zh)
            if meter.cpu_s >= DEAR_SECONDS and not isinstance(error, OverdueError):
                _refuse(sha256, found, meter.cpu_s)
            return found
        except (SetupError, OSError):
            raise  # this machine's trouble, not the file's: the step is tried again
        except Exception:
            log.exception("%s the page failed", doing)
            return Finding("read_error", "fix", UNREADABLE)


def _refused(sha256: str) -> Finding | None:
    """What is known of a file that was too dear to open."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        row = refused.find_refused(session, sha256, stages.limits)
        return Finding(row.code, "fix", row.message_zh) if row is not None else None


def _refuse(sha256: str, found: Finding, cpu_s: float) -> None:
    ctx, stages = Tools.get()
    log.warning("refused as %s after %.1f s of CPU; these bytes are not opened again", found.code, cpu_s)
    with ctx.database.write() as session:
        refused.keep_refused(session, sha256, stages.limits, found.code, found.message, cpu_s, ctx.clock())


@workflow("check_application")
def check_application(number: str, revision: int) -> None:
    """Check an application whose files are all read."""
    check_and_store(number, revision)


@step("check_and_store")
def check_and_store(number: str, revision: int) -> None:
    """Store findings and verdict of one revision; an older or repeated one changes nothing."""
    ctx, _ = Tools.get()
    about(application=number)
    with ctx.database.write() as session:
        row = applications.find_application(session, number, lock=True)
        if row.revision != revision or row.checked_revision >= revision:
            return
        matter = find_matter(row.matter)
        result = _checked(matter, [reading for _, reading in pages.readings_of(session, number)], ctx.today())
        remarked = remarks.findings(session, number)
        pages.store_findings(session, number, [*result.findings, *remarked])
        failed = any(page.state == "failed" for page in pages.live_pages(session, number))
        row.verdict = "rescan" if failed else "look" if remarked and result.verdict == "pass" else result.verdict
        row.checked_revision = revision
        meters.VERDICTS.labels(row.matter, row.verdict).inc()
        announce(ctx, session, row, "application.checked", revision=revision)


def _checked(matter: Matter, readings: Sequence[PageReading], today: date) -> CheckResult:
    try:
        return check(matter, readings, today)
    except Exception:
        log.exception("checking an application of %s failed", matter.id)
        return CheckResult("supplement", (Finding("check_error", "block", NOT_CHECKED),))
