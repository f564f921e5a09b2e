"""Split an upload into pages in sandboxed child processes, see :mod:`docproc.sandbox.parent`.

Pages come a few at a time, so that neither side ever holds a whole file of them. Each page may use what a page is
worth, and the file what it is worth as a whole.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict
from hashlib import sha256

import cv2
import numpy as np

from docproc.canonical import JsonObject
from docproc.errors import InputError, LimitError
from docproc.sandbox import pace
from docproc.sandbox.parent import Budget, Sandbox, understanding
from docproc.sandbox.policy import Policy
from docproc.sandbox.spent import metered
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.sniff import sniff
from docproc.scan.files.split import PageImage, each_page, split

_SANDBOX = Sandbox(
    "docproc.scan.files.split_limited:split_job", Policy(threads=True, warm_up="docproc.scan.files.split:load")
)
_AT_ONCE = 48_000_000
"""Bytes of pages after which a child hands over what it has; a page that is larger comes alone."""
_SHORTEST_S = 0.05
_MOST_SHARED = 2
_SHARED: OrderedDict[tuple[bytes, UploadLimits | None], Future[PageImage | None]] = OrderedDict()
_LOCK = threading.Lock()
_WAITING_S = 5.0


def prepare() -> None:
    """Start the helper process while the caller does something else; the first file is then opened sooner."""
    _SANDBOX.start()


def split_shared(data: bytes, limits: UploadLimits | None = None) -> Iterator[PageImage]:
    """As :func:`split_limited` for two that want the same file at about the same time, drawing and reading it.

    A file of one page is opened once: who comes second waits for the first, and gets the same image, which nobody may
    change, or the same refusal. It is kept for the second one only, and no more than two are kept.
    """
    key = (sha256(data).digest(), limits)
    with _LOCK:
        found = _SHARED.pop(key, None)
        own: Future[PageImage | None] = Future()
        if found is None:
            _SHARED[key] = own
            while len(_SHARED) > _MOST_SHARED:
                _SHARED.popitem(last=False)
    page = found.result() if found is not None else None
    if page is not None:
        yield page
        return
    try:
        for page in split_limited(data, limits):
            page.image.flags.writeable = False
            if page.index == 0:
                own.set_result(page if page.count == 1 and page.image.nbytes <= _AT_ONCE else None)
            yield page
    except InputError as error:
        if not own.done():
            own.set_exception(error)  # what is too dear to open is so once
        raise
    finally:
        if not own.done():
            own.set_result(None)


def split_limited(data: bytes, limits: UploadLimits | None = None) -> Iterator[PageImage]:
    """As :func:`docproc.scan.files.split.each_page`, in child processes with limits on time and memory.

    Raises:
        UnsupportedFileError: unsupported kind of file, damaged, or it crashed the parser.
        LimitError: over a limit on bytes, pages, pixels, time or memory.
        OverdueError: the machine was too busy for it.
        SetupError: the child process cannot be started.
    """
    limits = limits or UploadLimits()
    sniff(data[:2048])
    if len(data) > limits.bytes:
        split(data, limits)
    largest = 3 * limits.page_pixels + _AT_ONCE + 100_000
    first, count, pixels, left = 0, 1, 0, limits.cpu_s
    while first < count:
        budget = Budget(max(left, _SHORTEST_S), limits.memory_mb, 2 * limits.cpu_s + _WAITING_S, largest)
        with metered() as meter:
            answer, parts = _SANDBOX.call(data, {"limits": asdict(limits), "first": first, "pixels": pixels}, budget)
        left -= meter.cpu_s
        with understanding():
            count, told = min(int(answer["count"]), limits.pages), list(answer["pages"])
        if not parts or not told:
            raise LimitError(f"no page {first} of {count}")
        for page in told:
            with understanding():
                height, width = int(page["height"]), int(page["width"])
                dpi = None if page["dpi"] is None else float(page["dpi"])
                image = np.frombuffer(parts.pop(0), np.uint8).reshape(height, width, 3)
            pixels += height * width
            yield PageImage(first, image, dpi, count)
            del image
            first += 1


def split_job(data: bytes, options: JsonObject) -> tuple[JsonObject, Sequence[memoryview]]:
    """Run in the child: split from a page on, and return some pages as raw bytes."""
    cv2.setNumThreads(1)
    limits = UploadLimits(**options["limits"])
    found: list[JsonObject] = []
    images, size, count = [], 0, 0
    pace.allow(limits.page_cpu_s)
    for page in each_page(data, limits, options["first"], options["pixels"]):
        found.append({"height": page.image.shape[0], "width": page.image.shape[1], "dpi": page.dpi})
        images.append(np.ascontiguousarray(page.image).data)
        size, count = size + page.image.nbytes, page.count
        if size >= _AT_ONCE:
            break
        pace.allow(limits.page_cpu_s)
    pace.allow(0)
    return {"pages": found, "count": count}, images
