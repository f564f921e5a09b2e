"""The audit log as a chain of signed lines: what a line's hash and signature cover, and whether a chain is whole.

A line's hash covers its content and the hash of the line before it; its signature, by the key of the process that wrote
it, covers that hash. Whoever can write the database but has no process's key can neither add a line nor change one.
Lines that the version before wrote are not signed: one signed line, ``audit.keyed``, names the last of them and its
hash, and every line from there on is signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.canonical import canonical_sha256
from docproc.domain import SYSTEM
from docproc.process_keys import ROLES, KeyRole, KnownKeys, ProcessKey, SignatureError, check, role_of, sign
from docproc.store.tables.audit import AuditRow

FIRST = "0" * 64
"""In place of a hash before the first line."""
KEYED = "audit.keyed"
"""Action of the line that begins the signed part after unsigned lines."""
KIND = "audit.line"
"""What a signature over a line says that it is."""
READERS_DO = frozenset({"application.erased", "originals.erased", "process_key.rotated"})
"""Actions that a reader writes lines about by itself."""
SEALERS_DO = READERS_DO | {
    "access.closed",
    "access.erased",
    "audit.restored",
    "audit.stamped",
    "licence.corrected",
    "licence.issued",
    "licence.numbered",
    "licence.reissueed",
    "licence.renewed",
    "notice.sealed",
    "seal.failed",
    "seal.registered",
}
"""The same of a sealer. All other lines are about what people did, and only a web process signs those."""
MOST_PROBLEMS = 50
"""After so many a chain is not looked at further: it was written anew as a whole."""


@dataclass(frozen=True, slots=True)
class Head:
    """A line up to which a chain is known."""

    line: int = 0
    sha256: str = FIRST
    signed: bool = False
    """Whether every line after it must be signed."""


START = Head()


@dataclass(slots=True)
class Walk:
    """How far a chain was checked and what was found."""

    head: Head
    """The last line that was looked at."""
    problems: list[str] = field(default_factory=list)
    """What is wrong, in words, each with its line."""
    broken: int | None = None
    """Number of the first line that is wrong."""
    keys: dict[str, int] = field(default_factory=dict)
    """The keys that signed lines, each with the last line it signed."""
    signed: int = 0
    """How many of the lines that are whole are signed."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def found(self, line: int, problem: str) -> None:
        """Note what is wrong with a line; lines that were removed before it are the first that are wrong."""
        self.broken = self.broken or min(line, self.head.line + 1)
        self.problems.append(f"audit line {line}: {problem}")


def line_hash(row: AuditRow) -> str:
    """Hash of a line's content and of the line before it."""
    body = [row.seq, row.at.isoformat(), row.actor, row.action, row.subject, row.detail, row.previous]
    return canonical_sha256(body)


def sign_line(key: ProcessKey, sha256: str) -> str:
    """Sign a line with the key of this process."""
    return sign(key, KIND, {"sha256": sha256})


def may_sign(role: str, actor: str, action: str) -> bool:
    """Whether processes of a role write such lines: a worker's are about what it did itself, never about a person."""
    allowed = {"sealer": SEALERS_DO, "reader": READERS_DO}.get(role)
    return allowed is None or (actor == SYSTEM and action in allowed)


def line_problem(row: AuditRow, known: KnownKeys, *, signed: bool = True) -> str | None:
    """What is wrong with one line for itself: its content against its hash, its signature, whose key it is.

    Args:
        row: the line.
        known: keys that are trusted.
        signed: whether it must be signed; lines of the version before are not.
    """
    if row.sha256 != line_hash(row):
        return "its content was changed: it does not have its hash"
    if not row.signature:
        return "it is not signed, though the log is" if signed else None
    key_id = row.signature.partition(".")[0]
    role = _role(key_id, known)
    if role is None:
        return f"signed by {key_id}, which is not a known key of ours"
    if not may_sign(role, row.actor, row.action):
        return f"says that {row.actor!r} did {row.action!r}, but a {role}'s key signed it ({key_id})"
    try:
        check(known, role, KIND, {"sha256": row.sha256}, row.signature)
    except SignatureError:
        return f"its signature by {key_id} is not over its content: it was rewritten without the key"
    return None


def _role(key_id: str, known: KnownKeys) -> KeyRole | None:
    """The role of a known key."""
    return next((role for role in ROLES if key_id in known.keys and role_of(key_id) == role), None)


def walk(
    session: Session,
    known: KnownKeys,
    start: Head = START,
    *,
    most: int | None = None,
    each: Callable[[AuditRow], None] = lambda row: None,
) -> Walk:
    """Check the lines after one that is known.

    Args:
        session: where to read.
        known: keys that are trusted.
        start: the line after which to begin; it must still be there (:func:`missing`).
        most: how many lines to look at; ``None``: all.
        each: called for each line that is whole and in its place.
    """
    found = Walk(start)
    for row in _lines(session, start.line, most):
        signed = found.head.signed
        problem = (
            _place_problem(row, found.head) or line_problem(row, known, signed=signed) or _keyed_twice(row, signed)
        )
        if problem is None:
            found.signed += bool(row.signature)
            each(row)
        else:
            found.found(row.seq, f"does not fit the chain: {problem}")
        if row.signature:
            found.keys[row.signature.partition(".")[0]] = row.seq
        found.head = Head(row.seq, row.sha256, signed or bool(row.signature))
        if len(found.problems) >= MOST_PROBLEMS:
            found.problems.append("more of the audit log is wrong: it was written anew, or this is another log")
            break
    return found


def missing(session: Session, head: Head) -> str | None:
    """Why a line that was known is no longer part of the chain; ``None`` when it is."""
    if head.line == 0:
        return None
    there = session.scalar(sa.select(AuditRow.sha256).where(AuditRow.seq == head.line))
    if there == head.sha256:
        return None
    if there is not None:
        return f"audit line {head.line}: is another line now than the one that was noted: the log was written anew"
    last = session.scalar(sa.select(sa.func.max(AuditRow.seq))) or 0
    if last < head.line:
        end = f"the log ends at line {last}"
        return f"audit line {head.line}: is gone: {end}, its end was cut off or it is an older copy"
    return f"audit line {head.line}: is gone: it was removed"


def _lines(session: Session, after: int, most: int | None) -> Iterator[AuditRow]:
    query = sa.select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(most)
    with session.scalars(query.execution_options(yield_per=500)) as rows:
        yield from rows


def _place_problem(row: AuditRow, before: Head) -> str | None:
    gap = row.seq - before.line - 1
    if gap:
        gone = f"line {before.line + 1} was" if gap == 1 else f"lines {before.line + 1} to {row.seq - 1} were"
        return f"{gone} removed before it"
    if row.previous != before.sha256:
        return "it does not follow the line before it as that is now: one of them was replaced"
    return None


def _keyed_twice(row: AuditRow, signed: bool) -> str | None:
    return "it begins the signed part a second time" if row.action == KEYED and signed else None
