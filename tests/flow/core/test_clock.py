"""The statutory clock: green, yellow and red lights by working days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from docproc.flow.core.context import Context
from docproc.flow.review.figures import figures
from docproc.flow.review.workbench import term
from docproc.matter.load import find_matter
from docproc.store.audit import audit
from docproc.store.tables.applications import ApplicationRow
from docproc.store.tables.review import DecisionRow
from tests.flow.people import APPROVER


def row(status: str) -> ApplicationRow:
    return ApplicationRow(number="n", status=status, submitted_at=datetime(2026, 11, 2, 16, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("today", "left", "light"),
    [
        (date(2026, 11, 3), 15, "green"),
        (date(2026, 11, 16), 6, "green"),
        (date(2026, 11, 17), 5, "yellow"),
        (date(2026, 11, 24), 0, "red"),
        (date(2026, 11, 25), -1, "red"),
    ],
)
def test_days_are_counted_in_china_from_the_day_after_handing_in(
    ctx: Context, today: date, left: int, light: str
) -> None:
    matter = find_matter("food_licence")
    matter = matter.model_copy(update={"clock": matter.clock.model_copy(update={"decide_working_days": 15})})
    found = term(ctx, row("accepted"), matter, today)
    assert (found.due.on, found.left, found.light) == (date(2026, 11, 24), left, light)


def test_the_offices_own_holidays_move_the_day(ctx: Context, tmp_path: Path) -> None:
    file = tmp_path / "days.toml"
    file.write_text("holidays = [2026-11-04]\nworkdays = []\n", encoding="utf-8")
    object.__setattr__(ctx, "settings", ctx.settings.model_copy(update={"holidays_file": str(file)}))
    matter = find_matter("food_licence")
    matter = matter.model_copy(update={"clock": matter.clock.model_copy(update={"decide_working_days": 15})})
    assert term(ctx, row("accepted"), matter, date(2026, 11, 3)).due.on == date(2026, 11, 25)


def test_before_acceptance_the_shorter_term_counts(ctx: Context) -> None:
    matter = find_matter("food_licence")
    assert matter.clock.accept_days == 5
    assert term(ctx, row("submitted"), matter, date(2026, 11, 3)).due.on == date(2026, 11, 10)


def test_a_long_holiday_uses_up_no_day_of_the_term_to_accept(ctx: Context) -> None:
    handed_in = ApplicationRow(number="n", status="submitted", submitted_at=datetime(2026, 9, 30, 4, tzinfo=UTC))
    found = term(ctx, handed_in, find_matter("sole_trader"), date(2026, 10, 8))
    assert (found.due.on, found.left, found.light) == (date(2026, 10, 10), 2, "green")


def test_the_saving_counts_working_days_over_a_long_holiday(ctx: Context) -> None:
    begun = datetime(2026, 9, 30, 4, tzinfo=UTC)  # noon in China on the day before National Day
    ended = datetime(2026, 10, 8, 4, tzinfo=UTC)
    with ctx.database.write() as session:
        session.add(
            ApplicationRow(
                number="n-1",
                matter="sole_trader",
                org="office",
                status="approved",
                version=1,
                revision=1,
                checked_revision=1,
                channel="kiosk",
                created_by="kiosk-1",
                created_at=begun,
                updated_at=ended,
                submitted_at=begun,
                seal_state="none",
                seal_note="",
                seal_attempt=0,
            )
        )
        session.flush()
        audit.append(session, begun, "kiosk-1", "application.submitted", "n-1")
        session.add(
            DecisionRow(
                id="d-1",
                application="n-1",
                action="approve",
                reason="",
                basis="",
                by="approver-1",
                at=ended,
                on_version=1,
                seen_sha256="0" * 64,
                set_aside=[],
            )
        )
    days = abs((datetime.now(UTC) - ended).days) + 2
    pace = figures(ctx, APPROVER, days).pace[0]
    assert (pace.median_hours, pace.certain) == (24, True)
    assert pace.saved == pytest.approx(1 - 1 / find_matter("sole_trader").clock.decide_working_days)
