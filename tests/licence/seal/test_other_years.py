"""Licences in 2028, 2030, 2032 and 2043, with the clock of the process itself shifted (libfaketime)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.servers.clock import find_library

ROOT = Path(__file__).parents[3]


def in_year(moment: str, what: str, *paths: Path) -> dict[str, Any]:
    """Run a step in a process whose clock begins at ``moment``; libraries see no other time."""
    clock = {"LD_PRELOAD": str(find_library("libfaketime.so.1")), "FAKETIME": f"@{moment} 12:00:00", "TZ": "UTC"}
    command = [sys.executable, "-m", "tests.licence.at_another_time", what, *map(str, paths)]
    env = {**os.environ, **clock}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["year"] == int(moment[:4]), "the clock is not shifted"
    return told


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a PKI and a licence of January 2026; its time-stamping certificate ends in January 2032."""
    folder = tmp_path_factory.mktemp("years")
    in_year("2026-01-10", "make", folder / "pki", folder / "licence.pdf")
    return folder


def verdict(folder: Path, moment: str, file: str = "licence.pdf") -> tuple[bool, str, str | None, str]:
    told = in_year(moment, "verify", folder / "pki", folder / file)
    return told["ok"], told["indication"], told["sub_indication"], told["integrity"]


GOOD = (True, "TOTAL-PASSED", None, "intact")
WORN_OUT = (False, "INDETERMINATE", "NO_POE", "intact")


def test_never_renewed_it_is_good_in_2028_and_2030_and_worn_out_in_2032(made: Path) -> None:
    assert verdict(made, "2028-06-01") == GOOD, "the seal's own certificate has not ended yet, or its use is proven"
    assert verdict(made, "2030-06-01") == GOOD, "the seal's certificate ended in 2029; its use is proven"
    assert verdict(made, "2032-06-01") == WORN_OUT
    assert verdict(made, "2043-06-01") == WORN_OUT


def test_renewed_in_2030_it_is_good_in_2032_and_2043(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "y")
    folder = tmp_path / "y"
    told = in_year("2030-06-01", "renew", folder / "pki", folder / "licence.pdf", folder / "renewed.pdf")
    assert told["refused"] == ""
    assert verdict(folder, "2032-06-01", "renewed.pdf") == GOOD
    assert verdict(folder, "2043-06-01", "renewed.pdf") == GOOD
    assert verdict(folder, "2032-06-01") == WORN_OUT, "the former file is not helped by it"


def test_renewing_in_2032_comes_too_late_and_is_refused(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "y")
    folder = tmp_path / "y"
    told = in_year("2032-06-01", "renew", folder / "pki", folder / "licence.pdf", folder / "renewed.pdf")
    assert "only a good B-LTA licence can be renewed" in told["refused"] and "NO_POE" in told["refused"]
    assert not (folder / "renewed.pdf").exists()
    assert verdict(folder, "2032-06-02") == WORN_OUT
