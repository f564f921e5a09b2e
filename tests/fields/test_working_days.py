"""Terms in working days, and how sure they are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.errors import SetupError
from docproc.fields import Deadline, add_working_days, is_working_day, load_overrides
from docproc.fields.working_days import working_time


def test_holidays_and_days_worked_instead_are_counted_as_published() -> None:
    # National Day 2026: 1 to 7 October off, 20 September and 10 October worked.
    assert is_working_day(date(2026, 10, 8)) == (True, True)
    assert is_working_day(date(2026, 10, 10)) == (True, True)
    assert is_working_day(date(2026, 10, 5)) == (False, True)
    assert add_working_days(date(2026, 9, 28), 5) == Deadline(date(2026, 10, 10), certain=True)


def test_the_first_day_is_not_counted() -> None:
    assert add_working_days(date(2026, 11, 23), 0) == Deadline(date(2026, 11, 23), certain=True)
    assert add_working_days(date(2026, 11, 23), 1) == Deadline(date(2026, 11, 24), certain=True)
    assert add_working_days(date(2026, 11, 20), 1) == Deadline(date(2026, 11, 23), certain=True)


def test_a_year_without_a_table_is_counted_by_weekends_and_said_to_be_uncertain() -> None:
    assert is_working_day(date(2037, 1, 1)) == (True, False)
    assert add_working_days(date(2037, 1, 1), 5) == Deadline(date(2037, 1, 8), certain=False)


def test_an_office_decides_by_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "calendar.toml"
    path.write_text("holidays = [2037-01-02]\nworkdays = [2037-01-03]\n")
    overrides = load_overrides(path)
    assert is_working_day(date(2037, 1, 2), overrides) == (False, True)
    assert add_working_days(date(2037, 1, 1), 1, overrides) == Deadline(date(2037, 1, 3), certain=True)


@pytest.mark.parametrize(
    "text", ["holidays = 5", "holidays = ['2037-01-01']", "days = []", "[", "workdays = [2037-01-01T00:00:00]"]
)
def test_a_calendar_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "calendar.toml"
    path.write_text(text)
    with pytest.raises(SetupError, match=r"calendar\.toml"):
        load_overrides(path)
    with pytest.raises(SetupError, match=r"missing\.toml"):
        load_overrides(tmp_path / "missing.toml")


CHINA = timezone(timedelta(hours=8))


def hours(begun: datetime, ended: datetime, overrides: dict[date, bool] | None = None) -> float:
    return working_time(begun, ended, overrides).time / timedelta(hours=1)


@pytest.mark.parametrize(
    ("begun", "ended", "expected"),
    [
        (datetime(2026, 11, 20, 16), datetime(2026, 11, 23, 10), 18),  # over a weekend: Friday 8 h and Monday 10 h
        (datetime(2026, 9, 30, 12), datetime(2026, 10, 8, 12), 24),  # over National Day: seven days that do not count
        (datetime(2026, 10, 9, 12), datetime(2026, 10, 10, 12), 24),  # a Saturday that is worked
        (datetime(2026, 10, 2, 9), datetime(2026, 10, 4, 9), 0),  # from holiday to holiday
        (datetime(2026, 11, 23, 9), datetime(2026, 11, 23, 9, 30), 0.5),
        (datetime(2026, 2, 13, 9), datetime(2026, 2, 24, 9), 48),  # Spring Festival, with the Saturday before it worked
    ],
)
def test_time_passes_on_working_days_alone(begun: datetime, ended: datetime, expected: float) -> None:
    begun, ended = begun.replace(tzinfo=CHINA), ended.replace(tzinfo=CHINA)
    assert hours(begun, ended) == expected
    assert hours(begun, ended.astimezone(UTC)) == expected, "midnights are those in China"


def test_time_that_passed_follows_the_offices_own_file_and_says_when_it_is_not_sure() -> None:
    begun, ended = datetime(2026, 11, 23, 9, tzinfo=CHINA), datetime(2026, 11, 25, 9, tzinfo=CHINA)
    assert hours(begun, ended) == 48 and hours(begun, ended, {date(2026, 11, 24): False}) == 24
    assert not working_time(datetime(2037, 1, 1, tzinfo=CHINA), datetime(2037, 1, 3, tzinfo=CHINA)).certain


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2026, 12, 1)),
    st.lists(st.timedeltas(timedelta(0), timedelta(40)), max_size=3),
)
def test_parts_add_up_and_no_more_passes_than_the_clock_says(at: datetime, parts: list[timedelta]) -> None:
    moments = [at.replace(tzinfo=CHINA)]
    for part in parts:
        moments.append(moments[-1] + part)
    whole = working_time(moments[0], moments[-1]).time
    assert whole == sum((working_time(a, b).time for a, b in pairwise(moments)), timedelta(0))
    assert timedelta(0) <= whole <= moments[-1] - moments[0]


def test_a_term_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_days(date(2026, 1, 1), -1)
