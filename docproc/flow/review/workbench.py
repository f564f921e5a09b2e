"""The reviewer's queue and bench: what is most urgent, who works on it, everything about it with what was read first.

Urgency goes by the statutory clock of the matter (:class:`docproc.matter.model.Clock`): working days to accept and to
decide, both counted from the day of submission, which is never later than the law's own beginning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict

from docproc.check.copies import conflicts
from docproc.check.papers import unsettled
from docproc.check.reconcile import gather_joined
from docproc.domain import CHINA, CorrectionKind
from docproc.errors import InputError, NotFoundError
from docproc.fields.working_days import Deadline, Overrides, add_working_days, is_working_day, load_overrides
from docproc.flow.applications import corrections, joint_approval, views
from docproc.flow.applications.applications import visible
from docproc.flow.applications.views import ApplicationSummary, ApplicationView
from docproc.flow.core import reads
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.lifecycle import Status
from docproc.matter.load import find_matter
from docproc.matter.model import Matter
from docproc.store.accounts import users
from docproc.store.accounts.api_keys import names_of
from docproc.store.applications import applications, pages
from docproc.store.audit import audit
from docproc.store.review import claims
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.review import OpinionRow

Light = Literal["green", "yellow", "red"]
CLAIM_LASTS = timedelta(minutes=20)
PAGE_SHOWN = "personal.page_shown"
TO_DECIDE: tuple[Status, ...] = ("submitted", "accepted")
MOST = 500
"""Applications in a queue; the most urgent come first."""


@dataclass(frozen=True, slots=True)
class Term:
    """Until when an application must be decided."""

    due: Deadline
    left: int
    """Working days left after today; negative when it is over."""
    light: Light


@dataclass(frozen=True, slots=True)
class Waiting:
    """One application in the queue."""

    view: ApplicationSummary
    matter: Matter
    term: Term
    by: str | None
    """Name of who works on it."""
    mine: bool
    own: bool
    """Handed in by the caller, who therefore cannot decide on it."""
    findings: int
    """Findings that block or must be mended."""
    looks: int
    """Findings that a person must settle first."""
    given: tuple[int, int] | None = None
    """Joint approval: opinions given, and departments."""


class ToRelease(ApplicationSummary):
    """An approved application whose seal waits for a sealer, or failed."""

    approved_by: str


class CorrectionView(TypedDict):
    """A value that a person laid over what was read."""

    page_id: str
    index: int
    field: str
    value: str
    kind: CorrectionKind
    by: str
    at: datetime


class BenchView(ApplicationView):
    """An application with what only its reviewer needs."""

    org: str
    created_by: str
    held_by: str | None
    machine: dict[tuple[str, int, str], str | None]
    """What the machine read: value by page, index and field."""
    corrections: list[CorrectionView]
    doubted: set[tuple[str, int, str]]
    """Fields, in the same way, that the machine left open or read with too little certainty to insist."""
    missing: list[str]
    """Required materials that the caller would see and that are not there."""
    differing: dict[str, tuple[str, ...]]
    """Fields in which several papers of one material differ, by material."""
    term: Term | None
    names: dict[str, str]
    """Names to show by sign-in name."""


def queue(ctx: Context, caller: Caller) -> list[Waiting]:
    """What waits for a decision, the most urgent first."""
    caller.require("accept")
    at, today = ctx.clock(), ctx.today()
    with ctx.database.read() as session:
        names, held = users.titles(session), claims.living(session, at)
        org = None if caller.sees_all else caller.org
        found = []
        shared = joint_approval.matters_of(caller.org)
        rows = applications.waiting(session, TO_DECIDE, org=org, limit=MOST, matters=shared)
        own = names_of(session, caller.persons)
        told = pages.open_findings(session, [row.number for row in rows])
        for row in rows:
            matter, holder = find_matter(row.matter), held.get((row.number, joint_approval.desk(caller, row)))
            opinions = joint_approval.standing(session, row)
            if not _is_asked(caller, row, opinions):
                continue
            part = joint_approval.scope(caller, row)
            mine = [sure for m, sure in told.get(row.number, ()) if part is None or m is None or part.sees(m)]
            given = (sum(item is not None for item in opinions.values()), len(opinions)) if opinions else None
            waiting = Waiting(
                view=views.summary(row),
                matter=matter,
                term=term(ctx, row, matter, today),
                by=names.get(holder, holder) if holder else None,
                mine=holder == caller.subject,
                own=row.created_by in own,
                findings=sum(mine),
                looks=len(mine) - sum(mine),
                given=given,
            )
            found.append(waiting)
    return sorted(found, key=lambda w: (w.term.due.on, w.view["submitted_at"] or "", w.view["number"]))


def to_release(ctx: Context, caller: Caller) -> list[ToRelease]:
    """Approved applications that wait for a sealer, or whose sealing failed."""
    caller.require("release")
    with ctx.database.read() as session:
        org = None if caller.sees_all else caller.org
        rows = applications.waiting(session, ("approved",), org=org, limit=MOST, matters=_led_by(caller.org))
        return [
            {**views.summary(row), "approved_by": decision.by if decision is not None else ""}
            for row in rows
            if row.seal_state in ("awaiting_release", "failed")
            for decision in [applications.approval_of(session, row.number)]
        ]


def next_number(ctx: Context, caller: Caller, after: str = "") -> str | None:
    """The most urgent application that nobody else works on and that the caller may decide, other than ``after``."""
    free = (w for w in queue(ctx, caller) if (w.by is None or w.mine) and not w.own)
    return next((w.view["number"] for w in free if w.view["number"] != after), None)


def claim(ctx: Context, caller: Caller, number: str) -> bool:
    """Take an application to work on it, or keep it for longer; ``False`` when there is nothing to decide.

    Raises:
        ClaimedError: somebody else works on it.
    """
    with ctx.database.write() as session:
        at = ctx.clock()
        row = visible(session, caller, number, "accept", lock=True)
        opinions, desk = joint_approval.standing(session, row), joint_approval.desk(caller, row)
        mine = opinions.get(desk)
        if row.status not in TO_DECIDE or row.created_by in names_of(session, caller.persons):
            return False
        if not _is_asked(caller, row, opinions) and (mine is None or mine.by != caller.subject):
            return False
        fresh = claims.living(session, at).get((number, desk)) != caller.subject
        claims.take(session, number, caller.subject, at, at + CLAIM_LASTS, desk)
        if fresh:
            audit.append(session, at, caller.subject, "application.claimed", number)
        return True


def put_back(ctx: Context, caller: Caller, number: str) -> None:
    """Release the claim on an application so that others can take it."""
    with ctx.database.write() as session:
        row = visible(session, caller, number, "accept", lock=True)
        claims.drop(session, number, caller.subject, desk=joint_approval.desk(caller, row))


def bench(ctx: Context, caller: Caller, number: str) -> BenchView:
    """An application's view with ``machine`` (values before corrections), ``corrections`` and ``term``."""
    with ctx.database.read() as session:
        row = visible(session, caller, number, "view")
        matter = find_matter(row.matter)
        machine = {
            (page.id, reading.index, name): item
            for page, reading in pages.readings_of(session, number, corrected=False)
            for name, item in reading.fields.items()
        }
        readings = [reading for _, reading in pages.readings_of(session, number)]
        part = joint_approval.scope(caller, row)
        view = joint_approval.view(session, caller, row)
        said = {(r["page_id"], r["index"], r["field"]) for r in view["remarks"] if not r["settled"]}
        return {
            **view,
            "missing": [key for key in unsettled(matter, readings).missing if part is None or part.sees(key)],
            "differing": {item.material: item.fields for item in conflicts(gather_joined(matter, readings))},
            "org": row.org,
            "created_by": row.created_by,
            "held_by": claims.living(session, ctx.clock()).get((number, joint_approval.desk(caller, row))),
            "machine": {place: item.value for place, item in machine.items()},
            "doubted": {place for place, item in machine.items() if place in said or corrections.is_doubted(item)},
            "corrections": [
                {
                    "page_id": c.page_id,
                    "index": c.index,
                    "field": c.field,
                    "value": c.value,
                    "kind": c.kind,
                    "by": c.by,
                    "at": c.at,
                }
                for c in pages.corrections_of(session, number)
            ],
            "term": term(ctx, row, matter, ctx.today()) if row.status in TO_DECIDE else None,
            "names": users.titles(session),
        }


