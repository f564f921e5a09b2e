"""Whose seals are recognised beside our own (互认): other departments' roots, each within limits, each by two persons.

What the trust folder holds is set up with the machine and shown here; what two persons recognise is kept in the
database, where every process finds it at the next verification.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date
from typing import Any

from docproc.errors import ConflictError, InputError, NotFoundError, SetupError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.dual_control import check_closable, close
from docproc.licence.pki.recognition import read_root
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.trust_limits import Anchor
from docproc.settings import Settings
from docproc.store.audit import audit
from docproc.store.db import Database, has_database, open_database
from docproc.store.seals import trust_list as trust
from docproc.store.tables.seals import TrustChangeRow

USES = ("seal", "timestamp")


@dataclass(frozen=True, slots=True)
class NewRoot:
    """What somebody wants to have recognised."""

    certificates: bytes
    """PEM or DER: one root, and intermediates where there are any."""
    name: str
    """Whose it is."""
    authorities: tuple[str, ...]
    """Credit codes, or their beginnings, of the authorities whose seals it may vouch for."""
    use: tuple[str, ...] = ("seal",)
    valid_from: date | None = None
    valid_to: date | None = None
    """Days in China, both included."""


def trust_list(ctx: Context) -> TrustList:
    """Whom we trust now: the trust folder, and the roots that were recognised.

    Raises:
        SetupError: the trust folder is missing or wrong.
    """
    return _with_recognised(TrustList.from_folder(ctx.settings.trust_dir), ctx.database)


def trust_of(settings: Settings) -> TrustList:
    """The same for a command, which may run where there is no database: the trust folder is all there is then.

    Raises:
        SetupError: the trust folder is missing or wrong.
        UnavailableError: there is a database, but it is out of reach.
    """
    own = TrustList.from_folder(settings.trust_dir)
    if not has_database(settings.database):
        return own
    database = open_database(settings.database)
    try:
        return _with_recognised(own, database)
    finally:
        database.close()


def _with_recognised(own: TrustList, database: Database) -> TrustList:
    with database.read() as session:
        found = trust.recognised(session)
    if not found:
        return own
    known = {item.sha256.hex() for item in own.roots}
    bodies = [body for digest, body in found.items() if digest not in known]
    chains = [tuple(base64.b64decode(item) for item in body["certificates"]) for body in bodies]
    return own.recognising(chains, [Anchor.from_json(body["anchor"]) for body in bodies])


def list_roots(ctx: Context, caller: Caller) -> dict[str, Any]:
    """Our own roots, those recognised, and changes, those that wait first."""
    caller.require("view_seals")
    with ctx.database.read() as session:
        roots = [_root_view(body) for body in trust.recognised(session).values()]
        changes = [_view(row) for row in trust.newest_changes(session)]
    try:
        folder = TrustList.from_folder(ctx.settings.trust_dir)
    except SetupError:
        own: list[dict[str, Any]] = []
    else:
        own = [
            {"subject": item.subject.human_friendly, "expires": None, **folder.anchor(item).to_json()}
            for item in folder.roots
        ]
    return {"own": own, "recognised": roots, "changes": changes}


def propose_root(ctx: Context, caller: Caller, new: NewRoot, reason: str) -> dict[str, Any]:
    """Propose to recognise a root, or to change its limits.

    Raises:
        InputError: not a root, or limits are missing or wrong.
        ConflictError: it is one of our own, or a change of it waits.
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
    body = {
        "certificates": [base64.b64encode(item).decode() for item in root.certificates],
        "anchor": anchor.to_json(),
        "subject": root.subject,
        "expires": root.valid_to.isoformat(),
    }
    return _propose(ctx, caller, root.sha256, "add", body, reason)


def propose_removal(ctx: Context, caller: Caller, root_sha256: str, reason: str) -> dict[str, Any]:
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


def confirm_change(ctx: Context, caller: Caller, change_id: str, *, refuse: bool = False) -> dict[str, Any]:
    """Confirm or refuse what another person proposed.

    Raises:
        AccessError: the same person as proposed it.
        ConflictError: it is closed already.
    """
    caller.require("manage_trust")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = trust.find_change(session, change_id, lock=True)
        check_closable(caller, row, "confirms whom we trust", "提出人与确认人不能是同一人", "这项变更已经处理")
        close(caller, row, at, refuse=refuse)
        audit.append(
            session, at, caller.subject, f"trust.{row.state}", row.root_sha256,
            change=row.id, change_action=row.action, proposed_by=row.proposed_by,
        )  # fmt: skip
        return _view(row)


def _propose(
    ctx: Context, caller: Caller, digest: str, action: str, body: dict[str, Any], reason: str
) -> dict[str, Any]:
    if not reason.strip():
        raise InputError("a reason is needed", message_zh="请填写理由")
    with ctx.database.write() as session:
        at = ctx.clock()
        row = trust.propose(session, digest, action, body, reason.strip()[:2000], caller.subject, at)
        audit.append(
            session, at, caller.subject, "trust.proposed", digest,
            change=row.id, change_action=action, reason=row.reason, **{"for": body["anchor"]["name"]},
        )  # fmt: skip
        return _view(row)


def _root_view(body: dict[str, Any]) -> dict[str, Any]:
    return {"subject": body["subject"], "expires": body["expires"], **body["anchor"]}


def _view(row: TrustChangeRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "action": row.action,
        "root": _root_view(row.body),
        "reason": row.reason,
        "state": row.state,
        "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at.isoformat(),
        "closed_by": row.closed_by,
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
    }
