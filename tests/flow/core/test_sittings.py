"""A session at a kiosk ends with the day in China, and not in the middle of what somebody just began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.domain import CHINA
from docproc.flow.core.sittings import AT_LEAST, end_of_day


@pytest.mark.parametrize(
    ("begun", "ends"),
    [
        ("2026-12-01T09:00+08:00", "2026-12-02T00:00+08:00"),
        ("2026-12-01T22:59+08:00", "2026-12-02T00:00+08:00"),
        ("2026-12-01T23:40+08:00", "2026-12-02T00:40+08:00"),
        ("2026-12-01T00:00+08:00", "2026-12-02T00:00+08:00"),
        ("2026-12-01T15:59+00:00", "2026-12-01T16:59+00:00"),
        ("2026-12-01T17:00+00:00", "2026-12-02T16:00+00:00"),
    ],
)
def test_a_session_ends_at_midnight_but_not_within_the_hour(begun: str, ends: str) -> None:
    assert end_of_day(datetime.fromisoformat(begun)) == datetime.fromisoformat(ends)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)), st.integers(1, 31))
def test_it_lasts_so_many_midnights(begun: datetime, days: int) -> None:
    end = end_of_day(begun, days)
    assert begun + AT_LEAST <= end <= begun + timedelta(days=days, hours=1)
    at_midnight = end.astimezone(CHINA).strftime("%H:%M:%S.%f") == "00:00:00.000000"
    assert at_midnight or end == begun + AT_LEAST
