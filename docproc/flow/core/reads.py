"""Every reading of content is noted: who was given what, for what purpose, from where.

What gives content says so (:func:`note`) to the request in whose name it works (:func:`asked`). When the answer is
ready, and before its first byte goes out, the notes are stored (:func:`store`): a reading that cannot be logged is not
given. One request is one insert, however much it gave; requests that come together share one transaction, so that
readers wait for one commit at most and for no lock of the audit log.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal

from sqlalchemy.orm import Session

from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.store.audit import access_log, audit
from docproc.store.review import claims
from docproc.store.tables.audit import AccessRow

Kind = Literal[
    "case",
    "page_file",
    "page_picture",
    "form",
    "notice",
    "progress",
    "custody",
    "paper_check",
    "licence",
    "licence_file",
    "link",
    "linked_file",
    "wallet",
    "look_up",
    "archive",
    "access_log",
]
"""What was given."""
Purpose = Literal[
    "submission", "own", "share", "public", "review", "counter", "sealing", "supervision", "stated", "unstated"
]
"""``submission``: a citizen at the kiosk; ``own``: the holder, or who has the receipt; ``share``: who was let see it;
``public``: whoever has the paper or its link; ``review``: the official who works on it; ``counter``, ``sealing``,
``supervision``: by office; ``stated``: in the reader's own words; ``unstated``: none of these."""
PURPOSES: tuple[Purpose, ...] = (
    "submission",
    "own",
    "share",
    "public",
    "review",
    "counter",
    "sealing",
    "supervision",
    "stated",
    "unstated",
)
SHOWN = "personal.shown"
"""Line of the audit log by which somebody asked to see personal data, and said what for."""
SHOWN_LASTS = timedelta(minutes=15)
"""For so long personal data stays visible to somebody who asked to see it."""
MOST_STATED = 200
_WRITER = "reads.writer"


@dataclass(frozen=True, slots=True)
class Look:
    """One reading."""

    kind: Kind
    subject: str
    item: str
    who: Caller | None
    """``None``: somebody without a name."""
    by: str
    """By what they came who have no name: ``receipt``, ``share``, ``link``, ``code``."""
    purpose: Purpose | None
    """``None``: by claim or role."""
    stated: str


@dataclass(slots=True)
class Asked:
    """A request, and what was given for it so far."""

    address: str = ""
    stated: str = ""
    """What for, in the words of who asks; empty where they said nothing."""
    looks: list[Look] = field(default_factory=list)


_asked: ContextVar[Asked | None] = ContextVar("docproc_asked", default=None)


@contextmanager
def asked(address: str = "", stated: str = "") -> Iterator[Asked]:
    """A request begins; what is given inside is noted for it."""
    request = Asked(address, stated.strip()[:MOST_STATED])
    before = _asked.set(request)
    try:
        yield request
    finally:
        _asked.reset(before)


@contextmanager
def logged(ctx: Context, who: Caller | None = None) -> Iterator[None]:
    """What a command on this machine gives is logged when the block ends well."""
    with asked("console") as request:
        yield
        if request.looks:
            store(ctx, request)


def note(
    who: Caller | None,
    kind: Kind,
    subject: str,
    item: str = "",
    *,
    by: str = "",
    purpose: Purpose | None = None,
    stated: str = "",
) -> None:
    """Note that content is given; the same twice in one request counts once."""
    request = _asked.get()
    if request is None:
        return  # a job, or a test of a stage: nothing leaves the service
    look = Look(kind, subject, item, who, by, purpose, stated)
    if look not in request.looks:
        request.looks.append(look)


def store(ctx: Context, request: Asked) -> None:
    """Store the notes of a request; they are on disk when this returns.

    Raises:
        UnavailableError: the database does not take them; the answer must not be given.
        SetupError: this process has no key to sign them with.
    """
    looks, request.looks = request.looks, []
    at = ctx.clock()
    open_ = [look for look in looks if look.purpose is None and look.who is not None]
    told = _purposes(ctx, open_, request.stated, at)
    rows = [_row(look, request, told.get(look, (look.purpose or "unstated", look.stated)), at) for look in looks]
    _writer(ctx).write(ctx, rows)


