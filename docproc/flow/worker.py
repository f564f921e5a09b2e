"""A worker process: holds its name, works off queues, takes over from dead workers, ends on SIGTERM."""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from docproc import tracing
from docproc.domain import Finding
from docproc.errors import DocprocError, SealError, SetupError, UnavailableError
from docproc.flow.applications import notice_job
from docproc.flow.applications.applications import queue_check
from docproc.flow.applications.assigning import follow, reading_job
from docproc.flow.applications.jobs import UNREADABLE
from docproc.flow.audit import accesses
from docproc.flow.audit.proof import Stamper, stamp_head
from docproc.flow.core.context import Context, open_context
from docproc.flow.core.development import refuse_development
from docproc.flow.core.sandboxes import refuse_weak_sandbox
from docproc.flow.core.stages import Stages, Tools
from docproc.flow.jobs import adopt, engine, lease, meters
from docproc.flow.jobs.engine import QUEUE_OF
from docproc.flow.jobs.guardian import await_name, end_with_parent, is_spare
from docproc.flow.jobs.lease import Lease
from docproc.flow.licences import issuing, jobs
from docproc.flow.licences.renewal import Renew, renew_due
from docproc.flow.messages import delivery, sms
from docproc.flow.real_stages import real_stages
from docproc.flow.seals import timestamps
from docproc.flow.seals.usable import register_own
from docproc.flow.upkeep import retention
from docproc.log import configure
from docproc.matter.load import find_matter
from docproc.process_keys import KeyRole
from docproc.settings import Settings
from docproc.store import idempotency
from docproc.store.applications import applications, assignments, notices, pages, refused

log = logging.getLogger(__name__)

TICK_SECONDS = 2.0
"""How often a worker looks for dead ones."""
GRACE_SECONDS = 25
"""How long jobs may go on after SIGTERM; those that do not end run again from their last step."""
GIVEN_UP_AFTER = timedelta(seconds=20)
"""Age from which a file that still waits is looked at: its job may have been given up."""
KEEP_ANSWERS = timedelta(days=7)
"""How long a request can be repeated under its Idempotency-Key."""
KEEP_JOBS = timedelta(days=30)
"""How long finished jobs stay visible; what they did is kept in our own tables."""
KEEP_REFUSED = timedelta(days=30)
"""How long it is remembered that a file was too dear to open."""
TIDY_SECONDS = 3600.0
RENEWED_AT_ONCE = 60
"""Licences that get a fresh archive time-stamp in one round of tidying: half a million a year, some seconds an hour."""
GIVEN_UP_NOTICE_ZH = "系统处理中断，请重新签章"
GIVEN_UP_ZH = "系统处理中断，请签章人重新确认签章"


