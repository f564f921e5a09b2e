from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from docproc.errors import LimitError, UnsupportedFileError
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.split import split
from docproc.scan.files.split_limited import split_limited
from tests.scan.files.test_split import heic
from tests.scan.pages import form_pdf, text_page, tiff_of

JPEG = cv2.imencode(".jpg", text_page())[1].tobytes()


def test_pages_are_the_same_as_without_the_sandbox() -> None:
    coded = (cv2.imencode(kind, text_page())[1].tobytes() for kind in (".png", ".webp"))
    for data in (JPEG, *coded, heic(quality=90, tile_size=256), form_pdf(), tiff_of([text_page(72), text_page(60)])):
        ours, plain = list(split_limited(data)), split(data)
        assert [(page.index, page.dpi) for page in ours] == [(page.index, page.dpi) for page in plain]
        assert all(np.array_equal(a.image, b.image) for a, b in zip(ours, plain, strict=True))


def test_refusals_keep_their_kind_code_and_message() -> None:
    with pytest.raises(UnsupportedFileError) as caught:
        list(split_limited(JPEG[:-500]))
    assert caught.value.code == "damaged_file"
    assert "重新" in caught.value.message_zh
    with pytest.raises(LimitError) as over:
        list(split_limited(JPEG, UploadLimits(bytes=10)))
    assert over.value.code == "file_too_large"


def test_memory_of_a_parser_is_bounded() -> None:
    bomb = cv2.imencode(".png", np.zeros((12_000, 12_000), np.uint8))[1].tobytes()
    assert len(bomb) < 500_000
    roomy = UploadLimits(page_pixels=10**9, total_pixels=10**9, memory_mb=900)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak of what ran here before
    before = peak_kib()
    with pytest.raises(LimitError) as caught:
        list(split_limited(bomb, roomy))
    assert caught.value.code == "too_much_memory"
    assert peak_kib() - before < 100 * 1024, "the picture of 412 MiB is never in this process"


def peak_kib() -> int:
    """Largest resident memory of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def test_a_warm_sandbox_starts_no_further_helper() -> None:
    list(split_limited(JPEG))
    before = children()
    for _ in range(3):
        list(split_limited(JPEG))
        assert children() == before


def children() -> set[str]:
    """Processes that this one started and that have not ended."""
    return {pid for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()}
