"""The three jobs of the service; every step can run twice without harm.

::

    read_page          blob -> readings stored; the last file of an application queues its check
    check_application  readings -> findings and verdict stored
    issue_licence      number -> render, seal, verify -> blob -> registered

What happens once happens in a database transaction that looks first whether it
happened already. A job never waits for a person and never sleeps: when the TSA
is out of reach the next attempt is queued with a delay.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypedDict

from docproc.check.check import check
from docproc.check.licence_draft import draft_licence, holder_code, series
from docproc.domain import CheckResult, Finding, PageReading
from docproc.errors import DocprocError, InputError, SealError, SealUnavailableError, SetupError, UnavailableError
from docproc.flow.applications.applications import announce, queue_check
from docproc.flow.core import views
from docproc.flow.core.api_keys import SYSTEM
from docproc.flow.core.authority import authority_code
from docproc.flow.core.context import Context
from docproc.flow.jobs import meters
from docproc.flow.jobs.engine import step, workflow
from docproc.flow.review.decisions import queue_issue
from docproc.flow.seals.registry import usable_seals
from docproc.flow.seals.stages import Stages
from docproc.licence.page.record import licence_json, parse_licence_json
from docproc.lifecycle import transition
from docproc.log import about
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.store import running_numbers
from docproc.store.applications import applications, pages, previews
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.tables.applications import PreviewRow
from docproc.store.tables.licences import LicenceRow
from docproc.store.wallet import shares

log = logging.getLogger(__name__)

UNREADABLE = "系统未能识别这份材料，请重新扫描后上传，或联系工作人员"
NOT_CHECKED = "系统核验未能完成，请联系工作人员"
NOT_APPROVED = "内容与审批时不一致，不能签章，请联系管理员"
NUMBERED = "licence.numbered"
FIRST_DELAY, LONGEST_DELAY = 5, 300
"""Seconds before sealing is tried again, doubling up to the longest."""


class Tools:
    """The context and stages of this worker process; jobs carry ids only."""

    _installed: tuple[Context, Stages] | None = None

    @classmethod
    def install(cls, ctx: Context, stages: Stages) -> None:
        """Set them before the engine is launched."""
        cls._installed = (ctx, stages)

    @classmethod
    def get(cls) -> tuple[Context, Stages]:
        """What a step works with; every step calls it.

        Raises:
            SetupError: this process is no worker.
            UnavailableError: its clock is wrong; the step is tried again until it is right.
        """
        if cls._installed is None:
            raise SetupError("this process is no worker: start one with `docproc worker`")
        cls._installed[0].check_clock()
        cls._installed[0].refresh()
        return cls._installed


# ------------------------------------------------------------------ read


@workflow("read_page")
def read_page(page_id: str) -> None:
    """Draw an uploaded file for the screen, then read it."""
    draw_and_store(page_id)
    read_and_store(page_id)


@step("draw_and_store")
def draw_and_store(page_id: str) -> None:
    """Keep pictures of the file's pages; what cannot be drawn is told by the reading."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        page = pages.find_page(session, page_id)
        about(application=page.application, page=page_id)
        if page.removed_at is not None or previews.has_previews(session, page_id):
            return
    try:
        drawn = list(stages.draw_pages(ctx.blobs.get(page.sha256)))
    except InputError:
        return
    except (SetupError, OSError):
        raise  # this machine's trouble, not the file's: the step is tried again
    except Exception:
        log.exception("drawing the page failed")
        return
    rows = [
        PreviewRow(
            page_id=page_id,
            index=item.index,
            view_sha256=ctx.blobs.put(item.view),
            thumb_sha256=ctx.blobs.put(item.thumb),
            width=item.width,
            height=item.height,
        )
        for item in drawn
    ]
    with ctx.database.write() as session:
        previews.add_previews(session, rows)


