from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from docproc.errors import LimitError, UnsupportedFileError
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.split import split
from docproc.scan.files.split_limited import split_limited, split_shared
from tests.scan.files.test_split import heic
from tests.scan.pages import form_pdf, text_page, tiff_of

JPEG = cv2.imencode(".jpg", text_page())[1].tobytes()


def test_pages_are_the_same_as_without_the_sandbox() -> None:
    coded = (cv2.imencode(kind, text_page())[1].tobytes() for kind in (".png", ".webp"))
    for data in (JPEG, *coded, heic(quality=90, tile_size=256), form_pdf(), tiff_of([text_page(72), text_page(60)])):
        ours, plain = list(split_limited(data)), split(data)
        assert [(page.index, page.dpi) for page in ours] == [(page.index, page.dpi) for page in plain]
        assert all(np.array_equal(a.image, b.image) for a, b in zip(ours, plain, strict=True))


def test_who_draws_and_who_reads_a_page_share_one_image_that_neither_can_change() -> None:
    with ThreadPoolExecutor(2) as both:
        (one,), (other,) = both.map(lambda _: list(split_shared(JPEG)), range(2))
    assert one.image is other.image and not one.image.flags.writeable
    (later,) = split_shared(JPEG)
    assert later.image is not one.image, "it is kept for the second one alone"
    assert np.array_equal(later.image, one.image)
    list(split_shared(JPEG))  # takes what the third left


def test_files_of_several_pages_and_refusals_are_shared_too_or_opened_anew() -> None:
    two = tiff_of([text_page(72), text_page(60)])
    first, second = list(split_shared(two)), list(split_shared(two))
    assert [page.index for page in first] == [page.index for page in second] == [0, 1]
    caught = []
    for _ in range(2):
        with pytest.raises(UnsupportedFileError) as refused:
            list(split_shared(JPEG[:-500]))
        caught.append(refused.value)
    assert caught[0] is caught[1], "who comes second does not pay again"
    with pytest.raises(UnsupportedFileError):
        list(split_shared(JPEG[:-500]))


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
