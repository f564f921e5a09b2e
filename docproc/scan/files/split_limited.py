"""Split an upload into pages in a sandboxed child process, see :mod:`docproc.sandbox.parent`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import cv2
import numpy as np

from docproc.canonical import JsonObject
from docproc.sandbox.parent import Budget, Sandbox
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.sniff import sniff
from docproc.scan.files.split import PageImage, split

_SANDBOX = Sandbox("docproc.scan.files.split_limited:split_job")


def split_limited(
    data: bytes, limits: UploadLimits | None = None, cpu_s: int = 20, memory_mb: int = 2048
) -> tuple[PageImage, ...]:
    """As :func:`docproc.scan.files.split.split`, in a child process with limits on time and memory.

    Raises:
        UnsupportedFileError: unsupported kind of file, damaged, or it crashed the parser.
        LimitError: over a limit on bytes, pages, pixels, time or memory.
        SetupError: the child process cannot be started.
    """
    limits = limits or UploadLimits()
    sniff(data[:2048])
    budget = Budget(cpu_s, memory_mb, wall_s=2.0 * cpu_s + 5.0, result_bytes=3 * limits.total_pixels + 100_000)
    if len(data) > limits.bytes:
        return split(data, limits)
    answer, parts = _SANDBOX.call(data, asdict(limits), budget)
    return tuple(
        PageImage(index, np.frombuffer(part, np.uint8).reshape(page["height"], page["width"], 3), page["dpi"])
        for index, (page, part) in enumerate(zip(answer["pages"], parts, strict=True))
    )


def split_job(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[memoryview]]:
    """Run in the child: split, and return the pages as raw bytes."""
    cv2.setNumThreads(1)
    pages = split(data, UploadLimits(**options))
    sizes = [{"height": page.image.shape[0], "width": page.image.shape[1], "dpi": page.dpi} for page in pages]
    return {"pages": sizes}, [np.ascontiguousarray(page.image).data for page in pages]
