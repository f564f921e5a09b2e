"""The seal registry: who may seal what and when. Every change is proposed by one person and confirmed by another."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, TypedDict

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docproc.assets.paths import SERIF, font
from docproc.domain import Licence
from docproc.errors import ConflictError, InputError, NotFoundError, SealError, SealUnavailableError
from docproc.flow.core import dual_control
from docproc.flow.core.access import SYSTEM, Caller
from docproc.flow.core.context import Context
from docproc.flow.core.dual_control import Changes, ChangeView, change_view
from docproc.licence.page.art import draw
from docproc.licence.page.record import NOTICE
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal import registered_seal
from docproc.licence.seal.registered_seal import KINDS, RegisteredSeal
from docproc.licence.seal.seal_object import check_seal_object
from docproc.matter.load import load_catalogue
from docproc.matter.model import LicenceSpec
from docproc.store.audit import audit
from docproc.store.seals import registry
from docproc.store.tables.seals import SealAction, SealBody, SealChangeRow, SealKind, SealRow

log = logging.getLogger(__name__)

SealUse = Literal["suspend", "resume"]
SealState = Literal["active", "suspended", "out_of_period"]
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_CODE = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}")


@dataclass(frozen=True, slots=True)
class NewSeal:
    """What somebody wants to register."""

    name: str
    owner: str
    owner_code: str
    kind: str
    filing_number: str
    certificates: str
    """PEM, the seal's own first, each followed by its issuer."""
    licence_kinds: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime
    diameter: float = 42.0
    """mm."""
    purpose: str = ""
    """Line below the star of a 专用章."""
    emblem: bool = False
    """A place for the national emblem instead of the star, on the seal of a people's government."""
    record: str = ""
    """Seal object by GB/T 38540, base64 of its DER; an SM2 seal needs one."""


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


class SealProof(TypedDict):
    """What the audit log keeps of a seal, so that a changed entry shows."""

    owner: str
    owner_code: str
    certificate: str
    """SHA-256, as the next two."""
    art: str
    record: str
    licence_kinds: list[str]
    valid_to: str


# ------------------------------------------------------------------ use


def usable_seals(
    ctx: Context, spec: LicenceSpec, licence: Licence, at: datetime, own: Callable[[], Sequence[RegisteredSeal]]
) -> list[RegisteredSeal]:
    """All seals that a licence needs, the issuing authority's first, each checked for this use.

    What the licence names counts: the matter's file may have come to name others since it was numbered.

    Raises:
        SealUnavailableError: a joint seal is not registered yet, suspended or out of its period; the licence waits.
        SealError: a seal that waiting does not mend, or the matter no longer names a seal of an authority.
    """
    found = [usable_seal(ctx, spec.seal, licence, at, own)]
    named = {(item.authority, item.authority_code): item.seal for item in spec.co_seals}
    for place, party in enumerate(licence.joint, 1):
        if party not in named:
            raise SealError(f"the matter names no seal of {party[0]}", message_zh=f"事项没有指定{party[0]}的印章")
        try:
            found.append(usable_seal(ctx, named[party], licence, at, own, place))
        except SealError as error:
            problem = f"{party[0]}：{error.message_zh}"
            if error.code in ("seal_unknown", "seal_suspended", "seal_period"):
                raise SealUnavailableError(str(error), message_zh=problem, code=error.code) from error
            raise SealError(str(error), message_zh=problem, code=error.code) from error
    return found


def usable_seal(
    ctx: Context,
    name: str,
    licence: Licence,
    at: datetime,
    own: Callable[[], Sequence[RegisteredSeal]],
    place: int = 0,
) -> RegisteredSeal:
    """The registered seal of a name, checked for this use at its place among the seals of a licence.

    Raises:
        SealError: not registered, or outside its state, period, scope or owner.
    """
    register_own(ctx, own)
    with ctx.database.read() as session:
        row = registry.find_seal(session, name)
        if row is None:
            raise SealError(f"seal {name} is not registered", message_zh="印章没有备案，不能签章", code="seal_unknown")
        seal = from_row(row)
    registered_seal.check_use(seal, licence, at, place)
    return seal


