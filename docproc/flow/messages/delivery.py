"""Events to those who asked for them: the service's own webhook, and those of offices and enterprises.

::

    deliver_event      outbox -> the webhook of the settings; one deliver_webhook for each webhook that wants it;
                       send_sms (:mod:`docproc.flow.messages.sms`) where the applicant is told
    deliver_webhook    one event to one webhook, tried again with growing pauses, every attempt logged
"""

from __future__ import annotations

import logging

import httpx

from docproc.errors import InputError, NotFoundError, SetupError
from docproc.flow.core.stages import Tools
from docproc.flow.jobs.engine import Job, step, workflow
from docproc.flow.messages import sms
from docproc.flow.messages.feed import event_view
from docproc.flow.messages.webhook_post import ports_of, post_event
from docproc.secret_keys import LockedError
from docproc.store.locked import unlock
from docproc.store.messages import outbox, webhooks
from docproc.store.tables.messages import OutboxRow
from docproc.store.wallet import shares

log = logging.getLogger(__name__)

JOBS: tuple[Job, ...] = ("deliver_event", "deliver_webhook")
FIRST_DELAY, LONGEST_DELAY = 5, 3600
"""Seconds before an event is posted again, doubling up to the longest."""
MOST_DELIVERIES = 40
"""Attempts to deliver an event, over about a day."""


@workflow("deliver_event")
def deliver_event(event_id: int, attempt: int = 1) -> None:
    """Send an event to all who asked for it; the feed has it in any case."""
    if attempt == 1:
        fan_out(event_id)
    send_event(event_id, attempt)


@step("fan_out")
def fan_out(event_id: int) -> None:
    """Queue the applicant's short message, and a delivery for each webhook of the office and the licence's holder."""
    ctx, _ = Tools.get()
    with ctx.database.write() as session:
        row = session.get(OutboxRow, event_id)
        if row is None:
            return
        sms.queue(ctx, session, row)
        holder = shares.holder_of(session, str(row.body.get("licence") or row.subject))
        wanting = webhooks.webhooks_of(session, [row.org, *([holder] if holder else [])])
        for webhook in wanting:
            ctx.jobs.enqueue(session, "deliver_webhook", f"hook:{webhook.id}:{event_id}:1", webhook.id, event_id, 1)


@step("send_event")
def send_event(event_id: int, attempt: int) -> None:
    """At least once: a receiver knows a repetition by the event's id."""
    ctx, _ = Tools.get()
    if not ctx.settings.webhook_url:
        return
    with ctx.database.read() as session:
        row = session.get(OutboxRow, event_id)
        body = event_view(row) if row is not None and row.delivered_at is None else None
    if body is None:
        return
    try:
        post_event(ctx.settings.webhook_url, ctx.settings.webhook_secret.get_secret_value(), body, ctx.clock())
    except httpx.HTTPError as error:
        log.warning("event %s, attempt %s: %s", event_id, attempt, error)
        delivered = False
    else:
        delivered = True
    with ctx.database.write() as session:
        if delivered:
            outbox.mark_delivered(session, event_id, ctx.clock())
        elif attempt < MOST_DELIVERIES:
            job_id = f"event:{event_id}:{attempt + 1}"
            ctx.jobs.enqueue(session, "deliver_event", job_id, event_id, attempt + 1, delay=_pause(attempt))


@workflow("deliver_webhook")
def deliver_webhook(webhook_id: str, event_id: int, attempt: int) -> None:
    """Send one event to one webhook."""
    post_and_log(webhook_id, event_id, attempt)


@step("post_and_log")
def post_and_log(webhook_id: str, event_id: int, attempt: int) -> None:
    """Post, record how it went, and queue the next attempt where it did not go well."""
    ctx, _ = Tools.get()
    with ctx.database.read() as session:
        row = session.get(OutboxRow, event_id)
        try:
            webhook = webhooks.find_webhook(session, webhook_id)
        except NotFoundError:
            return  # removed meanwhile
        if row is None or webhooks.was_delivered(session, webhook_id, event_id):
            return
        body = event_view(row)
    status, error = None, ""
    ports, private = ports_of(ctx.settings.webhook_ports), ctx.settings.webhook_private
    try:
        secret = unlock(ctx.keys.secrets, webhook, "secret")
        status = post_event(webhook.url, secret, body, ctx.clock(), private=private, ports=ports)
    except httpx.HTTPStatusError as problem:
        status, error = problem.response.status_code, f"answered {problem.response.status_code}"
    except (LockedError, SetupError) as problem:  # the next attempt may have the key
        log.error("event %s is not posted: %s", event_id, problem)
        error = "its secret cannot be opened here"
    except (httpx.HTTPError, InputError) as problem:
        error = str(problem) or type(problem).__name__
    with ctx.database.write() as session:
        webhooks.log_delivery(session, webhook_id, event_id, attempt, ctx.clock(), status, error)
        if error and attempt < MOST_DELIVERIES:
            job_id = f"hook:{webhook_id}:{event_id}:{attempt + 1}"
            ctx.jobs.enqueue(
                session, "deliver_webhook", job_id, webhook_id, event_id, attempt + 1, delay=_pause(attempt)
            )


def _pause(attempt: int) -> int:
    return int(min(FIRST_DELAY * 2 ** min(attempt - 1, 10), LONGEST_DELAY))
