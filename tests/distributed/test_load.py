"""As many files as can be read and twice as many: quick answers, none lost, memory stays flat.

``DOCPROC_LOAD_SECONDS`` makes it longer.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from docproc.bench.load import marked_jpeg, memory_figures, run
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.split import split
from tests.flow.small_stages import paper
from tests.servers.objects import S3Server

SECONDS = float(os.environ.get("DOCPROC_LOAD_SECONDS", "8"))
READING = 0.5
"""Seconds that each file keeps a reader busy."""


def test_more_than_can_be_read_is_kept_or_refused_but_never_lost(
    postgres_url: str, minio: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"S3_ACCESS_KEY": minio.access_key, "S3_SECRET_KEY": minio.secret_key, "S3_SECURE": "false"}
    for name, value in {"DATABASE_URL": postgres_url, "BLOBS": minio.url("load"), **keys}.items():
        monkeypatch.setenv(f"DOCPROC_{name}", value)
    found = run(
        lambda turn: paper([], sleep=READING, mark=f"load-{turn}"),
        SECONDS,
        2,
        "distributed",
        module="tests.flow.small_stages",
    )
    print(found)
    assert 0 < found["capacity"] < 2 / READING
    at_capacity, at_twice = found["rushes"]
    assert at_twice["per_second"] == pytest.approx(2 * at_capacity["per_second"], abs=0.02)
    assert at_twice["refused"] > 0 and at_capacity["without_retry_after"] == at_twice["without_retry_after"] == 0
    assert found["lost"] == 0 and found["files"] > at_capacity["files"] + at_twice["files"]
    for name, memory in at_twice["memory"].items():
        first, most, last = (memory[key] for key in ("first", "most", "last"))
        assert 20 < first <= most < first + 100 and last < first + 100, f"{name} grew: {memory}"
    assert set(at_twice["memory"]) == {"web", "reader-0", "reader-1"}


def test_memory_is_a_figure_that_does_not_take_the_start_for_growth() -> None:
    """100 MB of caches in the first quarter of an hour, then 12 MB an hour more."""
    samples = [(60.0 * turn, {"web": 200 + min(turn, 15) * 100 / 15 + turn / 5, "gone": 0.0}) for turn in range(61)]
    assert memory_figures(samples) == {
        "web": {"first": 200.0, "most": 312.0, "last": 312.0, "mb_an_hour": 12.0},
        "gone": {"first": 0.0, "most": 0.0, "last": 0.0, "mb_an_hour": 0.0},
    }


def test_the_same_picture_has_other_bytes_for_each_number() -> None:
    file = Path("samples/scans/02-trader-good/01-application-1.jpg")
    make = marked_jpeg(file)
    assert len({make(turn) for turn in range(3)}) == 3
    (before,), (after,) = split(file.read_bytes(), UploadLimits()), split(make(7), UploadLimits())
    assert (before.image == after.image).all()
