"""Locking secrets in the database: what the version before left in clear, and changes of the key.

A change of key can be cut short at any point: the new key is on the disk before a row is locked with it, the old ones
stay in their file, and the next run goes on with the rows that are left.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from docproc import secret_keys
from docproc.errors import SetupError
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.context import Context
from docproc.secret_keys import PURPOSES, Purpose
from docproc.store.audit import audit
from docproc.store.locked import LOCKED
from docproc.store.upkeep import relocking

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Relocked:
    """What was done for one purpose."""

    purpose: Purpose
    key: str
    """Id of the key in use."""
    rows: int = 0
    """Secrets that were locked with it."""
    left: list[str] = field(default_factory=list)
    """Rows that were left as they are, and why."""
    forgotten: list[str] = field(default_factory=list)
    """Keys that were taken out of the file."""


def check_secret_keys(ctx: Context) -> None:
    """Make sure that a process of the web has the keys for secrets, before it takes anything in.

    Raises:
        SetupError: a file is missing or damaged; says what to do.
    """
    for purpose in PURPOSES:
        ctx.keys.secrets.ring(purpose)


def lock_all(ctx: Context) -> list[Relocked]:
    """Lock every secret that is in clear or under an older key with the key in use; changes nothing the second time.

    Raises:
        SetupError: this process lacks the keys.
    """
    done = [_lock_purpose(ctx, purpose) for purpose in PURPOSES]
    for item in done:
        if item.rows:
            log.warning("%s secrets of %s were locked with the key %s", item.rows, item.purpose, item.key)
        for reason in item.left:
            log.error("a secret of %s was not locked: %s", item.purpose, reason)
    return done


def rotate(ctx: Context, purpose: Purpose, *, forget: bool = False) -> Relocked:
    """Put a new key in use and lock all secrets of a purpose with it; the service may run meanwhile.

    Where secrets are left under older keys, as after a change that was cut short, they are locked with the key in use,
    and no other is made.

    Args:
        ctx: of a web process.
        purpose: whose key.
        forget: take older keys out of the file. Backups made before need them.

    Raises:
        SetupError: this process lacks the keys, or its folder cannot be written.
    """
    folder, done = _folder(ctx), _lock_purpose(ctx, purpose)
    if not done.rows:
        made = secret_keys.add_key(folder, purpose)
        with ctx.database.write() as session:
            audit.append(session, ctx.clock(), SYSTEM, "secrets.rotated", purpose, key=made.id)
        done = _lock_purpose(ctx, purpose)
    if forget:
        with ctx.database.read() as session:
            wanted = set(relocking.count_by_key(session, purpose))
        done.forgotten = secret_keys.forget_keys(folder, purpose, wanted)
    return done


def counts(ctx: Context, purpose: Purpose) -> dict[str, int]:
    """How many secrets are locked with each key; the empty name: with none."""
    with ctx.database.read() as session:
        return dict(relocking.count_by_key(session, purpose))


def _lock_purpose(ctx: Context, purpose: Purpose) -> Relocked:
    done = Relocked(purpose, ctx.keys.secrets.ring(purpose)[0].id)
    for column in LOCKED:
        if column.purpose != purpose:
            continue
        after: relocking.Place | None = None
        while True:
            with ctx.database.write() as session:
                portion = relocking.relock(session, column, after)
            done.rows += portion.done
            done.left += portion.left
            after = portion.last
            if after is None:
                break
    if done.rows:
        relocking.wipe(ctx.database)
    return done


def _folder(ctx: Context) -> Path:
    if ctx.keys.folder is None:
        raise SetupError("this process has no keys: set DOCPROC_PROCESS_KEYS")
    return ctx.keys.folder