@step("read_and_store")
def read_and_store(page_id: str) -> None:
    """Read the file and keep what it says; a file that cannot be read becomes a finding, never a stuck job."""
    ctx, stages = Tools.get()
    with ctx.database.read() as session:
        page = pages.find_page(session, page_id)
        about(application=page.application, page=page_id)
        matter = find_matter(applications.find_application(session, page.application).matter)
        done = page.state != "queued" or page.removed_at is not None
    if done:
        return
    data = ctx.blobs.get(page.sha256)
    try:
        readings = list(
            stages.read_file(data, page.filename, matter, material=page.material_hint or None, today=ctx.today())
        )
        finding = None if readings else Finding("no_pages", "fix", UNREADABLE)
    except InputError as error:
        readings, finding = [], Finding(error.code, "fix", error.message_zh)
    except (SetupError, OSError):
        raise  # this machine's trouble, not the file's: the step is tried again
    except Exception:
        log.exception("reading the page failed")
        readings, finding = [], Finding("read_error", "fix", UNREADABLE)
    with ctx.database.write() as session:
        row = applications.find_application(session, page.application, lock=True)
        page = pages.find_page(session, page_id)
        if page.state != "queued":
            return
        if finding is None:
            pages.store_readings(session, page, readings, ctx.clock())
            meters.count_readings(readings)
        else:
            pages.mark_failed(session, page, finding, ctx.clock())
        queue_check(ctx, session, row)


# ------------------------------------------------------------------ check


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
        pages.store_findings(session, number, result.findings)
        failed = any(page.state == "failed" for page in pages.live_pages(session, number))
        row.verdict = "rescan" if failed else result.verdict
        row.checked_revision = revision
        meters.VERDICTS.labels(row.matter, row.verdict).inc()
        announce(ctx, session, row, "application.checked", revision=revision)


def _checked(matter: Matter, readings: Sequence[PageReading], today: date) -> CheckResult:
    try:
        return check(matter, readings, today)
    except Exception:
        log.exception("checking an application of %s failed", matter.id)
        return CheckResult("supplement", (Finding("check_error", "block", NOT_CHECKED),))


# ------------------------------------------------------------------ issue


class SealOutcome(TypedDict):
    """How an attempt to seal ended: ``sealed`` with a hash, ``wait`` or ``failed`` with a Chinese reason."""

    state: str
    sha256: str
    note: str


@workflow("issue_licence")
def issue_licence(decision_id: str, attempt: int) -> None:
    """Give a number, seal, verify, register; one licence for each approval."""
    number = allocate(decision_id)
    outcome = seal_and_keep(number)
    if outcome["state"] == "sealed":
        register(number, outcome["sha256"])
    else:
        postpone(decision_id, attempt, outcome)


