"""``form``, ``read`` and ``check``: what is asked of them that is not there, and what they call good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

SCAN = next(Path(__file__).parents[2].joinpath("samples", "scans", "02-trader-good").glob("*.[jpt]*"))


def docproc(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "docproc.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("command", ["read", "check"])
def test_a_material_that_the_matter_does_not_have_is_an_error_that_lists_those_that_it_has(command: str) -> None:
    done = docproc(command, SCAN, "--matter", "sole_trader", "--material", "nonsense", "--json")
    assert done.returncode == 2 and not done.stdout
    told = " ".join(done.stderr.split())
    assert "no material 'nonsense'" in told and "it has application, idcard" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("form", "sole_trader", "nonsense"), "no material 'nonsense'; it has application, idcard"),
        (("form", "sole_trader", "idcard"), "is no printed form; forms are application"),
        (("form", "sole_trader", "application", "--edition", "1999-01"), "there are editions"),
        (("form", "nonsense", "application"), "no matter 'nonsense'; there are food_licence"),
        (("read", SCAN, "--matter", "nonsense"), "no matter 'nonsense'; there are food_licence"),
    ],
)
def test_what_is_not_there_is_an_error_that_lists_what_is(
    tmp_path: Path, arguments: tuple[str | Path, ...], told: str
) -> None:
    more = ("--out", tmp_path / "form.pdf") if arguments[0] == "form" else ()
    done = docproc(*arguments, *more)
    assert done.returncode == 2 and not done.stdout
    assert told in " ".join(done.stderr.split())
    assert not list(tmp_path.iterdir())


def test_a_declared_picture_of_nothing_is_a_claim_and_never_exit_0(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (1400, 1000, 3), np.uint8)
    path = tmp_path / "noise.jpg"
    path.write_bytes(cv2.imencode(".jpg", noise)[1].tobytes())
    asked = ("check", path, "--matter", "food_licence", "--material", "bizlic")
    ran = docproc(*asked, "--json")
    said = json.loads(ran.stdout)
    assert ran.returncode == 1 and said["verdict"] == "supplement"
    assert said["pages"][0]["claimed"] and said["pages"][0]["material"] == "bizlic"
    assert [item["look"] for item in said["findings"] if item["code"] == "G-14"] == [True]
    shown = docproc(*asked)
    assert shown.returncode == 1 and "supplement" in shown.stdout and "look" in shown.stdout
