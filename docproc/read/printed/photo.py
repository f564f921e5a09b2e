"""Process photographs of printed licences in a sandboxed child: no uploaded image is decoded in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from hashlib import sha256

from docproc.assets.paths import weights_dir
from docproc.canonical import JsonObject
from docproc.domain import as_box
from docproc.read.printed.comparison import ComparedField, Comparison, Fact
from docproc.sandbox.decided import DECIDED
from docproc.sandbox.parent import Budget, Sandbox, understanding
from docproc.sandbox.policy import Policy
from docproc.sandbox.spent import metered
from docproc.scan.files.limits import PARSERS

MAX_BYTES = 20_000_000
"""Maximum size of one photograph."""
MAX_PHOTOS = 12
"""Maximum number of pages of a licence."""
MAX_ALL_BYTES = 60_000_000
"""Maximum size of all photographs of one licence."""
MAX_PIXELS = 160_000_000
"""Of all photographs together: a dozen of usual phones, or three of the largest."""
TOO_MANY = "照片页数过多或像素过大，请只拍证照的各页后重试"
_CODES = Sandbox("docproc.read.printed.photo_job:codes_job", Policy(threads=True))
_COMPARE = Sandbox(
    "docproc.read.printed.photo_job:compare_job",
    Policy(read=lambda: (weights_dir(),), threads=True, warm_up="docproc.read.printed.photo_job:load"),
)
PAGE_S = 4.0
"""CPU time for opening one photograph and finding its codes: seen 0.1 to 0.4 s for 8 to 50 million pixels."""
_CODES_S = 16.0
"""And for all of them."""
_CODES_MB = 2048
_ENGINE_S, _COMPARED_S = 36.0, 3.0
"""CPU time for comparing, and for each photograph: seen 2 to 3 s for one; more where the processor does not compute in
bf16."""
_COMPARE_MB = 3200
"""Address space, of which the OCR engine reserves much and uses half: seen 2.3 GiB for a photograph of 50 million
pixels, 2.6 GiB for twelve photographs."""
_WAITING_S = 20.0
_COMPARED_BYTES = 100_000_000


def prepare() -> None:
    """Start both helper processes while the caller does something else; the first comparison comes sooner."""
    _CODES.start()
    _COMPARE.start()


def photo_codes(photos: Sequence[bytes]) -> tuple[str, ...]:
    """Decode the QR codes in photographs or scans, file by file; what is too dear to open is so once.

    Raises:
        UnsupportedFileError: not an image or PDF, or damaged.
        LimitError: over a limit.
    """
    found: list[str] = []
    pages, pixels, left = MAX_PHOTOS, MAX_PIXELS, _CODES_S
    for photo in photos:
        options = {"pages": pages, "pixels": pixels, "page_s": PAGE_S}
        budget = Budget(max(left, 0.1), _CODES_MB, _WAITING_S + 2 * _CODES_S, 1_000_000)
        asked = ("codes", sha256(photo).hexdigest(), str(PARSERS))
        with metered() as meter:
            answer, _ = DECIDED.once(asked, partial(_CODES.call, photo, options, budget))
        left -= meter.cpu_s
        with understanding():
            pages, pixels = pages - int(answer["pages"]), pixels - int(answer["pixels"])
            found += map(str, answer["codes"])
    return tuple(dict.fromkeys(found))


def compare_print(photos: Sequence[bytes], issued: bytes, facts: Sequence[Fact]) -> Comparison:
    """Compare photographs of a printed licence with the issued file; raises as :func:`photo_codes`."""
    encoded = json.dumps([astuple(fact) for fact in facts]).encode()
    sizes = {"facts": len(encoded), "issued": len(issued), "photos": [len(item) for item in photos]}
    data = encoded + issued + b"".join(photos)
    cpu_s = _ENGINE_S + _COMPARED_S * len(photos)
    budget = Budget(cpu_s, _COMPARE_MB, _WAITING_S + 2 * cpu_s, _COMPARED_BYTES)
    asked = ("compare", sha256(data).hexdigest(), str(PARSERS))
    answer, parts = DECIDED.once(asked, lambda: _COMPARE.call(data, {**sizes, "page_s": PAGE_S}, budget))
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
