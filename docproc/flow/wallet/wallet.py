"""证照夹: an enterprise's own licences, and permission for others to see one for a purpose and a time.

An enterprise's key has the role ``enterprise`` and its unified social credit code as organisation.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import InputError, NotFoundError
from docproc.flow.core import reads, views
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, run_once
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.tables.licences import LicenceRow
from docproc.store.tables.wallet import ShareRow
from docproc.store.wallet import shares as sharing

MOST_DAYS = 90
"""Longest time of a share: a permission that nobody remembers is none."""


class ShareView(TypedDict):
    """Permission for somebody to see a licence."""

    code: str
    url: str
    licence: str
    purpose: str
    created_at: str
    expires_at: str
    revoked_at: str | None
    over: bool
    opened: int


class WalletLicence(views.PublicLicence):
    """An own licence with everything on it."""

    fields: list[views.LicenceField]
    code: str
    shares: list[ShareView]


class SharedLicence(views.PublicLicence):
    """What a share shows."""

    fields: list[views.LicenceField]
    share: ShareView


class ShareOverError(NotFoundError):
    """A share that was revoked or whose time is over: ask the holder for a new one."""

    code = "share_over"
    message_zh = "授权已到期或已被撤回，请向持证人索取新的授权"


def wallet(ctx: Context, caller: Caller) -> list[views.PublicLicence]:
    """The enterprise's licences, newest first."""
    caller.require("wallet")
    reads.note(caller, "wallet", caller.org)
    with ctx.database.read() as session:
        rows = sharing.licences_of_holder(session, caller.org)
        return [views.public_licence(row, ctx.today()) for row in rows]


def wallet_licence(ctx: Context, caller: Caller, number: str) -> WalletLicence:
    """One licence with its fields, its address for verifying and its shares."""
    caller.require("wallet")
    with ctx.database.read() as session:
        row = own_licence(session, caller, number)
        reads.note(caller, "licence", number)
        shares = [_share(item, ctx) for item in sharing.shares_of(session, number)]
        return {
            **views.public_licence(row, ctx.today()),
            "fields": views.licence_fields(row),
            "code": row.code,
            "shares": shares,
        }


def wallet_file(ctx: Context, caller: Caller, number: str) -> tuple[bytes, str]:
    """The sealed file of an own licence, and its name."""
    caller.require("wallet")
    with ctx.database.read() as session:
        row = own_licence(session, caller, number)
        reads.note(caller, "licence_file", number)
        return ctx.blobs.get(row.sha256 or ""), f"{number}.pdf"


def share(ctx: Context, caller: Caller, number: str, purpose: str, days: int, once: Once | None = None) -> ShareView:
    """Let whoever gets the address see a licence.

    Raises:
        InputError: no purpose, or a time of less than a day or over :data:`MOST_DAYS`.
        NotFoundError: no own licence of this number.
    """
    caller.require("wallet")
    if not purpose.strip() or len(purpose) > 200 or not 1 <= days <= MOST_DAYS:
        raise InputError("purpose or days", message_zh=f"请填写用途，并选择 1 至 {MOST_DAYS} 天的期限")

    def work(session: Session) -> ShareView:
        at = ctx.clock()
        own_licence(session, caller, number)
        row = sharing.add_share(
            session, number, purpose.strip(), by=caller.subject, at=at, expires_at=at + timedelta(days=days)
        )
        audit.append(session, at, caller.subject, "licence.shared", number, purpose=row.purpose, days=days)
        return _share(row, ctx)

    return run_once(ctx, caller, once, work)


def revoke_share(ctx: Context, caller: Caller, code: str) -> ShareView:
    """Take a permission back, at once.

    Raises:
        NotFoundError: no own share of this code.
    """
    caller.require("wallet")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = sharing.find_share(session, code)
        own_licence(session, caller, row.licence)
        if row.revoked_at is None:
            row.revoked_at = at
            audit.append(session, at, caller.subject, "licence.share_revoked", row.licence, purpose=row.purpose)
        return _share(row, ctx)


def shared(ctx: Context, code: str) -> SharedLicence:
    """What a share shows; every look is counted and logged.

    Raises:
        ShareOverError: it was revoked, or its time is over.
    """
    with ctx.database.write() as session:
        row = _living(ctx, session, code)
        row.opened += 1
        reads.note(None, "licence", row.licence, by="share", purpose="share", stated=row.purpose)
        audit.append(session, ctx.clock(), "public", "licence.share_opened", row.licence, purpose=row.purpose)
        licence = licences.find_licence(session, row.licence)
        return {
            **views.public_licence(licence, ctx.today()),
            "fields": views.licence_fields(licence),
            "share": _share(row, ctx),
        }


def shared_file(ctx: Context, code: str) -> tuple[bytes, str]:
    """The sealed file behind a share, and its name.

    Raises:
        ShareOverError: it was revoked, or its time is over.
    """
    with ctx.database.write() as session:
        share_row = _living(ctx, session, code)
        audit.append(session, ctx.clock(), "public", "licence.share_download", share_row.licence)
        why = share_row.purpose
        reads.note(None, "licence_file", share_row.licence, by="share", purpose="share", stated=why)
        row = licences.find_licence(session, share_row.licence)
        return ctx.blobs.get(row.sha256 or ""), f"{row.number}.pdf"


def own_licence(session: Session, caller: Caller, number: str) -> LicenceRow:
    """A licence of the enterprise.

    Raises:
        NotFoundError: no own licence of this number.
    """
    row = licences.find_licence(session, number)
    if sharing.holder_of(session, number) != caller.org:
        raise NotFoundError(f"no licence {number!r}", message_zh="没有查到这个证照编号")
    return row


def _living(ctx: Context, session: Session, code: str) -> ShareRow:
    row = sharing.find_share(session, code)
    if row.revoked_at is not None or row.expires_at <= ctx.clock():
        raise ShareOverError("the share is over")
    return row


def _share(row: ShareRow, ctx: Context) -> ShareView:
    over = row.revoked_at is not None or row.expires_at <= ctx.clock()
    return {
        "code": row.code,
        "url": f"{ctx.settings.public_url.rstrip('/')}/s/{row.code}",
        "licence": row.licence,
        "purpose": row.purpose,
        "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        "over": over,
        "opened": row.opened,
    }