@step("allocate")
def allocate(decision_id: str) -> str:
    """The licence's number; the database allows one licence for each approval."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        decision = applications.find_decision(session, decision_id)
        about(application=decision.application)
        row = applications.find_application(session, decision.application, lock=True)
        existing = licences.licence_of_decision(session, decision_id)
        if existing is not None:
            return existing.number
        view = views.application(session, row)
        if view["content_sha256"] != decision.seen_sha256:
            raise SealError(f"application {row.number} is not what decision {decision_id} was made on")
        matter = find_matter(row.matter)
        readings = [reading for _, reading in pages.readings_of(session, row.number)]
        code = licences.new_code()
        licence = draft_licence(
            matter,
            readings,
            serial=running_numbers.next_value(session, series(matter, readings)),
            application=row.number,
            authority=ctx.settings.authority_name,
            authority_code=authority_code(ctx.settings),
            today=ctx.today(),
            verify_url=f"{ctx.settings.public_url.rstrip('/')}/v/{code}",
        )
        body = json.loads(licence_json(licence))
        licences.add_licence(session, licence, decision=decision_id, application=row, code=code, body=body)
        holder = holder_code(licence)
        if holder is not None:
            shares.set_holder(session, licence.number, holder)
        audit.append(session, ctx.clock(), SYSTEM, NUMBERED, licence.number, decision=decision_id, body=_sha256(body))
        return licence.number


@step("seal_and_keep")
def seal_and_keep(number: str) -> SealOutcome:
    """Seal and store the file; a file from an attempt that was cut short stays unregistered and is never given out."""
    ctx, _ = Tools.get()
    with ctx.database.read() as session:
        row = licences.prepared_licence(session, number)
    about(application=row.application, licence=number)
    if row.sha256 is not None:
        return {"state": "sealed", "sha256": row.sha256, "note": ""}
    return seal_once(row.body, f"licence {number}", lambda: check_approved(ctx, row))


def seal_once(body: dict[str, Any], what: str, check_content: Callable[[], None]) -> SealOutcome:
    """Try to seal what a licence says, and store the file; ``check_content`` refuses what nobody approved.

    Trouble of this machine or a store is raised: the step is tried again, then given up for a person to see.
    """
    ctx, stages = Tools.get()
    licence = parse_licence_json(_canonical(body))
    spec = find_matter(licence.matter).licence
    at = ctx.clock()
    try:
        check_content()
        sealed = stages.seal_licence(licence, usable_seals(ctx, spec, licence, at, stages.own_seals), at)
    except SealUnavailableError as error:
        meters.SEALS.labels("put off").inc()
        log.warning("%s: %s", what, error)
        return {"state": "wait", "sha256": "", "note": error.message_zh}
    except (SetupError, UnavailableError):
        raise
    except DocprocError as error:
        meters.SEALS.labels("failed").inc()
        log.error("%s: %s", what, error)
        return {"state": "failed", "sha256": "", "note": error.message_zh}
    return {"state": "sealed", "sha256": ctx.blobs.put(sealed, keep_days=365 * spec.retention_years), "note": ""}


def retry_delay(attempt: int) -> int:
    """Seconds to wait after an attempt (1 and more) that could not seal, doubling up to five minutes."""
    return min(FIRST_DELAY << min(attempt - 1, 8), LONGEST_DELAY)


def check_approved(ctx: Context, row: LicenceRow) -> None:
    """Only what was approved is sealed: the application as it was seen, the licence as it was numbered.

    Raises:
        SealError: one of them changed since.
    """
    with ctx.database.read() as session:
        decision = applications.find_decision(session, row.decision)
        view = views.application(session, applications.find_application(session, row.application))
        noted = [line.detail for line in audit.lines(session, subject=row.number) if line.action == NUMBERED]
    if view["content_sha256"] != decision.seen_sha256:
        raise SealError(f"application {row.application} is not what was approved", message_zh=NOT_APPROVED)
    if [item.get("body") for item in noted] != [_sha256(row.body)]:
        raise SealError(f"licence {row.number} is not what was numbered", message_zh=NOT_APPROVED)


@step("register")
def register(number: str, sha256: str) -> None:
    """Make the sealed file the licence: from here on it verifies as issued."""
    ctx, _ = Tools.get()
    keep_originals(ctx, number)
    with ctx.database.write() as session:
        at = ctx.clock()
        licence = licences.prepared_licence(session, number)
        about(application=licence.application, licence=number)
        row = applications.find_application(session, licence.application, lock=True)
        if not licences.register_sealed(session, number, sha256, at):
            return
        licences.add_status_event(session, number, "valid", SYSTEM, at, "签发")
        row.status = transition(row.status, "issue")  # type: ignore[arg-type]
        row.version += 1
        row.updated_at = at
        row.seal_state, row.seal_note = "sealed", ""
        audit.append(session, at, SYSTEM, "licence.issued", number, application=row.number, sha256=sha256)
        meters.SEALS.labels("sealed").inc()
        announce(ctx, session, row, "licence.issued", licence=number)


def keep_originals(ctx: Context, number: str) -> None:
    """Forbid deletion of what a licence rests on, for as long as the matter keeps it."""
    with ctx.database.read() as session:
        licence = licences.prepared_licence(session, number)
        keys = [page.sha256 for page in pages.live_pages(session, licence.application)]
    for key in keys:
        ctx.blobs.keep(key, find_matter(licence.matter).retention.original_days)


@step("postpone")
def postpone(decision_id: str, attempt: int, outcome: SealOutcome) -> None:
    """Say why there is no licence yet, and queue the next attempt unless a person must act first."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        decision = applications.find_decision(session, decision_id)
        about(application=decision.application)
        row = applications.find_application(session, decision.application, lock=True)
        if row.status != "approved" or row.seal_attempt != attempt:
            return
        row.seal_note = outcome["note"]
        if outcome["state"] == "wait":
            queue_issue(ctx, session, row, decision, delay=retry_delay(attempt))
        else:
            row.seal_state = "failed"
            audit.append(session, ctx.clock(), SYSTEM, "seal.failed", row.number, note=outcome["note"])


def _sha256(body: dict[str, object]) -> str:
    return hashlib.sha256(_canonical(body)).hexdigest()


def _canonical(body: dict[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
