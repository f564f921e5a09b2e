"""Process photographs of printed licences in a sandboxed child: no uploaded image is decoded in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple

from docproc.assets.paths import compiled_dir, weights_dir
from docproc.canonical import JsonObject
from docproc.domain import as_box
from docproc.read.printed.comparison import ComparedField, Comparison, Fact
from docproc.sandbox.parent import Budget, Sandbox, understanding
from docproc.sandbox.policy import Policy

MAX_BYTES = 20_000_000
"""Maximum size of one photograph."""
MAX_PHOTOS = 12
"""Maximum number of pages of a licence."""
MAX_ALL_BYTES = 60_000_000
"""Maximum size of all photographs of one licence."""
TOO_MANY = "照片页数过多或像素过大，请只拍证照的各页后重试"
_CODES = Sandbox("docproc.read.printed.photo_job:codes_job", Policy(threads=True))
_COMPARE = Sandbox(
    "docproc.read.printed.photo_job:compare_job",
    Policy(
        read=lambda: (weights_dir(), compiled_dir()), threads=True, prepare="docproc.read.printed.photo_job:prepare"
    ),
)
_BUDGET = Budget(cpu_s=120, memory_mb=6144, wall_s=180.0, result_bytes=100_000_000)
"""``memory_mb`` limits the address space, of which the OCR engine reserves much and uses little."""


def photo_codes(photos: Sequence[bytes]) -> tuple[str, ...]:
    """Decode the QR codes in photographs or scans.

    Raises:
        UnsupportedFileError: not an image or PDF, or damaged.
        LimitError: over a limit.
    """
    answer, _ = _CODES.call(b"".join(photos), {"photos": [len(item) for item in photos]}, _BUDGET)
    with understanding():
        return tuple(str(item) for item in answer["codes"])


def compare_print(photos: Sequence[bytes], issued: bytes, facts: Sequence[Fact]) -> Comparison:
    """Compare photographs of a printed licence with the issued file; raises as :func:`photo_codes`."""
    encoded = json.dumps([astuple(fact) for fact in facts]).encode()
    sizes = {"facts": len(encoded), "issued": len(issued), "photos": [len(item) for item in photos]}
    answer, parts = _COMPARE.call(encoded + issued + b"".join(photos), sizes, _BUDGET)
    with understanding():
        return _comparison(answer, parts, facts)


def _comparison(answer: JsonObject, parts: Sequence[bytearray], facts: Sequence[Fact]) -> Comparison:
    pictures = iter(bytes(part) for part in parts)
    found = tuple(
        ComparedField(
            facts[item["fact"]],
            item["result"],
            str(item["read"]),
            float(item["confidence"]),
            item["photo"],
            as_box(item["box"]) if item["box"] is not None else None,
            next(pictures),
            next(pictures),
        )
        for item in answer["fields"]
    )
    added = tuple((as_box(box), next(pictures)) for box in answer["added"])
    return Comparison(bool(answer["registered"]), found, added, tuple(int(page) for page in answer["missing"]))