def needs_words(who: Caller) -> bool:
    """Whether an official's office does not say by itself why they look at a case that they do not work on."""
    return not who.roles & {"clerk", "sealer", "auditor"} and bool(who.roles & {"reviewer", "approver"})


def _row(look: Look, request: Asked, purpose: tuple[str, str], at: datetime) -> AccessRow:
    who = look.who
    return AccessRow(
        id=f"{access_log.stem(at)}{secrets.token_hex(8)}",
        at=at,
        actor=who.subject if who is not None else look.by,
        credential=who.key_id[:16] if who is not None else "",
        roles=",".join(sorted(who.roles)) if who is not None else "",
        org=who.org if who is not None else "",
        kind=look.kind,
        subject=look.subject[:80],
        item=look.item[:80],
        purpose=purpose[0],
        stated=purpose[1],
        address=request.address[:64],
        batch=None,
    )


def _purposes(ctx: Context, looks: Sequence[Look], stated: str, at: datetime) -> dict[Look, tuple[str, str]]:
    """What each is for, and in which words: from a claim, from a role, or as somebody said."""
    found: dict[Look, tuple[str, str]] = {}
    asks = []
    for look in looks:
        assert look.who is not None
        roles = look.who.roles
        if look.who.sees_own_only:
            found[look] = ("submission" if "kiosk" in roles else "own", "")
        elif roles & {"reviewer", "approver"}:
            asks.append(look)
        else:
            found[look] = ("stated", stated) if stated else (_by_role(look.who), "")
    if asks:
        with ctx.database.read() as session:
            for look in asks:
                found[look] = _of_official(session, look, stated, at)
    return found


def _of_official(session: Session, look: Look, stated: str, at: datetime) -> tuple[str, str]:
    who = look.who
    assert who is not None
    if claims.holds(session, look.subject, who.subject, at):
        return "review", ""
    if stated:
        return "stated", stated
    if needs_words(who):
        words = audit.newest_of(session, who.subject, SHOWN, look.subject, since=at - SHOWN_LASTS)
        said = str(words.detail.get("purpose", "")) if words is not None else ""
        return ("stated", said) if said else ("unstated", "")
    return _by_role(who), ""


def _by_role(who: Caller) -> Purpose:
    by_role: tuple[tuple[str, Purpose], ...] = (
        ("clerk", "counter"),
        ("sealer", "sealing"),
        ("auditor", "supervision"),
        ("enterprise", "own"),
        ("kiosk", "submission"),
    )
    return next((purpose for role, purpose in by_role if role in who.roles), "unstated")


@dataclass(slots=True)
class _Waiting:
    rows: list[AccessRow]
    done: bool = False
    error: Exception | None = None


@dataclass(slots=True)
class _Writer:
    """Stores what several requests give in one transaction: whoever comes first takes along all that wait."""

    queue: list[_Waiting] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    turn: Lock = field(default_factory=Lock)

    def write(self, ctx: Context, rows: list[AccessRow]) -> None:
        """Store rows; raises what the database raises."""
        mine = _Waiting(rows)
        with self.lock:
            self.queue.append(mine)
        with self.turn:
            if not mine.done:
                with self.lock:
                    taken, self.queue = self.queue, []
                self._commit(ctx, taken)
        if mine.error is not None:
            raise mine.error

    def _commit(self, ctx: Context, taken: list[_Waiting]) -> None:
        error: Exception | None = None
        try:
            with ctx.database.write() as session:
                access_log.add(session, [row for item in taken for row in item.rows])
        except Exception as problem:
            error = problem
        for item in taken:
            item.done, item.error = True, error


def _writer(ctx: Context) -> _Writer:
    found = ctx.database.memory.setdefault(_WRITER, _Writer())
    assert isinstance(found, _Writer)
    return found
