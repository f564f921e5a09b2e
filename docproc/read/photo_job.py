"""The child's side of :mod:`docproc.read.photo`: decode, read, compare."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import cv2

from docproc.read.comparison import Fact
from docproc.read.openvino import OpenVinoRecogniser
from docproc.read.printed import compare
from docproc.scan.codes import qr_texts
from docproc.scan.intake import split
from docproc.scan.issued import issued_pages
from docproc.scan.limits import Limits

_PHOTO = Limits(pages=4, total_pixels=80_000_000)
"""A licence has few pages, and phones deliver up to 50 million pixels."""


def codes_job(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Decode a picture and look for QR codes."""
    cv2.setNumThreads(1)
    pages = split(data, _PHOTO)
    return {"codes": list(dict.fromkeys(text for page in pages for text in qr_texts(page.image)))}, []


def compare_job(data: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], Sequence[bytes]]:
    """Decode a picture, draw the issued file, compare; ``data`` holds facts, issued file and picture, in this order."""
    cv2.setNumThreads(1)
    told, end = options["facts"], options["facts"] + options["issued"]
    facts = [Fact(*item) for item in json.loads(data[:told])]
    photos = [page.image for page in split(data[end:], _PHOTO)]
    found = compare(photos, issued_pages(data[told:end]), facts, OpenVinoRecogniser(threads=1))
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
    answer = {"registered": found.registered, "fields": rows, "added": [box for box, _ in found.added]}
    pictures = [picture for item in found.fields for picture in (item.shown, item.issued)]
    return answer, [*pictures, *(picture for _, picture in found.added)]
