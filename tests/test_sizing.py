"""The plan for a city follows from the figures that are stated."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_plan_is_that_of_the_stated_figures() -> None:
    done = subprocess.run([ROOT / "scripts" / "sizing", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
