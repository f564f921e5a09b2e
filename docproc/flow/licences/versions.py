"""Ordering a new version of a licence: corrected, or issued again as it is; reading the signed status list."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.canonical import JsonObject, canonical_json, canonical_sha256
from docproc.errors import ConflictError, InputError, UnavailableError
from docproc.flow.core.access import Caller
from docproc.flow.core.acts import sign_act
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, run_once
from docproc.flow.licences.licences import check_grounds, visible
from docproc.licence.page.record import licence_json, parse_licence_json
from docproc.process_keys import SignatureError
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.signatures import SEALER, WEB, check_row
from docproc.store.tables.licences import LicenceRow, LicenceVersionRow, VersionAction, VersionState

FIXED = frozenset({"number", "uscc"})
"""Fields that make a licence this licence: a change of them is a new licence, not a correction."""


class OrderedVersion(TypedDict):
    """A new version that the sealer will make."""

    number: str
    version: int
    action: VersionAction
    state: VersionState


def new_version(
    ctx: Context,
    caller: Caller,
    number: str,
    action: VersionAction,
    changes: dict[str, str],
    reason: str,
    basis: str,
    once: Once | None = None,
) -> OrderedVersion:
    """Order a new version: ``correct`` with changed fields (name -> value), ``reissue`` with none.

    The sealer makes it; until it is registered the former version stays in force, from then on that is superseded.

    Raises:
        ConflictError: the licence is not in force, or another version of it is being made.
        InputError: reason or legal basis is missing, or the changes do not fit the action.
    """
    caller.require("change_licence")
    check_grounds(reason, basis)

    def work(session: Session) -> OrderedVersion:
        row = visible(session, licences.find_licence(session, number, lock=True), caller)
        if row.status != "valid":
            raise ConflictError(f"licence is {row.status}", message_zh="证照不在有效状态，不能更正或换发")
        if licences.open_version(session, number) is not None:
            raise ConflictError("another version is being made", message_zh="上一次更正或换发尚未完成")
        at = ctx.clock()
        version = LicenceVersionRow(
            id=secrets.token_hex(16),
            licence=number,
            version=licences.next_version(session, number),
            action=action,
            body={},
            by=caller.subject,
            at=at,
            reason=reason.strip(),
            basis=basis.strip(),
            state="queued",
            note="",
            attempt=1,
        )
        _check_genuine(session, row)
        version.body = _changed(row.body, version.version, action, changes)
        sign_act(session, caller, version, changes=changes)
        session.add(version)
        ordered = {"version": version.version, "changes": changes, "body": canonical_sha256(version.body)}
        grounds = {"reason": version.reason, "basis": version.basis}
        audit.append(session, at, caller.subject, f"licence.{action}", number, **ordered, **grounds)
        ctx.jobs.enqueue(session, "seal_version", f"version:{version.id}:1", version.id, 1)
        return {"number": number, "version": version.version, "action": action, "state": version.state}

    return run_once(ctx, caller, once, work)


def status_list(ctx: Context) -> str:
    """The newest signed status list.

    Raises:
        UnavailableError: no sealer has signed one yet.
    """
    with ctx.database.read() as session:
        row = licences.newest_status_list(session)
    if row is None:
        raise UnavailableError("no status list was signed yet: a worker on the queue `seal` must run")
    return row.body


def _check_genuine(session: Session, row: LicenceRow) -> None:
    """A new version says what the sealed one says, but for what is corrected: not what was written over it since."""
    try:
        check_row(session, row, roles=(*SEALER, *WEB))
    except SignatureError as error:
        message = "登记的证照内容没有通过完整性检查，不能更正或换发，请联系管理员"
        raise ConflictError(str(error), message_zh=message, code="not_signed") from error


def _changed(body: JsonObject, version: int, action: VersionAction, changes: dict[str, str]) -> JsonObject:
    if action == "reissue" and changes:
        raise InputError("a re-issued licence says the same", message_zh="换发不能改动内容，请选择更正")
    if action == "correct" and not changes:
        raise InputError("nothing to correct", message_zh="请填写要更正的内容")
    former = parse_licence_json(canonical_json(body))
    known = {name for name, _, _ in former.fields} | {"holder"}
    wrong = sorted(name for name in changes if name not in known or name in FIXED)
    if wrong:
        raise InputError(f"cannot correct {', '.join(wrong)}", message_zh="所填项目不在证照上，或不能以更正方式改动")
    if any(not value.strip() for value in changes.values()):
        raise InputError("a corrected field is empty", message_zh="更正后的内容不能为空")
    # the holder's name may be printed as a field too: one fact, one value
    same = {"holder", *(name for name, _, value in former.fields if value == former.holder)}
    named = [changes[name] for name in changes if name in same]
    changes = {**changes, **dict.fromkeys(same, named[0])} if named else changes
    fields = tuple((name, label, changes.get(name, value).strip()) for name, label, value in former.fields)
    holder = changes.get("holder", former.holder).strip()
    new = replace(former, version=version, fields=fields, holder=holder)
    if action == "correct" and (new.fields, new.holder) == (former.fields, former.holder):
        raise InputError("the corrections change nothing", message_zh="更正前后内容相同")
    changed: JsonObject = json.loads(licence_json(new))
    return changed
