"""Deletion by the matter's rules: drafts, refused and finished applications, originals, cut uploads; never licences.

Each application is erased in one transaction with its line in the audit log, which
names files and counts and no content; the bytes go afterwards, in a transaction for
each, so that a crash loses nothing and leaves nothing behind. What the store still
holds under retention waits in the list until it may go.
(个人信息保护法 第47条: 保存期限已届满的, 应当主动删除.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from docproc.flow.core.access import SYSTEM, Caller
from docproc.flow.core.context import Context
from docproc.lifecycle import transition
from docproc.matter.load import load_catalogue
from docproc.matter.model import Matter, Retention
from docproc.store.applications import applications, uploads
from docproc.store.audit import audit
from docproc.store.review import claims
from docproc.store.tables.applications import ApplicationRow
from docproc.store.upkeep import retention

Kind = Literal["draft", "refused", "finished", "original"]
KINDS: tuple[Kind, ...] = ("draft", "refused", "finished", "original")
MOST = 500
"""Applications of one kind of one matter in one sweep."""


@dataclass(slots=True)
class Swept:
    """What a sweep did, or with a dry run would do."""

    due: dict[str, dict[Kind, list[str]]] = field(default_factory=dict)
    """For each matter and kind the applications."""
    files: int = 0
    """Files whose bytes were deleted."""
    waiting: int = 0
    """Files that are still to be deleted: under retention, or the store was out of reach."""

    @property
    def applications(self) -> int:
        """How many were due."""
        return sum(len(numbers) for kinds in self.due.values() for numbers in kinds.values())


@dataclass(frozen=True, slots=True)
class Rules:
    """For how long a matter's content is kept, and how much of it is due to be erased."""

    matter: Matter
    rules: Retention
    due: dict[str, int]
    """Applications by kind."""


def report(ctx: Context, caller: Caller | None) -> Swept:
    """What is due now; nothing is changed. ``caller`` is ``None`` on the command line."""
    if caller is not None:
        caller.require("manage_retention")
    with ctx.database.read() as session:
        due = {m.id: _due(ctx, session, m) for m in load_catalogue().values()}
        return Swept(due, 0, retention.count_wanted(session))


def sweep(ctx: Context, caller: Caller | None = None) -> Swept:
    """Erase what is due, at most :data:`MOST` of each kind; run it again until nothing is due."""
    found = report(ctx, caller)
    by = caller.subject if caller is not None else SYSTEM
    for matter, kinds in found.due.items():
        for kind, numbers in kinds.items():
            for number in numbers:
                _erase(ctx, load_catalogue()[matter], kind, number, by)
    found.files = _delete_bytes(ctx)
    with ctx.database.write() as session:
        uploads.drop_expired(session, ctx.clock())
    with ctx.database.read() as session:
        found.waiting = retention.count_wanted(session)
    return found


def _due(ctx: Context, session: Session, matter: Matter) -> dict[Kind, list[str]]:
    rules, now = matter.retention, ctx.clock()

    def content(days: int, *statuses: str, handed_in: bool | None) -> list[str]:
        before = now - timedelta(days=days)
        return retention.due_content(session, matter.id, statuses, before, handed_in=handed_in, limit=MOST)

    return {
        "draft": content(rules.draft_days, "draft", "withdrawn", handed_in=False),
        "refused": content(rules.refused_days, "rejected", "returned", "withdrawn", handed_in=True),
        "finished": content(rules.finished_days, "issued", handed_in=True),
        "original": retention.due_originals(session, matter.id, now - timedelta(days=rules.original_days), MOST),
    }


def _erase(ctx: Context, matter: Matter, kind: Kind, number: str, by: str) -> None:
    with ctx.database.write() as session:
        at = ctx.clock()
        row = applications.find_application(session, number, lock=True)
        if not _is_due(ctx, matter, kind, row):
            return  # somebody went on with it meanwhile, or another sweep was faster
        keys: set[str] = set()
        pages: list[str] = []
        if kind != "original":
            keys |= retention.take_content(session, number)
            row.erased_at = at
        if kind != "finished":
            pages, originals = retention.take_originals(session, number, at)
            keys |= originals
        if row.status in ("draft", "returned"):
            row.status, row.version = transition(row.status, "withdraw"), row.version + 1
        claims.drop(session, number)
        retention.want_gone(session, keys, at)
        line = retention.ORIGINALS if kind == "original" else retention.CONTENT
        audit.append(
            session, at, by, line, number, kind=kind, pages=pages, files=len(keys), basis=matter.retention.basis
        )


def _is_due(ctx: Context, matter: Matter, kind: Kind, row: ApplicationRow) -> bool:
    days: dict[Kind, int] = {
        "draft": matter.retention.draft_days,
        "refused": matter.retention.refused_days,
        "finished": matter.retention.finished_days,
        "original": matter.retention.original_days,
    }
    statuses: dict[Kind, tuple[str, ...]] = {
        "draft": ("draft", "withdrawn"),
        "refused": ("rejected", "returned", "withdrawn"),
        "finished": ("issued",),
        "original": ("issued",),
    }
    old = row.updated_at < ctx.clock() - timedelta(days=days[kind])
    return old and row.status in statuses[kind] and (kind == "original" or row.erased_at is None)


def _delete_bytes(ctx: Context) -> int:
    """Delete the bytes that nothing names any more; one transaction each, so that an upload cannot slip between."""
    with ctx.database.read() as session:
        keys = retention.wanted_gone(session)
    gone = 0
    for key in keys:
        with ctx.database.write() as session:
            if not retention.lock_wanted(session, key):
                continue  # it was submitted again
            if retention.is_named(session, key):
                retention.settle(session, [key])
            elif ctx.blobs.delete(key):
                retention.settle(session, [key])
                gone += 1
    return gone


def rules(ctx: Context, caller: Caller) -> list[Rules]:
    """For each matter its rules and how much is due."""
    due = report(ctx, caller).due
    return [Rules(m, m.retention, {kind: len(due[m.id][kind]) for kind in KINDS}) for m in load_catalogue().values()]
