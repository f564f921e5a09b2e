"""Figures for the office: how long decisions take, how many pass at once, which rules fire, what is misread."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from docproc.domain import CHINA
from docproc.fields.working_days import Elapsed, working_time
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.review.thresholds import threshold
from docproc.flow.review.workbench import overrides
from docproc.matter.load import find_matter
from docproc.store.review import figures as store


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one matter is decided."""

    matter: str
    decided: int
    median_hours: float
    """On working days alone, from first submission to the final decision, corrections by the applicant included."""
    statutory_days: int
    saved: float
    """Share of the statutory working days that the median saves, with 24 hours to a day; negative when over."""
    first_pass: float
    """Share decided without 补正."""
    certain: bool
    """False when the holidays of a year on the way are not published, and the weekend alone was counted."""


@dataclass(frozen=True, slots=True)
class Misread:
    """A field that persons change."""

    matter: str
    material: str
    field: str
    changed: int
    pages: int

    @property
    def share(self) -> float:
        """Share of the pages read on which a person changed it."""
        return self.changed / self.pages


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a field of one edition of a form, or of a free paper, may be believed."""

    matter: str
    material: str
    edition: str
    """Empty for papers that are no forms of ours."""
    field: str
    seen: int
    """Values that the machine read and an official decided on."""
    changed: int
    """Of them, those that a person changed."""
    threshold: float
    """Confidence from which values are wrong no more often than is borne; above 1: none is to be believed unseen."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it."""

    pace: tuple[Pace, ...]
    findings: tuple[tuple[str, str, int], ...]
    """Rule, matter, applications."""
    misread: tuple[Misread, ...]
    trust: tuple[Trust, ...]
    """Fields on which persons changed something and enough was seen, the highest threshold first."""


def figures(ctx: Context, caller: Caller, days: int = 90) -> Figures:
    """Figures on the last days, of the caller's organisation or, for an auditor, of all."""
    caller.require("figures")
    since, org = ctx.clock() - timedelta(days=days), None if caller.sees_all else caller.org
    with ctx.database.read() as session:
        days_off = overrides(ctx.settings.holidays_file)
        by_matter: dict[str, list[tuple[Elapsed, bool]]] = {}
        for _, matter, begun, at, returned in store.decided(session, org, since):
            took = working_time(begun.astimezone(CHINA), at, days_off)
            by_matter.setdefault(matter, []).append((took, returned))
        return Figures(
            tuple(_pace(matter, rows) for matter, rows in sorted(by_matter.items())),
            tuple(store.findings(session, org, since)),
            tuple(Misread(*row) for row in store.corrections(session, org, since)),
            _trust(store.reviewed(session, org, since)),
        )


def _trust(reviewed: list[tuple[str, str, str, str, float, bool]]) -> tuple[Trust, ...]:
    by_place: dict[tuple[str, str, str, str], list[tuple[float, bool]]] = {}
    for matter, material, edition, name, confidence, changed in reviewed:
        by_place.setdefault((matter, material, edition, name), []).append((confidence, changed))
    found = [
        Trust(*place, len(seen), sum(changed for _, changed in seen), line)
        for place, seen in by_place.items()
        if any(changed for _, changed in seen) and (line := threshold(seen)) is not None
    ]
    return tuple(sorted(found, key=lambda item: (-item.threshold, item.matter, item.material, item.field)))


def _pace(matter: str, rows: list[tuple[Elapsed, bool]]) -> Pace:
    hours = median(took.time.total_seconds() for took, _ in rows) / 3600
    days = find_matter(matter).clock.decide_working_days
    passed = sum(not returned for _, returned in rows) / len(rows)
    return Pace(matter, len(rows), hours, days, 1 - hours / 24 / days, passed, all(took.certain for took, _ in rows))