def run_worker(
    settings: Settings,
    name: str,
    queues: Sequence[str],
    *,
    stages: Stages | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> int:
    """Work until SIGTERM or SIGINT; returns the exit status. Ends the process with 1 when the name is lost.

    Args:
        settings: of this process; the database must be migrated.
        name: stable name; two living workers cannot have the same. A spare worker is told its name later.
        queues: what to work off.
        stages: what reads and seals; default the real ones.
        on_ready: called once jobs are taken.

    Raises:
        SetupError: unknown queue, the name is in use, or it would seal with the development PKI where others reach it,
            or others reach it and nothing shuts its parsers in.
    """
    _check_queues(queues)
    if "read" in queues and "look" not in queues:
        queues = [*queues, "look"]  # who reads looks first, and at the next page while it reads this one
    if "seal" in queues:
        refuse_development(settings)
    refuse_weak_sandbox(settings)
    sms.open_provider(settings)  # wrong settings are reported now and not with the first message
    stopping = _stop_on_signals()
    role: KeyRole = "sealer" if "seal" in queues else "reader"
    ctx = open_context(settings, role=role, name=f"docproc-{role}")
    tools, metrics_port = stages or real_stages(settings), settings.metrics_port
    stands_in = is_spare()
    if stands_in:
        _prepare(tools.load)
        log.info("spare worker is ready for %s", ", ".join(queues))
        given = await_name(stopping)
        if given is None:
            ctx.close()
            return 0
        name, metrics_port = given
    release_name = _hold_name(ctx, name)
    seals_for_real = stages is None and "seal" in queues
    stamp = partial(timestamps.stamp, settings) if seals_for_real else None
    renewer = partial(timestamps.renew_file, settings) if seals_for_real else None
    _start_jobs(ctx, name, queues, tools, metrics_port)
    on_ready()
    warming = threading.Thread(target=_prepare, args=(tools.warm,), name="warm-up")
    warms = "read" in queues and not stands_in  # a page waits for who stands in: it is read at once
    if warms:
        warming.start()
    _maintain(ctx, name, stopping, stamp, renewer, reads="read" in queues, closes="seal" in queues)
    if warms:
        warming.join()
    engine.stop(GRACE_SECONDS)
    release_name()
    ctx.close()
    tracing.stop()
    return 0


def _prepare(load: Callable[[], None]) -> None:
    """Load what the first file would have to wait for; what is missing is reported by the first file."""
    try:
        load()
    except Exception as error:
        log.warning("not warmed up: %s", error if isinstance(error, DocprocError) else type(error).__name__)


def _check_queues(queues: Sequence[str]) -> None:
    unknown = sorted(set(queues) - set(QUEUE_OF.values()))
    if unknown or not queues:
        raise SetupError(f"unknown queues {unknown}: use some of {', '.join(QUEUE_OF.values())}")


def _stop_on_signals() -> threading.Event:
    """An event that is set on SIGTERM or SIGINT."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    return stopping


def _hold_name(ctx: Context, name: str) -> Callable[[], None]:
    """Take the worker's name and watch it from a thread of its own; returns the function that releases the name."""
    held = lease.acquire(ctx.database, name)
    ended = threading.Event()
    watch = threading.Thread(target=_watch, args=(held, name, ended), name="lease-watch", daemon=True)
    watch.start()

    def release() -> None:
        ended.set()
        watch.join()
        held.release()

    return release


def _start_jobs(ctx: Context, name: str, queues: Sequence[str], stages: Stages, metrics_port: int) -> None:
    """Install the stages, export metrics, take over jobs of older application versions, and start on the queues."""
    settings = ctx.settings
    Tools.install(ctx, stages)
    if "seal" in queues:
        _register_seals(ctx, stages)
    meters.listen(settings.metrics_host, metrics_port)
    tracing.start(settings.traces_url, name, settings.traces_share)
    log.debug("jobs beside the main ones: %s", (*issuing.JOBS, *delivery.JOBS, *sms.JOBS, *jobs.JOBS, *notice_job.JOBS))
    adopt.adopt(ctx.jobs, settings.application_version, [name])
    engine.launch(ctx.database, name, queues, settings.application_version)
    log.info("worker %s works off %s", name, ", ".join(queues))
    meters.beat()


def _maintain(
    ctx: Context,
    name: str,
    stopping: threading.Event,
    stamp: Stamper | None,
    renewer: Renew | None,
    *,
    reads: bool,
    closes: bool,
) -> None:
    """Until it is time to stop, look for dead workers every few seconds and tidy up every hour.

    What was handed in is the affair of workers that read, for a sealer has no rights to erase it; those that seal close
    the access log.
    """
    tidied = -math.inf
    while not stopping.wait(TICK_SECONDS):
        if _look_around(ctx, name, reads=reads, closes=closes):
            meters.beat()
        if time.monotonic() - tidied > TIDY_SECONDS:
            meters.beat(for_long=True)
            _tidy(ctx, stamp, renewer, reads=reads, closes=closes)
            meters.beat()
            tidied = time.monotonic()


def _watch(held: Lease, name: str, ended: threading.Event) -> None:
    """End the process once its name is lost; apart from everything that may wait for a database out of reach."""
    while not ended.wait(TICK_SECONDS):
        if not held.is_held():
            log.error("worker %s lost its name and stops at once", name)
            logging.shutdown()
            os._exit(1)  # an orderly exit would wait for running jobs, which are somebody else's by now


def _register_seals(ctx: Context, stages: Stages) -> None:
    """Register the development seal on a fresh registry, so that it is listed before the first licence is sealed."""
    try:
        register_own(ctx, stages.own_seals)
    except (SetupError, SealError) as error:
        log.warning("no seal was registered: %s", error)


def _look_around(ctx: Context, name: str, *, reads: bool, closes: bool) -> bool:
    """Take over from dead workers, close what was given up; whether it went well: trouble never ends the worker."""
    try:
        ctx.refresh()
        take_over(ctx, name)
        close_given_up(ctx, reads=reads)
        if closes:
            accesses.close_due(ctx)
        return True
    except UnavailableError as error:
        log.warning("looking for dead workers: %s; next try in %s s", error, TICK_SECONDS)
    except Exception:
        log.exception("looking for dead workers failed; next try in %s s", TICK_SECONDS)
    return False


def _tidy(ctx: Context, stamp: Stamper | None, renewer: Renew | None, *, reads: bool, closes: bool) -> None:
    """What is due every hour: old answers, the status list, overdue cases, erasing; with a TSA, fresh time-stamps."""
    try:
        with ctx.database.write() as session:
            if reads:
                idempotency.forget_answers(session, ctx.clock() - KEEP_ANSWERS)
                refused.forget_refused(session, ctx.clock() - KEEP_REFUSED)
            # one fresh status list an hour, whichever worker comes first
            ctx.jobs.enqueue(session, "publish_status", f"status:{ctx.clock():%Y%m%d%H}")
        while ctx.jobs.forget_done(ctx.clock() - KEEP_JOBS):
            pass  # in small portions, so that nobody waits for a lock
        if stamp is not None:
            stamp_head(ctx, stamp)
        if renewer is not None:
            renewed = renew_due(ctx, renewer, most=RENEWED_AT_ONCE)
            if renewed.due:
                log.info("%s licences due, %s renewed, %s cannot be", renewed.due, renewed.renewed, len(renewed.failed))
        if closes:
            accesses.erase_old(ctx)
        if not reads:
            return
        sms.tell_overdue(ctx)
        swept = retention.sweep(ctx)
        if swept.applications:
            log.info("erased %s applications by rule, %s files", swept.applications, swept.files)
    except DocprocError as error:
        log.warning("tidying: %s; next try in %s s", error, TIDY_SECONDS)
    except Exception:
        log.exception("tidying failed; next try in %s s", TIDY_SECONDS)


def take_over(ctx: Context, name: str) -> list[str]:
    """Put back the jobs of workers that died; returns their names."""
    with lease.dead(ctx.database, ctx.jobs.busy_workers() - {name}) as names:
        adopt.adopt(ctx.jobs, ctx.settings.application_version, names)
        if names:
            log.warning("workers %s are dead: their jobs go back into the queues", ", ".join(names))
            engine.recover(names)
            meters.TAKEOVERS.inc(len(names))
        return names


def close_given_up(ctx: Context, *, reads: bool = True) -> None:
    """Turn jobs that the engine gave up into something that people see and can act on; pages by workers that read."""
    now = ctx.clock()
    with ctx.database.read() as session:
        old_pages = pages.waiting_since(session, now - GIVEN_UP_AFTER) if reads else []
        reading = {page_id: reading_job(page_id, assignments.pending(session, page_id)) for page_id in old_pages}
        sealing = applications.sealing(session)
        unsealed = [(row.decision, row.attempt) for row in notices.unsealed(session)]
    for page_id, job_id in reading.items():
        if ctx.jobs.is_dead(job_id):
            _give_up_page(ctx, page_id)
    for number, decision_id, attempt in sealing:
        if ctx.jobs.is_dead(f"issue:{decision_id}:{attempt}"):
            _give_up_seal(ctx, number, attempt)
    for decision_id, attempt in unsealed:
        if ctx.jobs.is_dead(f"notice:{decision_id}:{attempt}"):
            _give_up_notice(ctx, decision_id, attempt)


def _give_up_page(ctx: Context, page_id: str) -> None:
    with ctx.database.write() as session:
        number = pages.find_page(session, page_id).application
        row = applications.find_application(session, number, lock=True)
        page = pages.find_page(session, page_id)
        if page.state == "queued" and (named := assignments.pending(session, page_id)):
            page.state = "read" if follow(session, find_matter(row.matter), page, named, ()) else "queued"
            queue_check(ctx, session, row)
        elif page.state == "queued":
            pages.mark_failed(session, page, Finding("read_error", "fix", UNREADABLE), ctx.clock())
            queue_check(ctx, session, row)


def _give_up_seal(ctx: Context, number: str, attempt: int) -> None:
    with ctx.database.write() as session:
        row = applications.find_application(session, number, lock=True)
        if row.seal_attempt == attempt and row.seal_state in ("queued", "waiting"):
            row.seal_state, row.seal_note = "failed", GIVEN_UP_ZH


def _give_up_notice(ctx: Context, decision_id: str, attempt: int) -> None:
    with ctx.database.write() as session:
        row = notices.find(session, decision_id, lock=True)
        if row.attempt == attempt and row.state in notices.OPEN:
            row.state, row.note = "failed", GIVEN_UP_NOTICE_ZH


def main(name: str, queues: str) -> int:
    """Run a worker process with the settings in the environment; ``queues`` is separated by commas."""
    settings = Settings()
    configure(settings.log_level, settings.log_json)
    end_with_parent()
    return run_worker(settings, name, [queue.strip() for queue in queues.split(",") if queue.strip()])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