@dataclass(frozen=True, slots=True)
class Sight:
    """What somebody sees of the personal data of one application."""

    works: bool
    """They work on it, and see everything."""
    asked: bool
    """They asked for personal data a while ago, and the log keeps it."""
    pages: frozenset[str]
    """Sensitive pages that they asked for one by one."""

    def shows(self, page_id: str, sensitive: bool) -> bool:
        """Whether the picture and the values of a page are shown."""
        return self.works or (self.asked and (not sensitive or page_id in self.pages))


def show_personal(
    ctx: Context, caller: Caller, number: str, page_id: str | None = None, *, purpose: str | None = None
) -> None:
    """Log that somebody asks for personal data, or for one sensitive page, and let them see it for a while.

    Args:
        ctx: the service.
        caller: who asks.
        number: application.
        page_id: a page that is sensitive by itself; what is personal must have been asked for before.
        purpose: what for, in their own words; ``None``: nobody was asked, as where a role says it.

    Raises:
        InputError: the purpose is left empty by somebody who does not work on the application, and whose office does
            not say it.
    """
    caller.require("view_file")
    with ctx.database.write() as session:
        row = visible(session, caller, number, "view_file")
        at, words = ctx.clock(), (purpose or "").strip()[: reads.MOST_STATED]
        left_empty = purpose is not None and not words and reads.needs_words(caller)
        if left_empty and not claims.holds(session, number, caller.subject, at):
            raise InputError("a purpose is needed", message_zh="请填写查阅事由")
        if page_id is None:
            audit.append(session, at, caller.subject, reads.SHOWN, number, **({"purpose": words} if words else {}))
        else:
            joint_approval.check_page(session, caller, row, pages.find_page(session, page_id, number).id)
            audit.append(session, at, caller.subject, PAGE_SHOWN, f"{number}/{page_id}")


