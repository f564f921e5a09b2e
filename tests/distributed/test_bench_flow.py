"""The whole flow is measured to its end, with what each page costs."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from docproc.cli import app


def test_the_flow_is_measured_with_real_reading_and_sealing() -> None:
    done = CliRunner().invoke(app, ["bench", "flow", "--workers", "1", "--applications", "2", "--json"])
    assert done.exit_code == 0, done.output
    (run,) = json.loads(done.stdout)["runs"]
    assert run["workers"] == 1 and run["pages"] == run["stages"]["read_and_store"]["times"] == 10
    assert run["stages"]["seal_and_keep"]["times"] == run["stages"]["register"]["times"] == 2
    spent = sum(run["stages"][name]["cpu_s"] for name in ("draw_and_store", "read_and_store"))
    assert abs(run["cpu_s_page"] - spent / 10) < 0.01
    assert run["pages_per_second"] > 0 and run["seals_per_second"] > 0