def register_own(ctx: Context, own: Callable[[], Sequence[RegisteredSeal]]) -> None:
    """Register the development seals that the sealer has, on a registry in which nothing ever was.

    This is the one entry without two persons; a real seal in the settings is never registered by itself.
    """
    with ctx.database.read() as session:
        if not registry.is_empty(session):
            return
    found = own()
    try:
        with ctx.database.write() as session:
            at = ctx.clock()
            for seal in found:
                audit.append(session, at, SYSTEM, "seal.registered", seal.name, development=True, **_proof(seal))
                session.add(to_row(seal, at))
    except IntegrityError:
        log.info("another sealer registered the development seal first")


# ------------------------------------------------------------------ changes


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
    seal = _checked(ctx, new)
    return _propose(ctx, caller, seal.name, "add", _to_json(seal), reason)


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


def _apply(ctx: Context, session: Session, change: SealChangeRow) -> None:
    if change.action == "add":
        registry.put_seal(session, to_row(_from_json(change.body), ctx.clock()))
        return
    _check_action(session, change.seal, change.action, lock=True).suspended = change.action == "suspend"


def _check_action(session: Session, name: str, action: SealUse, *, lock: bool = False) -> SealRow:
    row = registry.find_seal(session, name, lock=lock)
    if row is None:
        raise NotFoundError(f"no seal {name!r}", message_zh="没有这枚印章")
    if row.suspended == (action == "suspend"):
        state = "suspended" if row.suspended else "in use"
        raise ConflictError(f"seal {name} is {state} already", message_zh="印章已处于该状态")
    return row


def _checked(ctx: Context, new: NewSeal) -> RegisteredSeal:
    known = {matter.licence.kind for matter in load_catalogue().values()} | {NOTICE}
    if not _NAME.fullmatch(new.name):
        raise InputError("a seal's name is 1 to 60 of a-z, 0-9, _", message_zh="印章代号格式不正确")
    if new.kind not in KINDS:
        raise InputError(f"kind is one of {', '.join(KINDS)}", message_zh="印章种类不正确")
    if not _CODE.fullmatch(new.owner_code):
        raise InputError(f"{new.owner_code!r} is no credit code", message_zh="统一社会信用代码不正确")
    if not new.filing_number.strip():
        raise InputError("a filing number is needed", message_zh="请填写印章备案号")
    unknown = sorted(set(new.licence_kinds) - known)
    if unknown or not new.licence_kinds:
        raise InputError(f"licence types {unknown} are none of {', '.join(sorted(known))}", message_zh="证照种类不正确")
    chain = registered_seal.read_chain(new.certificates.encode())
    registered_seal.check_certificate(chain, new.owner, new.valid_from, new.valid_to)
    try:
        art = draw(new.owner, font(SERIF), diameter=new.diameter, purpose=new.purpose, emblem=new.emblem)
    except SealError as error:
        raise InputError(str(error), message_zh="单位名称、专用章文字或直径不符合印章规定") from error
    seal = RegisteredSeal(
        name=new.name,
        owner=new.owner,
        owner_code=new.owner_code,
        kind=new.kind,
        filing_number=new.filing_number.strip(),
        certificates=registered_seal.to_der(chain),
        diameter=new.diameter,
        art=art.compressed(),
        licence_kinds=tuple(sorted(set(new.licence_kinds))),
        valid_from=new.valid_from,
        valid_to=new.valid_to,
        record=_record(new.record),
    )
    check_record(seal, TrustList.from_folder(ctx.settings.trust_dir) if seal.record else None, ctx.clock())
    return seal


