"""Short messages to applicants: one for each event that concerns them, at most once.

::

    send_sms    event -> number from the form, as corrected -> provider; again only where it was certainly not taken

Before a message is submitted to the provider, this is recorded. Who finds that record later cannot know whether the
provider accepted it, and does not submit it again: the log says ``unknown``, and a receipt that bears our id says more.
Jobs carry the event's number; the telephone number is read from the form at that moment, and neither kept nor logged.
"""

from __future__ import annotations

import hmac
import logging
from datetime import timedelta
from typing import TypedDict
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from docproc.check.certainty import is_sure
from docproc.check.check import LOOK
from docproc.domain import CHINA, Field
from docproc.errors import ConflictError, NotFoundError, SetupError
from docproc.fields.working_days import add_working_days
from docproc.flow.applications.applications import announce
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.stages import Tools
from docproc.flow.core.views import standing_of_application
from docproc.flow.jobs.engine import Job, step, workflow
from docproc.flow.messages import sms_templates
from docproc.flow.messages.tencent_sms import TencentSms
from docproc.flow.review.workbench import overrides
from docproc.matter.load import find_matter, load_catalogue
from docproc.settings import Settings
from docproc.store.applications import applications, pages
from docproc.store.audit import audit
from docproc.store.messages import outbox
from docproc.store.messages import sms as store
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.messages import OutboxRow, SmsReceiptRow, SmsRow, SmsState

log = logging.getLogger(__name__)

JOBS: tuple[Job, ...] = ("send_sms",)
FIRST_DELAY, LONGEST_DELAY = 5, 3600
"""Seconds before a message is submitted again, doubling up to the longest."""
MOST_ATTEMPTS = 30
"""Attempts over about a day; older news is no news."""
SHORTEST_SECRET = 32
LOOPBACK = ("127.0.0.1", "::1", "localhost")
OVERDUE = "application.overdue"
AGAIN = ("refused", "unknown", "no number")
"""States from which a person may have a message sent again: nothing more happens by itself."""
MOST_OVERDUE = 500
"""Applications of one matter that one sweep looks at."""


class ReceiptView(TypedDict):
    """What became of a message."""

    delivered: bool
    code: str
    at: str


class SmsView(TypedDict):
    """One message; the number it went to is nowhere kept."""

    event: int
    application: str
    kind: str
    kind_zh: str
    state: SmsState
    attempts: int
    code: str
    created_at: str
    updated_at: str
    receipt: ReceiptView | None


def open_provider(settings: Settings) -> sms_templates.Provider | None:
    """The provider of the settings; ``None`` where none is set.

    Raises:
        SetupError: a setting is missing or wrong.
    """
    if not settings.sms_provider:
        return None
    needed = ("sms_secret_id", "sms_app_id", "sms_sign_name", "sms_templates")
    missing = [name for name in needed if not getattr(settings, name)]
    missing += [] if settings.sms_secret_key.get_secret_value() else ["sms_secret_key"]
    if missing:
        raise SetupError("short messages need " + ", ".join(f"DOCPROC_{name.upper()}" for name in missing))
    parts = urlsplit(settings.sms_url)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in LOOPBACK):
        raise SetupError(f"DOCPROC_SMS_URL: {settings.sms_url!r} is not an https address")
    if 0 < len(settings.sms_receipt_secret.get_secret_value()) < SHORTEST_SECRET:
        raise SetupError(f"DOCPROC_SMS_RECEIPT_SECRET needs {SHORTEST_SECRET} letters or more")
    sms_templates.template_ids(settings.sms_templates)
    return TencentSms(
        settings.sms_url,
        settings.sms_region,
        settings.sms_secret_id,
        settings.sms_secret_key.get_secret_value(),
        settings.sms_app_id,
        settings.sms_sign_name,
    )


def queue(ctx: Context, session: Session, event: OutboxRow) -> None:
    """Queue the message that an event causes, where there is one and the settings name its template."""
    template = sms_templates.template_for(event.topic)
    if template is None or not ctx.settings.sms_provider:
        return
    if template.kind in sms_templates.template_ids(ctx.settings.sms_templates):
        ctx.jobs.enqueue(session, "send_sms", f"sms:{event.id}:1", event.id, 1)


