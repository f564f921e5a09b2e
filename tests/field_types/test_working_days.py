"""Terms in working days, and how sure they are."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from docproc.errors import SetupError
from docproc.validators import Deadline, add_working_days, is_working_day, load_overrides


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


def test_a_term_is_not_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_days(date(2026, 1, 1), -1)