def check_record(seal: RegisteredSeal, trust: TrustList | None, at: datetime) -> None:
    """Compare a seal with its seal object; one that signs by SM2 must have one.

    Raises:
        InputError: there is none, or it is not about this seal or by no known maker.
    """
    if seal.record and trust is not None:
        check_seal_object(seal, trust, at)
    elif seal.algorithm == "SM2":
        raise InputError(
            f"seal {seal.name} signs by SM2 and has no seal object by GB/T 38540: give it with --record",
            message_zh="国密印章须附电子印章数据（GB/T 38540）",
        )


def _record(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InputError("the seal object is not base64", message_zh="电子印章数据无法识别") from error


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


# ------------------------------------------------------------------ shapes


def to_row(seal: RegisteredSeal, at: datetime) -> SealRow:
    """A seal as a row of the registry."""
    return SealRow(
        name=seal.name,
        owner=seal.owner,
        owner_code=seal.owner_code,
        kind=seal.kind,
        filing_number=seal.filing_number,
        certificates=[_text(item) for item in seal.certificates],
        certificate_sha256=seal.certificate_sha256,
        diameter=seal.diameter,
        art=seal.art,
        art_sha256=seal.art_sha256,
        licence_kinds=list(seal.licence_kinds),
        valid_from=seal.valid_from,
        valid_to=seal.valid_to,
        suspended=seal.suspended,
        record=seal.record,
        registered_at=at,
    )


def from_row(row: SealRow) -> RegisteredSeal:
    """Inverse of :func:`to_row`.

    Raises:
        SealError: art or certificate are not those whose hashes were registered.
    """
    seal = RegisteredSeal(
        name=row.name,
        owner=row.owner,
        owner_code=row.owner_code,
        kind=row.kind,
        filing_number=row.filing_number,
        certificates=tuple(base64.b64decode(item) for item in row.certificates),
        diameter=row.diameter,
        art=row.art,
        licence_kinds=tuple(row.licence_kinds),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        suspended=row.suspended,
        record=row.record,
    )
    try:
        same = (seal.certificate_sha256, seal.art_sha256) == (row.certificate_sha256, row.art_sha256)
    except zlib.error:
        same = False
    if not same:
        raise SealError(f"the entry of seal {row.name} is damaged", message_zh="印章备案信息已损坏，不能签章")
    return seal


def _to_json(seal: RegisteredSeal) -> SealBody:
    return {
        "name": seal.name,
        "owner": seal.owner,
        "owner_code": seal.owner_code,
        "kind": seal.kind,
        "filing_number": seal.filing_number,
        "certificates": [_text(item) for item in seal.certificates],
        "diameter": seal.diameter,
        "art": _text(seal.art),
        "licence_kinds": list(seal.licence_kinds),
        "valid_from": seal.valid_from.isoformat(),
        "valid_to": seal.valid_to.isoformat(),
        "record": _text(seal.record),
    }


def _from_json(body: SealBody) -> RegisteredSeal:
    return RegisteredSeal(
        name=body["name"],
        owner=body["owner"],
        owner_code=body["owner_code"],
        kind=body["kind"],
        filing_number=body["filing_number"],
        certificates=tuple(base64.b64decode(item) for item in body["certificates"]),
        diameter=body["diameter"],
        art=base64.b64decode(body["art"]),
        licence_kinds=tuple(body["licence_kinds"]),
        valid_from=datetime.fromisoformat(body["valid_from"]),
        valid_to=datetime.fromisoformat(body["valid_to"]),
        record=base64.b64decode(body["record"]),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _proof(seal: RegisteredSeal) -> SealProof:
    return {
        "owner": seal.owner,
        "owner_code": seal.owner_code,
        "certificate": seal.certificate_sha256,
        "art": seal.art_sha256,
        "record": hashlib.sha256(seal.record).hexdigest() if seal.record else "",
        "licence_kinds": list(seal.licence_kinds),
        "valid_to": seal.valid_to.isoformat(),
    }


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
    return {**noted, **_proof(_from_json(row.body))} if row.body else noted


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
