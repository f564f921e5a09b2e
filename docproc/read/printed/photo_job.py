"""The child process of :mod:`docproc.read.printed.photo`: decode, recognise, compare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache

import cv2

from docproc.canonical import JsonObject
from docproc.errors import LimitError, SetupError
from docproc.read.engine.openvino import LineReader
from docproc.read.printed.comparison import Fact
from docproc.read.printed.photo import MAX_PHOTOS, MAX_PIXELS, TOO_MANY
from docproc.read.printed.printed import compare_pages
from docproc.sandbox import pace
from docproc.scan.files.issued import issued_pages
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.qr import read_qr_codes
from docproc.scan.files.split import each_page
from docproc.scan.image.geometry import Image


@cache
def _reader() -> LineReader:
    return LineReader("small", threads=1, precision="auto")


def load() -> None:
    """Load the network that :func:`compare_job` uses; each child of this process has it, and shares its memory.

    One thread: a network with several would wait in a child for those that only its parent has.
    """
    cv2.setNumThreads(1)
    with suppress(SetupError):  # without weights each comparison says so
        _reader()


def codes_job(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[bytes]]:
    """Decode the pages of one file and their QR codes, one page after another."""
    cv2.setNumThreads(1)
    texts: list[str] = []
    pages, pixels = 0, 0
    for image in _pages(data, options["pages"], options["pixels"], options["page_s"]):
        texts += read_qr_codes(image)
        pages, pixels = pages + 1, pixels + image.shape[0] * image.shape[1]
    return {"codes": list(dict.fromkeys(texts)), "pages": pages, "pixels": pixels}, []


def compare_job(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[bytes]]:
    """Decode the images, render the issued file, compare; ``data`` concatenates facts, issued file and images."""
    cv2.setNumThreads(1)
    start, end = options["facts"], options["facts"] + options["issued"]
    facts = [Fact(*item) for item in json.loads(data[:start])]
    photos = list(_pictures(data[end:], options["photos"], options["page_s"]))
    found = compare_pages(photos, issued_pages(data[start:end]), facts, _reader())
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


def _pictures(data: bytes, sizes: Sequence[int], page_s: float) -> Iterator[Image]:
    """Every page of concatenated files.

    Raises:
        LimitError: more pages or pixels than a printed licence can have.
    """
    pages, pixels, start = MAX_PHOTOS, MAX_PIXELS, 0
    for size in sizes:
        for image in _pages(data[start : start + size], pages, pixels, page_s):
            pages, pixels = pages - 1, pixels - image.shape[0] * image.shape[1]
            yield image
        start += size


def _pages(data: bytes, pages: int, pixels: int, page_s: float) -> Iterator[Image]:
    """Every page of a file, one at a time, each in the time that is a page's.

    Raises:
        LimitError: more pages or pixels than are left for it.
    """
    if pages < 1 or pixels < 1:
        raise LimitError("more pages or pixels than a printed licence can have", message_zh=TOO_MANY)
    pace.allow(page_s)
    for page in each_page(data, UploadLimits(pages=pages, total_pixels=pixels)):
        yield page.image
        pace.allow(page_s)
    pace.allow(0)
