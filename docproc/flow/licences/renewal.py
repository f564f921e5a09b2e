"""The renewal sweep: fresh archive time-stamps before the old ones wear out; resumable, nothing is overwritten."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from docproc.errors import SealError, SealUnavailableError
from docproc.flow.core.access import SYSTEM
from docproc.flow.core.context import Context
from docproc.licence.seal.renew import expires_on
from docproc.matter.load import find_matter
from docproc.store.audit import audit
from docproc.store.licences import licences
from docproc.store.licences.licences import NEVER_DUE

log = logging.getLogger(__name__)

BATCH = 100
MARGIN_DAYS = 180
Renew = Callable[[bytes, datetime], bytes]
"""A file with a fresh archive time-stamp; raises SealUnavailableError or SealError."""


@dataclass(slots=True)
class Sweep:
    """What a sweep found and did."""

    looked: int = 0
    """Files whose end was looked up now."""
    due: int = 0
    renewed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    """Licence number -> why it could not be renewed; a person must look."""
    ends: dict[str, int] = field(default_factory=dict)
    """Year in which time-stamps wear out -> how many current files; counted by :func:`look` alone."""


def look(ctx: Context) -> Sweep:
    """Look up the ends of files that are new since the last sweep, and report by year; reads every file's end."""
    sweep = Sweep(looked=_look_up(ctx, None))
    with ctx.database.read() as session:
        sweep.ends = {str(year): count for year, count in licences.ends(session, NEVER_DUE).items()}
    return sweep


def _look_up(ctx: Context, most: int | None) -> int:
    looked = 0
    while room := _room(most, looked):
        with ctx.database.read() as session:
            waiting = licences.unlooked(session, room)
        if not waiting:
            break
        found = {sha256: _end(ctx.blobs.get(sha256)) for sha256 in waiting}
        with ctx.database.write() as session:
            licences.set_good_until(session, found)
        looked += len(found)
    return looked


def renew_due(
    ctx: Context,
    renew: Renew,
    *,
    margin_days: int = MARGIN_DAYS,
    most: int | None = None,
    on_done: Callable[[], None] = lambda: None,
) -> Sweep:
    """Renew what wears out within ``margin_days``; each licence is a unit of its own, so an interrupted sweep goes on.

    ``most`` bounds the licences of this sweep; the next one goes on where it ended.

    Raises:
        SealUnavailableError: the TSA is out of reach; what was renewed so far stays renewed.
    """
    sweep, after = Sweep(looked=_look_up(ctx, most)), None
    begun = ctx.clock()
    before = begun + timedelta(days=margin_days)
    while room := _room(most, sweep.due):
        with ctx.database.read() as session:
            batch = licences.due(session, before, begun, room, after)
        if not batch:
            break
        for end, sha256, number in batch:
            sweep.due += 1
            try:
                sweep.renewed += _renew_one(ctx, renew, number, sha256)
            except SealUnavailableError:
                raise
            except SealError as error:
                log.error("licence %s cannot be renewed: %s", number, error)
                sweep.failed[number] = str(error)
            on_done()
            after = (end, sha256)
    return sweep


def _room(most: int | None, done: int) -> int:
    """How many more to take at once."""
    return BATCH if most is None else min(BATCH, most - done)


def _renew_one(ctx: Context, renew: Renew, number: str, sha256: str) -> bool:
    renewed = renew(ctx.blobs.get(sha256), ctx.clock())
    with ctx.database.read() as session:
        matter = find_matter(licences.prepared_licence(session, number).matter)
    digest = ctx.blobs.put(renewed, keep_days=365 * matter.licence.retention_years)
    with ctx.database.write() as session:
        at = ctx.clock()
        row = licences.find_licence(session, number, lock=True)
        if row.sha256 != sha256:  # another sweep or a new version was faster: that one counts
            return False
        licences.register_renewed(session, row, digest, at)
        licences.set_good_until(session, {digest: _end(renewed)})
        audit.append(session, at, SYSTEM, "licence.renewed", number, sha256=digest, former=sha256)
    return True


def _end(pdf: bytes) -> datetime:
    """When a file wears out; one without archive time-stamp is nothing that renewal could help."""
    try:
        return expires_on(pdf)
    except SealError:
        return NEVER_DUE