@workflow("send_sms")
def send_sms(event_id: int, attempt: int) -> None:
    """Notify the applicant of one event."""
    hand_over(event_id, attempt)


@step("hand_over")
def hand_over(event_id: int, attempt: int) -> None:
    """Submit one message to the provider and record the outcome."""
    ctx, _ = Tools.get()
    provider = open_provider(ctx.settings)
    if provider is None:
        return  # switched off meanwhile
    message = _begin(ctx, event_id, attempt)
    if message is None:
        return
    sent = provider.send(message, ctx.clock())
    if sent.state != "accepted":
        log.warning("short message of event %s, attempt %s: %s, %s", event_id, attempt, sent.state, sent.code)
    with ctx.database.write() as session:
        row = store.find(session, event_id)
        if row is None or row.attempt != attempt or row.state not in ("sending", "unknown"):
            return  # "unknown" where another worker took this one for dead: now it is known
        row.state, row.code, row.serial, row.updated_at = sent.state, sent.code, sent.serial, ctx.clock()
        if sent.state == "put off" and attempt < MOST_ATTEMPTS:
            delay = min(FIRST_DELAY * 2 ** min(attempt - 1, 10), LONGEST_DELAY)
            ctx.jobs.enqueue(session, "send_sms", f"sms:{event_id}:{attempt + 1}", event_id, attempt + 1, delay=delay)
        elif sent.state == "put off":
            row.state = "refused"


def _begin(ctx: Context, event_id: int, attempt: int) -> sms_templates.Message | None:
    """Record that a message is submitted now; ``None`` where it must not be, or cannot."""
    with ctx.database.write() as session:
        event, row, at = session.get(OutboxRow, event_id), store.find(session, event_id), ctx.clock()
        template = sms_templates.template_for(event.topic) if event is not None else None
        ids = sms_templates.template_ids(ctx.settings.sms_templates)
        if event is None or template is None or template.kind not in ids:
            return None
        if row is None:
            row = SmsRow(
                event_id=event_id,
                org=event.org,
                application=event.subject,
                kind=template.kind,
                session=f"docproc-{event_id}",
                state="put off",
                attempt=0,
                code="",
                serial=None,
                created_at=at,
                updated_at=at,
            )
            session.add(row)
        if row.state == "sending":
            row.state, row.code, row.updated_at = "unknown", "interrupted", at
        if row.state != "put off" or row.attempt >= attempt:
            return None
        about = applications.find_application(session, row.application)
        if event.topic == "licence.issued" and standing_of_application(session, about.number, ctx.today()) != "valid":
            row.state, row.attempt, row.code, row.updated_at = "refused", attempt, "not in force", at
            return None  # suspended or revoked while the message waited: it would say what is no longer so
        mobile = _mobile(session, about)
        row.state, row.attempt, row.updated_at = "sending" if mobile else "no number", attempt, at
        if not mobile:
            return None
        values = {"matter": find_matter(about.matter).name, "number": about.number}
        return sms_templates.Message(mobile, ids[template.kind], sms_templates.filled(template, values), row.session)


def _mobile(session: Session, application: ApplicationRow) -> str:
    """The first mobile number of the form, as corrected; empty where there is none that is sure."""
    matter = find_matter(application.matter)
    for _, reading in pages.readings_of(session, application.number):
        if reading.material is None or matter.find_material(reading.material).kind != "form":
            continue
        names = [spec.name for spec in matter.fields_of(reading.material, reading.edition) if spec.field_type.takes_sms]
        for item in (reading.fields.get(name) for name in names):
            if item is not None and _is_sure(item):
                return item.value or ""
    return ""


def _is_sure(item: Field) -> bool:
    """A wrong digit would notify a stranger, so what a reviewer is asked to look at is not dialled as it was read."""
    return sms_templates.is_mobile(item.value or "") and is_sure(item, least=LOOK)


