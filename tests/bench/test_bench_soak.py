from __future__ import annotations

from pathlib import Path

import pytest

from docproc.bench.soak import growth_kb, run
from docproc.errors import SetupError

SAMPLE = Path("samples/scans/02-trader-good")


def test_growth_is_the_slope_after_the_caches_have_filled() -> None:
    filling = [(page, 400.0 + min(page, 20)) for page in range(0, 100, 2)]
    assert growth_kb(filling) == pytest.approx(0.0, abs=1e-6)
    leaking = [(page, 400.0 + page / 64) for page in range(0, 100, 2)]
    assert growth_kb(leaking) == pytest.approx(16.0)


def test_two_readers_read_beside_each_other_and_stay_small() -> None:
    told: list[int] = []
    result = run(SAMPLE, [2], 4, lambda what, done, total: told.append(done))
    assert told[-1] == 8
    read = result["runs"][0]
    assert (read["readers"], read["pages"]) == (2, 8)
    assert read["pages_per_second"] > 0
    assert read["cpu_seconds_page"] > 0
    assert 100 < read["memory_mb"] < 1500


def test_a_folder_without_a_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no sample"):
        run(tmp_path, [1], 40)
