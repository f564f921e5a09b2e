"""Lines of the audit log that were noted outside the database: each must still be there."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from docproc.errors import InputError
from docproc.flow.core.context import Context
from docproc.licence.pki.trust import TrustList
from docproc.licence.seal.status_list import read_kept_list
from docproc.process_keys import ROLES
from docproc.store.audit import chain, memory
from docproc.store.audit.chain import Head
from docproc.store.licences import licences


@dataclass(frozen=True, slots=True)
class Noted:
    """A line that somebody knows."""

    where: str
    """Who knows it, in words."""
    head: Head


def remembered(ctx: Context) -> list[Noted]:
    """What the processes of this machine remember beside their keys; of other roles as far as this user may read it.

    Raises:
        SetupError: a memory is damaged.
    """
    folder = ctx.keys.folder
    if folder is None:
        return []
    found = {role: memory.load(folder, role) for role in ROLES}
    heads = [(role, head) for role, item in found.items() for head in (item.head, item.keyed) if head is not None]
    return [Noted(f"what the {role} on this machine remembers", head) for role, head in heads]


def from_list(text: str, where: str, trust: TrustList) -> Noted | None:
    """The line that a status list tells, of whatever age the list is; ``None`` where it tells none.

    Raises:
        InputError: the list is not signed by a seal that is trusted, or damaged.
    """
    said = read_kept_list(text, trust, _made_at(text)).audit
    return Noted(where, Head(said.line, said.sha256)) if said is not None else None


def from_newest_list(session: Session, trust: TrustList) -> Noted | None:
    """The line that the status list tells which is given out now; raises as :func:`from_list`."""
    newest = licences.newest_status_list(session)
    return from_list(newest.body, f"status list {newest.sequence}", trust) if newest is not None else None


def lost(session: Session, noted: Noted) -> str | None:
    """Why a line that was noted is not part of the log any more."""
    problem = chain.missing(session, noted.head)
    return f"{problem} (known from {noted.where})" if problem is not None else None


def _made_at(text: str) -> datetime:
    """When a list says that it was made; its signer is judged at that moment."""
    try:
        body = text.strip().split(".")[1]
        raw = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return datetime.fromisoformat(raw["issued_at"])
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(f"the status list is damaged: {error or type(error).__name__}") from error
