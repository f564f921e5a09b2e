"""The register of issued licences: looking up, verifying, changing the status."""

from __future__ import annotations

from typing import Literal

from sqlalchemy.orm import Session

from docproc.errors import ConflictError, InputError, NotFoundError
from docproc.flow.core import reads, views
from docproc.flow.core.access import Caller
from docproc.flow.core.acts import sign_act
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, run_once
from docproc.store.applications import applications
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.messages import outbox
from docproc.store.tables.licences import LicenceRow, SealedStatus

LicenceAction = Literal["suspend", "restore", "revoke"]
AFTER: dict[tuple[str, LicenceAction], SealedStatus] = {
    ("valid", "suspend"): "suspended",
    ("suspended", "restore"): "valid",
    ("valid", "revoke"): "revoked",
    ("suspended", "revoke"): "revoked",
}


def licence_by_number(ctx: Context, number: str) -> views.PublicLicence:
    """What anyone may know of a licence.

    Raises:
        NotFoundError: no licence has this number.
    """
    with ctx.database.read() as session:
        return views.public_licence(licences.find_licence(session, number), ctx.today())


def licence_by_code(ctx: Context, code: str) -> views.PublicLicence:
    """What the QR code of a licence leads to."""
    with ctx.database.read() as session:
        return views.public_licence(licences.find_by_code(session, code), ctx.today())


def licence_file_by_code(ctx: Context, code: str) -> tuple[bytes, str]:
    """The sealed file for whoever holds the QR code, and its name."""
    with ctx.database.read() as session:
        row = licences.find_by_code(session, code)
        reads.note(None, "licence_file", row.number, by="code", purpose="public")
        return _file(ctx, row)


def licence_file(ctx: Context, caller: Caller, number: str) -> tuple[bytes, str]:
    """The sealed file, and its name."""
    caller.require("view_file")
    with ctx.database.read() as session:
        row = visible(session, licences.find_licence(session, number), caller)
        reads.note(caller, "licence_file", number)
        return _file(ctx, row)


def view_licence(ctx: Context, caller: Caller, number: str) -> views.LicenceView:
    """A licence with fields and history."""
    caller.require("view")
    with ctx.database.read() as session:
        row = visible(session, licences.find_licence(session, number), caller)
        reads.note(caller, "licence", number)
        return views.licence(session, row, ctx.today())


def change_licence(
    ctx: Context,
    caller: Caller,
    number: str,
    action: LicenceAction,
    reason: str,
    basis: str,
    once: Once | None = None,
) -> views.LicenceView:
    """Suspend, restore or revoke a licence; reason and legal basis become public with the status list.

    Raises:
        ConflictError: its status does not allow that.
        InputError: the reason or the legal basis is missing.
    """
    caller.require("change_licence")
    check_grounds(reason, basis)

    def work(session: Session) -> views.LicenceView:
        at = ctx.clock()
        row = visible(session, licences.find_licence(session, number, lock=True), caller)
        status = AFTER.get((row.status, action))
        if status is None:
            problem = f"cannot {action} a licence that is {row.status}"
            raise ConflictError(problem, message_zh="证照当前状态不能进行此操作")
        grounds = {"reason": reason.strip(), "basis": basis.strip()}
        event = licences.set_status(session, row, status, caller.subject, at, **grounds)
        sign_act(session, caller, event)
        audit.append(session, at, caller.subject, f"licence.{status}", number, **grounds)
        told = outbox.add_event(session, at, f"licence.{status}", number, row.org, **grounds)
        ctx.jobs.enqueue(session, "deliver_event", f"event:{told.id}", told.id)
        ctx.jobs.enqueue(session, "publish_status", f"status:event:{told.id}")
        reads.note(caller, "licence", number)
        return views.licence(session, row, ctx.today())

    return run_once(ctx, caller, once, work)


def check_grounds(reason: str, basis: str) -> None:
    """Refuse an order on a licence that does not say why and by which law.

    Raises:
        InputError: the reason or the legal basis is missing.
    """
    if not reason.strip():
        raise InputError("a reason is needed", message_zh="请填写理由")
    if not basis.strip():
        raise InputError("a legal basis is needed", message_zh="请填写法律依据")


def visible(session: Session, row: LicenceRow, caller: Caller) -> LicenceRow:
    """Hide licences of other organisations, and from a kiosk those of applications that are not of the session at it.

    Raises:
        NotFoundError: the same as for one that does not exist.
    """
    unknown = NotFoundError(f"no licence {row.number!r}", message_zh="没有查到这个证照编号")
    if caller.sees_own_only:
        try:
            caller.check_sees(applications.find_application(session, row.application))
        except NotFoundError:
            raise unknown from None
    elif row.org != caller.org and not caller.sees_all:
        raise unknown
    return row


def _file(ctx: Context, row: LicenceRow) -> tuple[bytes, str]:
    if row.sha256 is None:
        raise views.not_sealed(row.number)
    return ctx.blobs.get(row.sha256), f"{row.number}.pdf"
