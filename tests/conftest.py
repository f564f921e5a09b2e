"""Fixtures for all tests."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

from tests.servers.fixtures import minio, postgres_url, versitygw

__all__ = ["minio", "postgres_url", "versitygw"]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests were skipped for want of what, and which command brings it.

    Where ``DOCPROC_SKIPPED`` names a file the reasons are written behind what is in it, a line for each test: several
    runs are then told of together.
    """
    reasons = [report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", ())]
    if file := os.environ.get("DOCPROC_SKIPPED"):
        with Path(file).open("a", encoding="utf-8") as kept:
            kept.writelines(f"{reason}\n" for reason in reasons)
    else:
        for reason, tests in sorted(Counter(reasons).items()):
            terminalreporter.write_line(f"{tests} skipped: {reason}")
