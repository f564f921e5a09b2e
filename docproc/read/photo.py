"""Photographs of printed licences, looked at in a throw-away process: no stranger's picture is decoded in ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple

from docproc.domain import Box
from docproc.read.comparison import ComparedField, Comparison, Fact
from docproc.sandbox import Budget, Sandbox

MAX_BYTES = 20_000_000
_CODES = Sandbox("docproc.read.photo_job:codes_job")
_COMPARE = Sandbox("docproc.read.photo_job:compare_job")
_BUDGET = Budget(cpu_s=60, memory_mb=6144, wall_s=90.0, result_bytes=100_000_000)
"""Address space, of which the reading engine reserves much and uses little."""


def photo_codes(photo: bytes) -> tuple[str, ...]:
    """Texts of the QR codes in a photograph or scan.

    Raises:
        UnsupportedFileError: not a picture or PDF, or damaged.
        LimitError: over a limit.
    """
    answer, _ = _CODES.call(photo, {}, _BUDGET)
    return tuple(str(item) for item in answer["codes"])


def compare_print(photo: bytes, issued: bytes, facts: Sequence[Fact]) -> Comparison:
    """Compare a photograph of a printed licence with the file that was issued; raises as :func:`photo_codes`."""
    told = json.dumps([astuple(fact) for fact in facts]).encode()
    answer, parts = _COMPARE.call(told + issued + photo, {"facts": len(told), "issued": len(issued)}, _BUDGET)
    pictures = iter(bytes(part) for part in parts)
    found = tuple(
        ComparedField(
            facts[item["fact"]],
            item["result"],
            str(item["read"]),
            float(item["confidence"]),
            item["photo"],
            _box(item["box"]) if item["box"] is not None else None,
            next(pictures),
            next(pictures),
        )
        for item in answer["fields"]
    )
    added = tuple((_box(box), next(pictures)) for box in answer["added"])
    return Comparison(bool(answer["registered"]), found, added)


def _box(raw: Sequence[float]) -> Box:
    x0, y0, x1, y1 = (float(value) for value in raw)
    return x0, y0, x1, y1
