"""The child process of :mod:`docproc.read.printed.photo`: decode, recognise, compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress

import cv2

from docproc.canonical import JsonObject
from docproc.errors import LimitError, SetupError
from docproc.read.engine.openvino import OpenVinoRecogniser, share_compiled
from docproc.read.printed.comparison import Fact
from docproc.read.printed.photo import MAX_PHOTOS, TOO_MANY
from docproc.read.printed.printed import compare_pages
from docproc.scan.files.issued import issued_pages
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.qr import read_qr_codes
from docproc.scan.files.split import each_page
from docproc.scan.image.geometry import Image

_PIXELS = 160_000_000
"""Of all photographs together: a dozen of usual phones, or three of the largest."""


def prepare() -> None:
    """Compile the networks that :func:`compare_job` uses into the folder that it then only reads."""
    with suppress(SetupError):  # without weights each comparison says so
        OpenVinoRecogniser(threads=1)
    share_compiled()


def codes_job(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[bytes]]:
    """Decode images and their QR codes."""
    cv2.setNumThreads(1)
    texts = [text for image in _pictures(data, options["photos"]) for text in read_qr_codes(image)]
    return {"codes": list(dict.fromkeys(texts))}, []


def compare_job(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[bytes]]:
    """Decode the images, render the issued file, compare; ``data`` concatenates facts, issued file and images."""
    cv2.setNumThreads(1)
    start, end = options["facts"], options["facts"] + options["issued"]
    facts = [Fact(*item) for item in json.loads(data[:start])]
    photos = list(_pictures(data[end:], options["photos"]))
    found = compare_pages(photos, issued_pages(data[start:end]), facts, OpenVinoRecogniser(threads=1))
    rows = [
        {
            "fact": facts.index(item.fact),
            "result": item.result,
            "read": item.read,
            "confidence": item.confidence,
            "photo": item.photo,
            "box": item.box,
        }
        for item in found.fields
    ]
    answer: JsonObject = {"registered": found.registered, "fields": rows, "added": [box for box, _ in found.added]}
    answer["missing"] = found.missing
    pictures = [picture for item in found.fields for picture in (item.shown, item.issued)]
    return answer, [*pictures, *(picture for _, picture in found.added)]


def _pictures(data: bytes, sizes: Sequence[int]) -> Iterator[Image]:
    """Every page of concatenated files, one at a time.

    Raises:
        LimitError: more pages or pixels than a printed licence can have.
    """
    pages, pixels, start = MAX_PHOTOS, _PIXELS, 0
    for size in sizes:
        for page in each_page(data[start : start + size], UploadLimits(pages=pages, total_pixels=pixels)):
            pages, pixels = pages - 1, pixels - page.image.shape[0] * page.image.shape[1]
            if pages < 0 or pixels < 0:
                raise LimitError("more pages or pixels than a printed licence can have", message_zh=TOO_MANY)
            yield page.image
        start += size
