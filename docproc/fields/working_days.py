"""Working days: the State Council's yearly table, an office's own corrections, and deadlines with their certainty.

The table of a year is published in the autumn before it. Until chinesecalendar
knows a year, Monday to Friday count as working days and the result is marked as
uncertain: an official must not promise it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path

from docproc.errors import SetupError

Overrides = Mapping[date, bool]
"""Day to whether it is a working day; takes precedence over every table."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The last day of a term counted in working days."""

    on: date
    certain: bool
    """False when some day of the term was judged by the weekend rule alone."""


def add_working_days(start: date, days: int, overrides: Overrides | None = None) -> Deadline:
    """Count working days from the day after ``start`` (民法典第201条: the first day is not counted).

    Args:
        start: Day on which the term begins to run.
        days: 0 or more; 0 is ``start`` unchanged.
        overrides: Days that an office or a new notice of the State Council decides.

    Raises:
        ValueError: ``days`` is negative.
    """
    if days < 0:
        raise ValueError("a term has no negative days")
    day, certain, left = start, True, days
    while left:
        day += timedelta(days=1)
        working, known = is_working_day(day, overrides)
        certain = certain and known
        left -= working
    return Deadline(day, certain)


def is_working_day(day: date, overrides: Overrides | None = None) -> tuple[bool, bool]:
    """Return ``(working, certain)``; not certain when only the weekend rule speaks for the year."""
    return (overrides[day], True) if overrides and day in overrides else _by_calendar(day)


@lru_cache(maxsize=4096)
def _by_calendar(day: date) -> tuple[bool, bool]:
    import chinese_calendar

    try:
        return bool(chinese_calendar.is_workday(day)), True
    except NotImplementedError:
        return day.weekday() < 5, False


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Time that passed on working days."""

    time: timedelta
    certain: bool
    """False when some day of the term was judged by the weekend rule alone."""


def working_time(begun: datetime, ended: datetime, overrides: Overrides | None = None) -> Elapsed:
    """The time between two moments that lies on working days, each from midnight to midnight.

    Args:
        begun: with the time zone whose midnights count.
        ended: in any time zone; not before ``begun``.
        overrides: as for :func:`add_working_days`.
    """
    ended = ended.astimezone(begun.tzinfo)
    passed, certain, at = timedelta(0), True, begun
    while at < ended:
        midnight = datetime.combine(at.date() + timedelta(days=1), time(), begun.tzinfo)
        working, known = is_working_day(at.date(), overrides)
        certain = certain and known
        until = min(midnight, ended)
        passed += (until - at) if working else timedelta(0)
        at = until
    return Elapsed(passed, certain)


def load_overrides(path: Path) -> dict[date, bool]:
    """Read ``holidays`` and ``workdays``, two lists of TOML dates, for example of a notice that no table has yet.

    Raises:
        SetupError: the file is missing or is not of that form.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        days = {day: working for key, working in (("holidays", False), ("workdays", True)) for day in data.get(key, [])}
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise SetupError(f"{path} cannot be read ({error}): write holidays = [2027-01-01] and workdays = []") from error
    if set(data) - {"holidays", "workdays"} or any(type(day) is not date for day in days):
        raise SetupError(f"{path}: only holidays and workdays, lists of dates such as 2027-01-01, are read: correct it")
    return days