def tell_overdue(ctx: Context) -> None:
    """Announce each application that is past its term of decision, once for each time it was submitted."""
    days, today = overrides(ctx.settings.holidays_file), ctx.today()
    for matter in load_catalogue().values():
        term = matter.clock.decide_working_days
        with ctx.database.read() as session:
            before = ctx.clock() - timedelta(days=term)
            late = store.unannounced(session, OVERDUE, matter.id, ("submitted", "accepted"), before, MOST_OVERDUE)
            numbers = [row.number for row in late]
        for number in numbers:
            with ctx.database.write() as session:
                row = applications.find_application(session, number, lock=True)
                if row.status not in ("submitted", "accepted") or row.submitted_at is None:
                    continue
                due = add_working_days(row.submitted_at.astimezone(CHINA).date(), term, days).on
                if due < today and not outbox.was_announced(session, OVERDUE, number, row.submitted_at):
                    announce(ctx, session, row, OVERDUE, due=due.isoformat())


def find_provider(ctx: Context, secret: str) -> sms_templates.Provider:
    """The provider that knows the address of receipts.

    Raises:
        NotFoundError: wrong secret, or none is set.
    """
    wanted = ctx.settings.sms_receipt_secret.get_secret_value().encode()
    provider = open_provider(ctx.settings) if wanted and hmac.compare_digest(wanted, secret.encode()) else None
    if provider is None:
        raise NotFoundError("no receipts are taken here", message_zh="没有这个地址")
    return provider


def keep_receipts(ctx: Context, secret: str, body: object) -> int:
    """Keep what the provider says of its messages; gives how many were new.

    Raises:
        NotFoundError: wrong secret, or none is set.
        InputError: the body has another shape.
    """
    provider = find_provider(ctx, secret)
    found = provider.receipts(body)
    with ctx.database.write() as session:
        at = ctx.clock()
        return sum(
            store.keep_receipt(session, r.serial, sent_as=r.session, delivered=r.delivered, code=r.code, at=at)
            for r in found
        )


def send_again(ctx: Context, caller: Caller, event_id: int) -> SmsView:
    """Submit a message once more because a person asks for it; its receipt bears another id of ours.

    Raises:
        NotFoundError: no such message.
        ConflictError: it was accepted or is on its way, or no provider is set.
    """
    caller.require("sms_again")
    if not ctx.settings.sms_provider:
        raise ConflictError("no provider is set", message_zh="没有启用短信服务")
    with ctx.database.write() as session:
        at, row = ctx.clock(), store.find(session, event_id)
        if row is None or row.org != caller.org:
            raise NotFoundError(f"no message {event_id}", message_zh="没有这条短信")
        if row.state not in AGAIN:
            raise ConflictError(f"message is {row.state}", message_zh="这条短信已发出或正在发送")
        attempt = row.attempt + 1
        audit.append(session, at, caller.subject, "sms.again", row.application, event=event_id, was=row.state)
        row.state, row.code, row.serial, row.updated_at = "put off", "again", None, at
        row.session = f"docproc-{event_id}-{attempt}"
        ctx.jobs.enqueue(session, "send_sms", f"sms:{event_id}:{attempt}", event_id, attempt)
        return _view(row, None)


def sms_log(
    ctx: Context, caller: Caller, *, application: str | None = None, before: int | None = None, limit: int = 100
) -> list[SmsView]:
    """Messages of the caller's organisation with their receipts, newest first."""
    caller.require("sms_log")
    with ctx.database.read() as session:
        org = None if caller.sees_all else caller.org
        return [
            _view(row, receipt)
            for row, receipt in store.log(session, org=org, application=application, before=before, limit=limit)
        ]


def _view(row: SmsRow, receipt: SmsReceiptRow | None) -> SmsView:
    return {
        "event": row.event_id,
        "application": row.application,
        "kind": row.kind,
        "kind_zh": sms_templates.templates()[row.kind].name,
        "state": row.state,
        "attempts": row.attempt,
        "code": row.code,
        "created_at": row.created_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "receipt": _receipt(receipt) if receipt is not None else None,
    }


def _receipt(row: SmsReceiptRow) -> ReceiptView:
    return {"delivered": row.delivered, "code": row.code, "at": row.at.isoformat()}
