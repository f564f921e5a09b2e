"""The plan for a city follows from the figures that are stated."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def test_the_plan_is_that_of_the_stated_figures() -> None:
    done = subprocess.run([ROOT / "scripts" / "sizing", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_measurement_is_put_into_the_table_and_the_plan_follows(tmp_path: Path) -> None:
    for name in ("scripts/sizing", "docs/sizing.toml", "docs/operate.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)

    def flow(workers: int, pages: float, seals: float) -> dict[str, Any]:
        stages = {"seal_and_keep": {"cpu_s": 0.6, "times": 10}, "register": {"cpu_s": 0.1, "times": 10}}
        rates = {"pages_per_second": pages, "seals_per_second": seals, "cpu_s_page": 1 / pages}
        return {"store": "distributed", "workers": workers, "stages": stages, **rates}

    ratios = [{"store": "distributed", "workers": [1, 2], "pages_per_second": 1.9, "seals_per_second": 1.85}]
    (tmp_path / "flow.json").write_text(
        json.dumps({"runs": [flow(1, 2.0, 11.0), flow(2, 3.8, 20.0)], "ratios": ratios})
    )
    command = [tmp_path / "scripts/sizing"]
    assert subprocess.run([*command, tmp_path / "flow.json"]).returncode == 0
    found = tomllib.loads((tmp_path / "docs/sizing.toml").read_text())["measured"]
    assert (found["cpu_s_licence"], found["seals_per_second"], found["cpu_s_page"]) == (0.07, 11.0, 0.26)
    assert (found["cpu_s_page_alone"], found["readers_ratio"], found["sealers_ratio"]) == (0.5, 1.9, 1.85)
    assert "one sealer does 11.0 a second" in (tmp_path / "docs/operate.md").read_text()
    assert subprocess.run([*command, "--check"]).returncode == 0
    (tmp_path / "docs/sizing.toml").write_text((ROOT / "docs/sizing.toml").read_text())
    assert subprocess.run([*command, "--check"], capture_output=True).returncode == 1