def show_all(ctx: Context, caller: Caller, number: str) -> None:
    """Log that somebody asks for every page, the sensitive ones each by itself: they compare paper with the scans."""
    caller.require("view_file")
    with ctx.database.write() as session:
        row, at = visible(session, caller, number, "view_file"), ctx.clock()
        matter = find_matter(row.matter)
        audit.append(session, at, caller.subject, reads.SHOWN, number)
        apart = {page.id for page, r in pages.readings_of(session, number) if matter.is_sensitive(r.material)}
        for page_id in sorted(apart):
            audit.append(session, at, caller.subject, PAGE_SHOWN, f"{number}/{page_id}")


def sight(ctx: Context, caller: Caller, number: str) -> Sight:
    """What is shown: everything to who works on it, else what was asked for in the last quarter of an hour."""
    if not caller.can("view_file"):
        return Sight(False, False, frozenset())
    at = ctx.clock()
    with ctx.database.read() as session:
        if any(at_ == number and by == caller.subject for (at_, _), by in claims.living(session, at).items()):
            return Sight(True, True, frozenset())
        since = at - reads.SHOWN_LASTS
        asked = audit.did(session, caller.subject, reads.SHOWN, number, since=since)
        found = audit.subjects_of(session, caller.subject, PAGE_SHOWN, f"{number}/", since=since)
        return Sight(False, asked, frozenset(item.rpartition("/")[2] for item in found))


def sees_picture(ctx: Context, caller: Caller, number: str, page_id: str) -> bool:
    """Whether the pictures of a file are shown; one that nobody has recognised may be anything, so it is sensitive.

    Raises:
        NotFoundError: no such application or file, or not for this caller.
    """
    seen = sight(ctx, caller, number)
    with ctx.database.read() as session:
        row = visible(session, caller, number, "view_file")
        pages.find_page(session, page_id, number)
        mine = [r.material for page, r in pages.readings_of(session, number) if page.id == page_id]
        matter = find_matter(row.matter)
    return seen.works or seen.shows(page_id, not mine or any(matter.is_sensitive(item) for item in mine))


def term(ctx: Context, row: ApplicationRow, matter: Matter, today: date) -> Term:
    """The clock of one application that was submitted.

    Raises:
        NotFoundError: it was never submitted.
    """
    if row.submitted_at is None:
        raise NotFoundError(f"application {row.number!r} was not handed in")
    begun, days = _day(row.submitted_at), overrides(ctx.settings.holidays_file)
    clock = matter.clock
    allowed = clock.accept_days if row.status == "submitted" else clock.decide_working_days
    due = add_working_days(begun, allowed, days)
    left = _working_days_between(today, due.on, days)
    whole = _working_days_between(begun, due.on, days)
    light: Light = "red" if left <= 0 else "yellow" if left * 3 <= whole or left == 1 else "green"
    return Term(due, left, light)


@cache
def overrides(path: str) -> Overrides:
    """Days that the office decides itself; read once.

    Raises:
        SetupError: the file is missing or wrong.
    """
    return load_overrides(Path(path)) if path else {}


def _is_asked(caller: Caller, row: ApplicationRow, opinions: dict[str, OpinionRow | None]) -> bool:
    """Whether an application waits for the caller's department, or for who took it in to accept it."""
    if not opinions or (row.seal_state == "unconfirmed" and caller.org in opinions):
        return True
    return opinions.get(caller.org, row) is None or (row.org == caller.org and row.status == "submitted")


def _led_by(org: str) -> tuple[str, ...]:
    return tuple(key for key in joint_approval.matters_of(org) if find_matter(key).department[0].org == org)


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()


def _working_days_between(start: date, end: date, days: Overrides) -> int:
    """Working days after ``start`` up to and with ``end``; negative when ``end`` lies before."""
    if end < start:
        return -_working_days_between(end, start, days)
    step = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
    return sum(is_working_day(day, days)[0] for day in step)
