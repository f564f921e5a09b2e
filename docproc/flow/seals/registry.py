"""The seal registry: who may seal what and when. Every change is proposed by one person and confirmed by another."""

from __future__ import annotations

import base64
from datetime import datetime
from functools import partial
from typing import Literal, TypedDict

from sqlalchemy.orm import Session

from docproc.errors import ConflictError, NotFoundError
from docproc.flow.core import dual_control
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.dual_control import Changes, ChangeView, change_view
from docproc.flow.core.views import iso
from docproc.flow.seals.entries import from_body, proof_of, to_body, to_row
from docproc.flow.seals.new_seal import NewSeal, checked
from docproc.licence.seal import registered_seal
from docproc.store.seals import registry
from docproc.store.signatures import SEALER, WEB, check_row, sign_row
from docproc.store.tables.seals import SealAction, SealBody, SealChangeRow, SealKind, SealRow

SealUse = Literal["suspend", "resume"]


SealState = Literal["active", "suspended", "out_of_period"]


class SealView(TypedDict):
    """A registered seal."""

    name: str
    owner: str
    owner_code: str
    kind: SealKind
    filing_number: str
    state: SealState
    licence_kinds: list[str]
    valid_from: str
    valid_to: str
    algorithm: str
    certificate_sha256: str
    art_sha256: str
    diameter_mm: float
    has_record: bool
    registered_at: str


class SealChange(ChangeView):
    """A change of the registry."""

    seal: str
    action: SealAction


class Registry(TypedDict):
    """All seals, and the changes that wait."""

    seals: list[SealView]
    changes: list[SealChange]


def list_seals(ctx: Context, caller: Caller) -> Registry:
    """All seals, and the changes that wait for a second person."""
    caller.require("view_seals")
    with ctx.database.read() as session:
        return {
            "seals": [_seal_view(row, ctx.clock()) for row in registry.list_seals(session)],
            "changes": dual_control.listed(session, CHANGES),
        }


def propose_seal(ctx: Context, caller: Caller, new: NewSeal, reason: str) -> SealChange:
    """Propose to register a seal, or to replace the one of its name; its art is drawn by rule here.

    Raises:
        InputError: something in it is wrong, the name does not fit on a seal, or the certificate is not the owner's.
    """
    caller.require("manage_seals")
    seal = checked(ctx, new)
    return _propose(ctx, caller, seal.name, "add", to_body(seal), reason)


def propose_change(ctx: Context, caller: Caller, name: str, action: SealUse, reason: str) -> SealChange:
    """Propose to suspend a seal or to resume its use.

    Raises:
        NotFoundError: no such seal.
        ConflictError: it is in that state already, or another change waits.
    """
    caller.require("manage_seals")
    with ctx.database.read() as session:
        _check_action(session, name, action)
    return _propose(ctx, caller, name, action, {}, reason)


def confirm_change(ctx: Context, caller: Caller, change_id: str, *, refuse: bool = False) -> SealChange:
    """Confirm or refuse what another person proposed.

    Raises:
        AccessError: the same person as proposed it.
        ConflictError: it is closed already, or the seal's state changed meanwhile.
    """
    return dual_control.close(ctx, caller, CHANGES, change_id, refuse=refuse)


def _propose(ctx: Context, caller: Caller, name: str, action: SealAction, body: SealBody, reason: str) -> SealChange:
    def add(session: Session, reason: str, at: datetime) -> SealChangeRow:
        return registry.propose(session, name, action, body, reason, caller.subject, at)

    return dual_control.propose(ctx, caller, CHANGES, reason, add)


def _apply(ctx: Context, session: Session, change: SealChangeRow, by: dual_control.Persons) -> None:
    at = ctx.clock()
    if change.action == "add":
        row = to_row(from_body(change.body), at)
    else:
        row = _check_action(session, change.seal, change.action, lock=True)
        check_row(session, row, roles=(*WEB, *SEALER))
        row.suspended = change.action == "suspend"
    sign_row(session, row, change=change.id, at=iso(at), proposed=by[0], confirmed=by[1])
    registry.put_seal(session, row)


def _check_action(session: Session, name: str, action: SealUse, *, lock: bool = False) -> SealRow:
    row = registry.find_seal(session, name, lock=lock)
    if row is None:
        raise NotFoundError(f"no seal {name!r}", message_zh="没有这枚印章")
    if row.suspended == (action == "suspend"):
        state = "suspended" if row.suspended else "in use"
        raise ConflictError(f"seal {name} is {state} already", message_zh="印章已处于该状态")
    return row


def seal_record(ctx: Context, caller: Caller, name: str) -> bytes:
    """The seal object of a registered seal, DER.

    Raises:
        NotFoundError: no such seal, or it has none.
    """
    caller.require("view_seals")
    with ctx.database.read() as session:
        row = registry.find_seal(session, name)
    if row is None or not row.record:
        raise NotFoundError(f"no seal object of {name!r}", message_zh="没有这枚印章的电子印章数据")
    return row.record


def _seal_view(row: SealRow, at: datetime) -> SealView:
    state: SealState = "suspended" if row.suspended else "active"
    if state == "active" and not row.valid_from <= at <= row.valid_to:
        state = "out_of_period"
    return {
        "name": row.name,
        "owner": row.owner,
        "owner_code": row.owner_code,
        "kind": row.kind,
        "filing_number": row.filing_number,
        "state": state,
        "licence_kinds": row.licence_kinds,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat(),
        "algorithm": registered_seal.algorithm(base64.b64decode(row.certificates[0])),
        "certificate_sha256": row.certificate_sha256,
        "art_sha256": row.art_sha256,
        "diameter_mm": row.diameter,
        "has_record": bool(row.record),
        "registered_at": row.registered_at.isoformat(),
    }


def _change_view(row: SealChangeRow) -> SealChange:
    return {**change_view(row), "seal": row.seal, "action": row.action}


def _noted_on_proposal(row: SealChangeRow) -> dual_control.Noted:
    noted = {"change": row.id, "change_action": row.action, "reason": row.reason}
    return {**noted, **proof_of(from_body(row.body))} if row.body else noted


def _noted_on_closing(row: SealChangeRow) -> dual_control.Noted:
    return {"change": row.id, "change_action": row.action, "proposed_by": row.proposed_by}


CHANGES: Changes[SealChangeRow, SealChange] = Changes(
    topic="seal",
    may_propose="manage_seals",
    may_close="manage_seals",
    closing="confirms the change of a seal",
    same_person_zh="印章变更的提出人与确认人不能是同一人",
    closed_zh="这项印章变更已经处理",
    find=partial(registry.find_change, lock=True),
    newest=registry.open_changes,
    view=_change_view,
    subject=lambda row: row.seal,
    noted_on_proposal=_noted_on_proposal,
    noted_on_closing=_noted_on_closing,
    effect=_apply,
)
