"""Browsers that work under an API key: a kiosk, or an enterprise at its wallet. The key is entered once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from docproc.errors import AccessError, ConflictError
from docproc.flow.accounts.api_keys import note_use
from docproc.flow.applications.applications import visible, withdraw
from docproc.flow.core.access import Caller, Role
from docproc.flow.core.context import Context
from docproc.lifecycle import OPEN_FOR_PAGES
from docproc.store.accounts import api_keys, seats
from docproc.store.applications import applications, uploads
from docproc.store.audit import audit
from docproc.store.kiosks import kiosks
from docproc.store.tables.accounts import ApiKeyRow
from docproc.store.wallet import shares

Kind = Literal["kiosk", "wallet"]
ROLE: dict[Kind, Role] = {"kiosk": "kiosk", "wallet": "enterprise"}
LASTS: dict[Kind, timedelta] = {"kiosk": timedelta(days=30), "wallet": timedelta(hours=8)}
"""A kiosk stands in a hall and is signed in by its keeper; an enterprise's browser may be anybody's."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A signed-in browser."""

    token: str
    caller: Caller
    application: str | None
    """What the citizen at the kiosk is working on."""


def sign_in(ctx: Context, key: str, kind: Kind) -> str:
    """Begin a session under a key; returns the token for the browser's cookie.

    Raises:
        AccessError: the key is wrong or revoked, or has not the role.
    """
    with ctx.database.read() as session:  # a guess takes no turn of a writer
        _usable(session, key, kind)
    with ctx.database.write() as session:
        at = ctx.clock()
        row = _usable(session, key, kind)
        audit.append(session, at, row.subject, "session.opened", row.id, kind=kind)
        return seats.open_session(session, row, kind, at, LASTS[kind])


def _usable(session: Session, key: str, kind: Kind) -> ApiKeyRow:
    row = api_keys.find_key(session, key.strip())
    if row is None or ROLE[kind] not in row.roles:
        raise AccessError("no such key for this use", message_zh="密钥不正确，或不能用于此处", code="wrong_key")
    return row


def seat(ctx: Context, token: str, kind: Kind) -> Seat | None:
    """Who sits at a browser; ``None`` when the session is over or its key was revoked."""
    with ctx.database.read() as session:
        found = seats.find_session(session, token, kind, ctx.clock())
    if found is None:
        return None
    row, key = found
    note_use(ctx, key)
    # A key with more roles is still only a kiosk at a kiosk.
    caller = Caller(key.id, key.subject, key.org, frozenset({ROLE[kind]}), key.owner)
    return Seat(token, caller, row.application)


def hold(ctx: Context, here: Seat, number: str) -> None:
    """Work on an application at this kiosk."""
    with ctx.database.write() as session:
        visible(session, here.caller, number, "view")
        found = seats.find_session(session, here.token, "kiosk", ctx.clock())
        if found is not None:
            found[0].application, found[0].seen_at = number, ctx.clock()


def resume(ctx: Context, here: Seat, code: str) -> str:
    """Go on with an application that was returned, by its follow code or the address in its QR code.

    Raises:
        NotFoundError: no such application at this kiosk.
        ConflictError: there is nothing to submit now.
    """
    word = code.strip().rstrip("/").rpartition("/")[2]
    with ctx.database.read() as session:
        row = shares.followed(session, word)
        here.caller.check_sees(row)
        if row.status not in OPEN_FOR_PAGES:
            raise ConflictError(f"application is {row.status}", message_zh="该办件目前不需要补交材料")
        number = row.number
    hold(ctx, here, number)
    return number


def leave(ctx: Context, here: Seat) -> None:
    """Forget the citizen: nothing of theirs is reachable at this kiosk, and what was not submitted is taken back."""
    if here.application is not None:
        with ctx.database.write() as session:
            draft = applications.find_application(session, here.application).status == "draft"
            uploads.drop_open(session, here.application)
            found = seats.find_session(session, here.token, "kiosk", ctx.clock())
            if found is not None:
                found[0].application = None
            kiosks.note_line(session, here.caller.key_id, 0, None, ctx.clock())  # all that waited there is wiped
        if draft:
            withdraw(ctx, here.caller, here.application)


def sign_out(ctx: Context, token: str) -> None:
    """End a session."""
    with ctx.database.write() as session:
        seats.close_session(session, token)
