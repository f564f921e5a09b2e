"""How often a secret was guessed, in buckets that empty by themselves; nothing is committed here.

Rows are found by a hash of what they count, so no name that was typed and no address is kept.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from docproc.store.tables.accounts import TryRow


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many tries at once, and one more after each pause."""

    holds: int
    pause: timedelta


def spend(session: Session, name: str, part: str, bucket: Bucket, at: datetime) -> bool:
    """Count one try; ``False``, and nothing counted, where the bucket is full.

    Args:
        session: a unit of work that writes.
        name: sign-in name that is tried; empty where the try counts for no name.
        part: what else the try is counted by, the address for example.
        bucket: how much it holds.
        at: now.
    """
    session.execute(sa.delete(TryRow).where(TryRow.expires_at < at))
    row = _row(session, name, part, at)
    spent = level(row, bucket, at)
    if spent + 1 > bucket.holds:
        return False
    row.spent, row.at, row.expires_at = spent + 1, at, at + bucket.pause * (spent + 1)
    session.flush()
    return True


def level(row: TryRow, bucket: Bucket, at: datetime) -> float:
    """How full a bucket is by now."""
    return max(0.0, row.spent - max(timedelta(0), at - row.at) / bucket.pause)


def give_back(session: Session, name: str, part: str) -> None:
    """Take one try back: it was no guess."""
    row = session.get(TryRow, _key(name, part))
    if row is not None:
        row.spent = max(0.0, row.spent - 1)
        session.flush()


def remember(session: Session, name: str, part: str, at: datetime, until: datetime) -> None:
    """Note something about a name for a while; see :func:`is_remembered`."""
    row = _row(session, name, part, at)
    row.at, row.expires_at = at, until
    session.flush()


def is_remembered(session: Session, name: str, part: str, at: datetime) -> bool:
    """Whether that was noted, and the time is not over."""
    row = session.get(TryRow, _key(name, part))
    return row is not None and row.expires_at > at


def forget(session: Session, name: str, part: str) -> None:
    """Empty a bucket."""
    session.execute(sa.delete(TryRow).where(TryRow.sha256 == _key(name, part)))


def forget_name(session: Session, name: str) -> None:
    """Empty every bucket of a name, and what is noted of it."""
    session.execute(sa.delete(TryRow).where(TryRow.name_sha256 == _hash(name)))


def _row(session: Session, name: str, part: str, at: datetime) -> TryRow:
    """The row, locked; made where there is none."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    new = {"sha256": _key(name, part), "name_sha256": _hash(name), "spent": 0.0, "at": at, "expires_at": at}
    session.execute(insert(TryRow).values(**new).on_conflict_do_nothing(index_elements=["sha256"]))
    return session.get_one(TryRow, new["sha256"], with_for_update=True, populate_existing=True)


def _key(name: str, part: str) -> str:
    return _hash(f"{_hash(name)}\n{part}")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
