"""法无授权不可为: a matter opens by a law of its own that is in force, and by nothing else."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from docproc.errors import CatalogueError
from docproc.matter.load import COMMON_FILE, MATTERS_DIR, load_matter
from docproc.matter.model import Matter
from docproc.matter.opening import MatterClosedError, check_grants, check_opens, opens, why_closed

TODAY = date(2026, 11, 23)
PASSED_DOWN = """
[delegated]
authority = "样例镇便民服务中心"
basis = "sole_trader_rules"
"""


def trader(folder: Path, *changes: tuple[str, str], ended: date | None = None) -> Matter:
    """The sole trader's matter, changed, with its own laws ended on a day."""
    shutil.copy(MATTERS_DIR / COMMON_FILE, folder)
    text = (MATTERS_DIR / "sole_trader.toml").read_text("utf-8")
    if ended is not None:
        text = re.sub(r"(\[\[basis\]\][^\[]*valid_from = \S+\n)", rf"\1valid_to = {ended}\n", text)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "sole_trader.toml"
    path.write_text(text, "utf-8")
    return load_matter(path)


def status(word: str, more: str = "") -> tuple[tuple[str, str], tuple[str, str]]:
    return ('region = "510116"', f'region = "510116"\nstatus = "{word}"'), ("[clock]", f"{more}\n[clock]")


def test_laws_that_all_matters_share_authorise_none(tmp_path: Path) -> None:
    matter = trader(tmp_path, ended=date(2023, 12, 31))
    assert not opens(matter, TODAY)
    assert opens(matter, date(2023, 12, 31)), "the last day counts"
    for check in (check_opens, check_grants):
        with pytest.raises(MatterClosedError, match="no legal basis of matter sole_trader itself") as caught:
            check(matter, TODAY)
        assert "办理依据" in caught.value.message_zh
    assert "行政许可法" in matter.basis_text("licensing_law#4"), "rules go on naming them"
    assert not opens(trader(tmp_path), date(2020, 1, 1)), "nor does a law before it begins"
    assert opens(trader(tmp_path), TODAY)


def test_a_retired_matter_opens_nothing_and_grants_nothing(tmp_path: Path) -> None:
    matter = trader(tmp_path, *status("retired"))
    for check in (check_opens, check_grants):
        with pytest.raises(MatterClosedError, match="is retired"):
            check(matter, TODAY)


def test_a_delegated_matter_opens_where_it_was_passed_to_and_finishes_what_is_there(tmp_path: Path) -> None:
    gone = trader(tmp_path, *status("delegated", PASSED_DOWN))
    closed = why_closed(gone, TODAY, "office")
    assert closed is not None and closed.message_zh == "该事项已下放，请到样例镇便民服务中心办理"
    assert not opens(gone, TODAY)
    check_grants(gone, TODAY)
    here = trader(tmp_path, *status("delegated", PASSED_DOWN + 'org = ["town"]'))
    assert opens(here, TODAY, "town") and not opens(here, TODAY, "office")
    assert opens(here, TODAY), "somebody here takes it, so its forms print"
    ended = trader(tmp_path, *status("delegated", PASSED_DOWN + 'org = ["town"]'), ended=date(2023, 12, 31))
    assert not opens(ended, TODAY, "town")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (status("delegated"), "contradict"),
        (status("active", PASSED_DOWN), "contradict"),
        (status("delegated", PASSED_DOWN.replace("sole_trader_rules", "no_law")), "no_law"),
        (status("paused"), "status"),
        ((("guide = [", "common_basis = [{ id = 'a', text = 'b', valid_from = 2020-01-01 }]\nguide = ["),), "share"),
    ],
)
def test_the_linter_knows_the_three_states(tmp_path: Path, changes: tuple[tuple[str, str], ...], problem: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        trader(tmp_path, *changes)
    assert problem in caught.value.problem
    assert problem != "status" or "'delegated'" in caught.value.remedy
