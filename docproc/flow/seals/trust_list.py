"""Whose seals are recognised beside our own (互认): other departments' roots, each within limits, each by two persons.

What the trust folder holds is set up with the machine and shown here; what two persons recognise is kept in the
database, where every process finds it at the next verification.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypedDict, get_args

from sqlalchemy.orm import Session

from docproc.errors import ConflictError, InputError, NotFoundError, SetupError
from docproc.flow.core import dual_control
from docproc.flow.core.access import Caller
from docproc.flow.core.authority import own_code
from docproc.flow.core.context import Context
from docproc.flow.core.dual_control import Changes, ChangeView, change_view
from docproc.flow.seals.trusted import with_recognised
from docproc.licence.pki.overlap import covers_own, shared
from docproc.licence.pki.recognition import read_root
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.trust_limits import Anchor, AnchorJson, Use
from docproc.store.seals import trust_list as trust
from docproc.store.tables.seals import RootBody, TrustAction, TrustChangeRow

USES: tuple[Use, ...] = get_args(Use)


@dataclass(frozen=True, slots=True)
class NewRoot:
    """What somebody wants to have recognised."""

    certificates: bytes
    """PEM or DER: one root, and intermediates where there are any."""
    name: str
    """Whose it is."""
    authorities: tuple[str, ...]
    """Credit codes, or their beginnings, of the authorities whose seals it may vouch for."""
    use: tuple[Use, ...] = ("seal",)
    valid_from: date | None = None
    valid_to: date | None = None
    """Days in China, both included."""


class RootView(AnchorJson):
    """A root and its limits."""

    subject: str
    expires: str | None
    """Of the certificate; ``None`` where the trust folder holds it."""


class TrustChange(ChangeView):
    """A change of the list."""

    action: TrustAction
    root: RootView


class TrustView(TypedDict):
    """Whom we trust."""

    own: list[RootView]
    recognised: list[RootView]
    changes: list[TrustChange]
    """Those that wait first."""


def trust_list(ctx: Context) -> TrustList:
    """Whom we trust now: the trust folder, and the roots that were recognised.

    Raises:
        SetupError: the trust folder is missing or wrong.
    """
    with ctx.database.read() as session:
        found = with_recognised(TrustList.from_folder(ctx.settings.trust_dir), trust.recognised(session))
    return found.narrowed(own_code(ctx.settings))


def list_roots(ctx: Context, caller: Caller) -> TrustView:
    """Our own roots, those recognised, and changes, those that wait first."""
    caller.require("view_seals")
    with ctx.database.read() as session:
        roots = [_root_view(body) for body in trust.recognised(session).values()]
        changes = dual_control.listed(session, CHANGES)
    try:
        folder = TrustList.from_folder(ctx.settings.trust_dir)
    except SetupError:
        own: list[RootView] = []
    else:
        own = [
            {**folder.anchor(item).to_json(), "subject": item.subject.human_friendly, "expires": None}
            for item in folder.roots
        ]
    return {"own": own, "recognised": roots, "changes": changes}


def propose_root(ctx: Context, caller: Caller, new: NewRoot, reason: str) -> TrustChange:
    """Propose to recognise a root, or to change its limits.

    Raises:
        InputError: not a root, or limits are missing or wrong.
        ConflictError: it is one of our own, a change of it waits, or it would vouch for an authority for which
            another root does, or for our own.
    """
    caller.require("manage_trust")
    root = read_root(new.certificates, ctx.clock())
    codes = tuple(dict.fromkeys(item.strip() for item in new.authorities if item.strip()))
    if not new.name.strip() or not codes or not all(item.isalnum() and len(item) <= 18 for item in codes):
        message = "请填写单位名称，以及可为哪些单位（统一社会信用代码或其开头）作证"
        raise InputError("name and authorities are needed", message_zh=message)
    if not new.use or set(new.use) - set(USES):
        raise InputError(f"use is some of {USES}", message_zh="请选择用途")
    if new.valid_from and new.valid_to and new.valid_from > new.valid_to:
        raise InputError("ends before it begins", message_zh="截止日期早于开始日期")
    if any(item.sha256.hex() == root.sha256 for item in TrustList.from_folder(ctx.settings.trust_dir).roots):
        raise ConflictError("one of our own", message_zh="这个根证书已在本机信任目录中")
    anchor = Anchor(root.sha256, new.name.strip()[:200], codes, tuple(new.use), new.valid_from, new.valid_to)
    with ctx.database.read() as session:
        _check_alone(ctx, session, anchor)
    body: RootBody = {
        "certificates": [base64.b64encode(item).decode() for item in root.certificates],
        "anchor": {**anchor.to_json()},
        "subject": root.subject,
        "expires": root.valid_to.isoformat(),
    }
    return _propose(ctx, caller, root.sha256, "add", body, reason)


def propose_removal(ctx: Context, caller: Caller, root_sha256: str, reason: str) -> TrustChange:
    """Propose that a root is no longer trusted.

    Raises:
        NotFoundError: it is not recognised.
    """
    caller.require("manage_trust")
    with ctx.database.read() as session:
        body = trust.recognised(session).get(root_sha256)
    if body is None:
        raise NotFoundError("no such root", message_zh="没有这个根证书")
    return _propose(ctx, caller, root_sha256, "remove", body, reason)


def confirm_change(ctx: Context, caller: Caller, change_id: str, *, refuse: bool = False) -> TrustChange:
    """Confirm or refuse what another person proposed.

    Raises:
        AccessError: the same person as proposed it.
        ConflictError: it is closed already.
    """
    return dual_control.close(ctx, caller, CHANGES, change_id, refuse=refuse)


def _propose(
    ctx: Context, caller: Caller, digest: str, action: TrustAction, body: RootBody, reason: str
) -> TrustChange:
    def add(session: Session, reason: str, at: datetime) -> TrustChangeRow:
        return trust.propose(session, digest, action, body, reason, caller.subject, at)

    return dual_control.propose(ctx, caller, CHANGES, reason, add)


def _root_view(body: RootBody) -> RootView:
    return {**Anchor.from_json(body["anchor"]).to_json(), "subject": body["subject"], "expires": body["expires"]}


def _view(row: TrustChangeRow) -> TrustChange:
    return {**change_view(row), "action": row.action, "root": _root_view(row.body)}


def _noted_on_proposal(row: TrustChangeRow) -> dual_control.Noted:
    name = row.body["anchor"]["name"]
    return {"change": row.id, "change_action": row.action, "reason": row.reason, "for": name}


def _noted_on_closing(row: TrustChangeRow) -> dual_control.Noted:
    return {"change": row.id, "change_action": row.action, "proposed_by": row.proposed_by}


def _apply(ctx: Context, session: Session, row: TrustChangeRow, _by: dual_control.Persons) -> None:
    """Check again what may have changed since it was proposed; what is trusted is read from the confirmed changes."""
    if row.action == "add":
        _check_alone(ctx, session, Anchor.from_json(row.body["anchor"]))


def _check_alone(ctx: Context, session: Session, anchor: Anchor) -> None:
    """Refuse a root that would vouch for our own authority, or for one for which another root does.

    Raises:
        ConflictError: it would.
    """
    if covers_own(anchor, own_code(ctx.settings)):
        raise ConflictError(
            f"{', '.join(anchor.authorities)} covers our own authority: name the others' codes in more detail",
            message_zh="所填信用代码（或其开头）包含本机关，其他单位的根证书不能为本机关作证，请填写得更具体",
            code="covers_own_authority",
        )
    for other in _others(ctx, session):
        if other.sha256 != anchor.sha256 and (code := shared(anchor, other)):
            raise ConflictError(
                f"the root of {other.name} vouches for {code} already: name narrower codes, or end that one first",
                message_zh=f"信用代码“{code}”已由“{other.name}”的根证书作证，请填写得更具体，或者先限定其截止日期",
                code="covers_each_other",
            )


def overlaps(ctx: Context) -> list[str]:
    """What overlaps among the roots that are trusted now, in words for the operator."""
    own = own_code(ctx.settings)
    with ctx.database.read() as session:
        anchors = _others(ctx, session)
    found = [f"{item.name} covers our own authority" for item in anchors if covers_own(item, own)]
    for place, item in enumerate(anchors):
        for other in anchors[place + 1 :]:
            if code := shared(item, other):
                found.append(f"{item.name} and {other.name} both cover {code}")
    return found


def _others(ctx: Context, session: Session) -> list[Anchor]:
    """Limits of the roots of other departments, in the trust folder and recognised."""
    try:
        folder = TrustList.from_folder(ctx.settings.trust_dir).anchors
    except SetupError:
        folder = ()
    known = {item.sha256 for item in folder}
    bodies = [body for digest, body in trust.recognised(session).items() if digest not in known]
    return [*(item for item in folder if item.name), *(Anchor.from_json(body["anchor"]) for body in bodies)]


CHANGES: Changes[TrustChangeRow, TrustChange] = Changes(
    topic="trust",
    may_propose="manage_trust",
    may_close="manage_trust",
    closing="confirms whom we trust",
    same_person_zh="提出人与确认人不能是同一人",
    closed_zh="这项变更已经处理",
    find=partial(trust.find_change, lock=True),
    newest=trust.newest_changes,
    view=_view,
    subject=lambda row: row.root_sha256,
    noted_on_proposal=_noted_on_proposal,
    noted_on_closing=_noted_on_closing,
    effect=_apply,
)
