"""How the kiosks are: when each was last there, what waits, what failed, and whether its scanner gives clear pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.store.kiosks import kiosks
from docproc.store.tables.accounts import ApiKeyRow

QUIET = timedelta(minutes=30)
"""A kiosk that sent nothing for so long may be out of order, or the hall is closed."""
LATE = timedelta(minutes=5)
"""A file that waits longer shows that readers are missing."""
UNCLEAR = 0.1
"""Share of pages to be scanned again from which the scanner should be looked at (glass, light, focus)."""
FEWEST = 20
"""Fewest pages for a statement on the scanner."""
State = Literal["good", "quiet", "never", "line", "late", "unclear", "failing"]


@dataclass(frozen=True, slots=True)
class Kiosk:
    """One kiosk, by the name of its key."""

    subject: str
    org: str
    seen_at: datetime | None
    waiting: int
    """Files that wait to be read now."""
    oldest: datetime | None
    """Since when the oldest of them does."""
    line_waiting: int
    """Files in the kiosk's own queue for the line, as it last reported."""
    line_since: datetime | None
    """Since when the oldest of them waits."""
    line_told_at: datetime | None
    """When it reported."""
    begun: int
    """Applications begun in the time looked at."""
    handed_in: int
    given_up: int
    """Taken back before they were submitted."""
    pages: int
    """Pages that were read."""
    rescans: int
    """Of them, those that had to be scanned again."""
    failed: int
    """Files that could not be opened."""
    faults: tuple[tuple[str, str, int], ...]
    """What was wrong with scans: code, message and pages, the most frequent first."""
    states: tuple[State, ...]
    """What somebody should look at; ``good`` alone where nothing is."""

    @property
    def share(self) -> float:
        """Share of pages to be scanned again, 0..1."""
        return self.rescans / self.pages if self.pages else 0.0


@dataclass(frozen=True, slots=True)
class _Figures:
    """Counts of all kiosks together, by kiosk and what is counted (:mod:`docproc.store.kiosks.kiosks`)."""

    files: Mapping[tuple[str, str], int]
    waiting: Mapping[str, tuple[int, datetime]]
    begun: Mapping[tuple[str, str], int]
    verdicts: Mapping[tuple[str, str], int]
    faults: Mapping[str, Counter[tuple[str, str]]]


def health(ctx: Context, caller: Caller, days: int = 7) -> list[Kiosk]:
    """Every kiosk whose key was not revoked; a clerk sees those of their own office."""
    caller.require("view_kiosks")
    now = ctx.clock()
    since = now - timedelta(days=days)
    everywhere = caller.sees_all or caller.can("manage_keys")
    with ctx.database.read() as session:
        keys = kiosks.kiosk_keys(session, None if everywhere else caller.org)
        names = {key.subject for key in keys}
        figures = _Figures(
            files=kiosks.files_from(session, names, since),
            waiting=kiosks.waiting_from(session, names),
            begun=kiosks.applications_from(session, names, since),
            verdicts=kiosks.scan_verdicts(session, names, since),
            faults=kiosks.scan_faults(session, names, since),
        )
    found = (_kiosk(name, [key for key in keys if key.subject == name], figures) for name in sorted(names))
    return [_judged(kiosk, now) for kiosk in found]


def _kiosk(name: str, keys: Sequence[ApiKeyRow], figures: _Figures) -> Kiosk:
    """A kiosk from its keys, of which there is at least one, and the figures; not judged yet."""
    by_status = _counts_of(name, figures.begun)
    pages = _counts_of(name, figures.verdicts)
    count, oldest = figures.waiting.get(name, (0, None))
    faults = figures.faults[name].most_common(3) if name in figures.faults else ()
    return Kiosk(
        subject=name,
        org=keys[0].org,
        seen_at=max((key.seen_at for key in keys if key.seen_at is not None), default=None),
        waiting=count,
        oldest=oldest,
        line_waiting=sum(key.line_waiting for key in keys),
        line_since=min((key.line_since for key in keys if key.line_since is not None), default=None),
        line_told_at=max((key.line_told_at for key in keys if key.line_told_at is not None), default=None),
        begun=sum(by_status.values()),
        handed_in=sum(by_status.values()) - by_status.get("draft", 0) - by_status.get("withdrawn", 0),
        given_up=by_status.get("withdrawn", 0),
        pages=sum(pages.values()),
        rescans=pages.get("rescan", 0),
        failed=figures.files.get((name, "failed"), 0),
        faults=tuple((*what, n) for what, n in faults),
        states=(),
    )


def _counts_of(name: str, counts: Mapping[tuple[str, str], int]) -> dict[str, int]:
    return {what: count for (subject, what), count in counts.items() if subject == name}


def report_line(ctx: Context, caller: Caller, waiting: int, oldest_seconds: int = 0) -> None:
    """Store what a kiosk reports of its own upload queue; while its connection is down the last report stands.

    Args:
        ctx: the service.
        caller: the kiosk.
        waiting: files that are not uploaded yet.
        oldest_seconds: for how long the oldest waits; the kiosk's clock may be wrong, so it tells an age.
    """
    caller.require("report_line")
    with ctx.database.write() as session:
        at = ctx.clock()
        since = at - timedelta(seconds=oldest_seconds) if waiting else None
        kiosks.note_line(session, caller.key_id, waiting, since, at)


def _judged(kiosk: Kiosk, now: datetime) -> Kiosk:
    states: list[State] = []
    if kiosk.seen_at is None:
        states.append("never")
    elif now - kiosk.seen_at > QUIET:
        states.append("quiet")
    if kiosk.line_since is not None and now - kiosk.line_since > LATE:
        states.append("line")
    if kiosk.oldest is not None and now - kiosk.oldest > LATE:
        states.append("late")
    if kiosk.pages >= FEWEST and kiosk.share >= UNCLEAR:
        states.append("unclear")
    if kiosk.failed:
        states.append("failing")
    return replace(kiosk, states=tuple(states) or ("good",))
