"""Browsers that work under an API key: a kiosk, or an enterprise at its wallet. The key is entered once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from docproc.errors import AccessError, ConflictError, NotFoundError
from docproc.flow.accounts.api_keys import note_use
from docproc.flow.applications.applications import by_code, withdraw
from docproc.flow.core.access import Caller, Role
from docproc.flow.core.context import Context
from docproc.flow.core.sittings import end_of_day
from docproc.lifecycle import OPEN_FOR_PAGES
from docproc.store.accounts import api_keys, seats
from docproc.store.applications import applications, uploads
from docproc.store.audit import audit
from docproc.store.kiosks import kiosks
from docproc.store.tables.accounts import ApiKeyRow

Kind = Literal["kiosk", "wallet"]
ROLE: dict[Kind, Role] = {"kiosk": "kiosk", "wallet": "enterprise"}
WALLET_LASTS = timedelta(hours=8)
"""An enterprise's browser may be anybody's."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A signed-in browser."""

    token: str
    caller: Caller
    application: str | None
    """What the citizen at the kiosk is working on."""


def sign_in(ctx: Context, key: str, kind: Kind, address: str = "") -> str:
    """Begin a session under a key; returns the token for the browser's cookie.

    Raises:
        AccessError: the key is wrong, revoked, over or for other addresses, or has not the role.
    """
    with ctx.database.read() as session:  # a guess takes no turn of a writer
        _usable(session, key, kind, ctx.clock(), address)
    with ctx.database.write() as session:
        at = ctx.clock()
        row = _usable(session, key, kind, at, address)
        audit.append(session, at, row.subject, "session.opened", row.id, kind=kind)
        return seats.open_session(session, row, kind, at, lasts_until(ctx, kind, at) - at)


def _usable(session: Session, key: str, kind: Kind, at: datetime, address: str) -> ApiKeyRow:
    row = api_keys.find_key(session, key.strip(), at, address)
    if row is None or ROLE[kind] not in row.roles:
        raise AccessError("no such key for this use", message_zh="密钥不正确，或不能用于此处", code="wrong_key")
    return row


def lasts_until(ctx: Context, kind: Kind, at: datetime) -> datetime:
    """When a session that began at a moment is over: a kiosk's with the day, after which its keeper signs it in again.

    Where nobody is there in the morning, ``DOCPROC_KIOSK_DAYS`` gives it more days.
    """
    return end_of_day(at, ctx.settings.kiosk_days) if kind == "kiosk" else at + WALLET_LASTS


def seat(ctx: Context, token: str, kind: Kind, address: str = "") -> Seat | None:
    """Who sits at a browser; ``None`` when the session is over, or its key may not be used (from there) any more."""
    with ctx.database.read() as session:
        found = seats.find_session(session, token, kind, ctx.clock(), address)
    if found is None:
        return None
    row, key = found
    at = ctx.clock()
    if kind == "kiosk" and lasts_until(ctx, kind, row.created_at) <= at:
        return None  # it was opened under a longer rule
    note_use(ctx, key)
    # A key with more roles is still only a kiosk at a kiosk.
    work = frozenset({row.application}) if row.application is not None else frozenset()
    session_of = work if kind == "kiosk" else None
    caller = Caller(
        key.id, key.subject, key.org, frozenset({ROLE[kind]}), key.owner, session=session_of, at=at, address=address
    )
    here = Seat(token, caller, row.application)
    if row.application is not None and end_of_day(row.seen_at) <= at:  # the citizen went home without leaving
        return leave(ctx, here)
    return here


def hold(ctx: Context, here: Seat, number: str) -> None:
    """Work on an application at this kiosk, which was just begun there or opened by its code."""
    with ctx.database.write() as session:
        if not here.caller.made(applications.find_application(session, number)):
            raise NotFoundError(f"no application {number!r}", message_zh="没有这个办件")
        found = seats.find_session(session, here.token, "kiosk", ctx.clock(), here.caller.address)
        if found is not None:
            found[0].application, found[0].seen_at = number, ctx.clock()


def resume(ctx: Context, here: Seat, code: str) -> str:
    """Go on with an application that was returned, by its follow code or the address in its QR code.

    Raises:
        NotFoundError: no such application at this kiosk.
        ConflictError: there is nothing to submit now.
    """
    with ctx.database.read() as session:
        row = by_code(session, here.caller, code)
        if row.status not in OPEN_FOR_PAGES:
            raise ConflictError(f"application is {row.status}", message_zh="该办件目前不需要补交材料")
        number = row.number
    hold(ctx, here, number)
    return number


def leave(ctx: Context, here: Seat) -> Seat:
    """Forget the citizen: nothing of theirs is reachable at this kiosk, and what was not submitted is taken back."""
    if here.application is not None:
        with ctx.database.write() as session:
            draft = applications.find_application(session, here.application).status == "draft"
            uploads.drop_open(session, here.application)
            found = seats.find_session(session, here.token, "kiosk", ctx.clock(), here.caller.address)
            if found is not None:
                found[0].application = None
            kiosks.note_line(session, here.caller.key_id, 0, None, ctx.clock())  # all that waited there is wiped
        if draft:
            withdraw(ctx, here.caller, here.application)
    return replace(here, application=None, caller=replace(here.caller, session=frozenset()))


def sign_out(ctx: Context, token: str) -> None:
    """End a session."""
    with ctx.database.write() as session:
        seats.close_session(session, token)
