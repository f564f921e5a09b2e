"""Figures of verifying: every licence is found good, by each way that is measured."""

from __future__ import annotations

from docproc.bench.verify import run


def test_each_way_of_verifying_has_a_cost() -> None:
    found = run(10)
    assert found["files"] == 10
    assert 0 < found["cpu_ms"] < 1000
    assert found["per_second"] > 0
    assert found["p95_ms"] > 0
    assert found["process"]["cpu_ms"] < found["command"]["cpu_s"] * 1000
    assert found["stock"]["cpu_ms"] > 0
    assert found["command_of_one"]["cpu_s"] < found["command"]["cpu_s"]
    assert found["machine"]["cores"] >= 1
