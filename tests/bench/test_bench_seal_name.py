"""Another firm's seal is told and the right one is not accused, on seals that nothing was tuned on."""

from __future__ import annotations

from docproc.bench.seal_name import HARD, run


def test_another_firm_is_told_and_nobody_is_accused() -> None:
    kinds = run(seed=5, right=12, other=12, hard=2)["kinds"]
    assert kinds["other"]["differs"] >= 0.75 and kinds["other"]["same"] == 0.0
    assert kinds["right"]["differs"] == 0.0 and kinds["right"]["same"] >= 0.5
    assert kinds["near_one"]["same"] == kinds["near_two"]["same"] == 0.0
    assert not any(kinds[kind]["differs"] for kind in HARD)
    assert kinds["grey"]["unreadable"] == 1.0
