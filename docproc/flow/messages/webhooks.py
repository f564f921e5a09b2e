"""Webhooks: who is notified of which events, and the log of deliveries."""

from __future__ import annotations

from typing import TypedDict
from urllib.parse import urlsplit

from docproc.errors import ConflictError, InputError, NotFoundError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.messages.webhook_post import check_port, ports_of, public_address
from docproc.store.audit import audit
from docproc.store.messages import webhooks
from docproc.store.tables.messages import DeliveryRow, WebhookRow

MOST_WEBHOOKS = 5
"""Of one organisation."""


class WebhookView(TypedDict):
    """A webhook without its secret."""

    id: str
    url: str
    created_at: str
    created_by: str


class CreatedWebhook(WebhookView):
    """A new webhook."""

    secret: str


class DeliveryView(TypedDict):
    """One attempt to post an event."""

    event: int
    attempt: int
    at: str
    status: int | None
    error: str
    delivered: bool


def add_webhook(ctx: Context, caller: Caller, url: str) -> CreatedWebhook:
    """Have events posted to an address; ``secret`` of the answer is shown this once.

    An office is notified of its applications and licences, an enterprise of the licences it holds.

    Raises:
        InputError: not an https address, at a port, or in a private network, where the settings do not allow it.
        ConflictError: there are :data:`MOST_WEBHOOKS` already.
    """
    caller.require("webhooks")
    url = url.strip()
    if len(url) > 500 or not _is_address(url):
        raise InputError("not a URL", message_zh="通知地址格式不正确")
    check_port(url, ports_of(ctx.settings.webhook_ports))
    if not ctx.settings.webhook_private:
        public_address(url)
    with ctx.database.write() as session:
        at = ctx.clock()
        if len(webhooks.webhooks_of(session, [caller.org])) >= MOST_WEBHOOKS:
            raise ConflictError("too many webhooks", message_zh=f"最多设置 {MOST_WEBHOOKS} 个通知地址")
        row, secret = webhooks.add_webhook(session, caller.org, url, by=caller.subject, at=at)
        audit.append(session, at, caller.subject, "webhook.added", row.id, url=url)
        return {**_view(row), "secret": secret}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
    except ValueError:
        return False


def list_webhooks(ctx: Context, caller: Caller) -> list[WebhookView]:
    """The organisation's webhooks, without secrets."""
    caller.require("webhooks")
    with ctx.database.read() as session:
        return [_view(row) for row in webhooks.webhooks_of(session, [caller.org])]


def remove_webhook(ctx: Context, caller: Caller, webhook_id: str) -> None:
    """Post nothing more to an address; its log stays."""
    caller.require("webhooks")
    with ctx.database.write() as session:
        at = ctx.clock()
        webhooks.remove_webhook(session, webhook_id, caller.org, at)
        audit.append(session, at, caller.subject, "webhook.removed", webhook_id)


def deliveries(ctx: Context, caller: Caller, webhook_id: str, limit: int = 50) -> list[DeliveryView]:
    """The last attempts to post to an address, newest first."""
    caller.require("webhooks")
    with ctx.database.read() as session:
        webhooks.find_webhook(session, webhook_id, caller.org)
        return [_delivery(row) for row in webhooks.deliveries_of(session, webhook_id, limit)]


def post_again(ctx: Context, caller: Caller, webhook_id: str, event_id: int) -> None:
    """Post an event that did not get through once more, at once.

    Raises:
        NotFoundError: no such webhook, or the event was never posted to it.
        ConflictError: it got through.
    """
    caller.require("webhooks")
    with ctx.database.write() as session:
        at = ctx.clock()
        webhooks.find_webhook(session, webhook_id, caller.org)
        tried = webhooks.last_attempt(session, webhook_id, event_id)
        if tried is None:
            raise NotFoundError(f"event {event_id} was not posted there", message_zh="没有这条推送记录")
        if webhooks.was_delivered(session, webhook_id, event_id):
            raise ConflictError("it was delivered", message_zh="这条通知已经送达")
        job_id = f"hook:{webhook_id}:{event_id}:{tried + 1}:again"  # the next attempt by itself may wait already
        ctx.jobs.enqueue(session, "deliver_webhook", job_id, webhook_id, event_id, tried + 1)
        audit.append(session, at, caller.subject, "webhook.again", webhook_id, event=event_id)


def _view(row: WebhookRow) -> WebhookView:
    return {"id": row.id, "url": row.url, "created_at": row.created_at.isoformat(), "created_by": row.created_by}


def _delivery(row: DeliveryRow) -> DeliveryView:
    return {
        "event": row.event_id,
        "attempt": row.attempt,
        "at": row.at.isoformat(),
        "status": row.status,
        "error": row.error,
        "delivered": row.delivered,
    }
