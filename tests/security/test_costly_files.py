"""Small files that cost minutes or gigabytes to open: each costs what a page is worth, once, and nobody else waits."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import sqlalchemy as sa

from docproc.errors import LimitError
from docproc.flow.core.context import open_context
from docproc.sandbox.spent import metered
from docproc.scan.files import split_limited as splitting
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.split_limited import split_limited
from docproc.store.tables.applications import RefusedFileRow
from tests.api.group import Group, group, open_application, settings_of, upload_all, view
from tests.flow.people import until
from tests.security import costly

PAGE_S, FILE_S = 1.0, 3.0
TIGHT = UploadLimits(page_cpu_s=PAGE_S, cpu_s=FILE_S)


@pytest.mark.parametrize("make", costly.ENDLESS.values(), ids=costly.ENDLESS)
def test_a_page_may_cost_what_a_page_is_worth(make: Callable[[], bytes]) -> None:
    data = make()
    assert len(data) < 300_000
    with metered() as meter, pytest.raises(LimitError) as caught:
        list(split_limited(data, TIGHT))
    assert caught.value.code in ("too_slow", "too_much_memory")
    assert meter.cpu_s < FILE_S + 0.5, "the kernel's share is limited with the file's time alone"


def test_many_pages_share_what_the_file_is_worth() -> None:
    data = costly.nested_forms(depth=3, fan=5, pages=150)
    limits = UploadLimits(pages=200, total_pixels=10**9, page_cpu_s=9, cpu_s=FILE_S)
    with metered() as meter, pytest.raises(LimitError) as caught:
        list(split_limited(data, limits))
    assert caught.value.code == "too_slow"
    assert FILE_S / 2 < meter.cpu_s < FILE_S + 0.5


def test_pages_come_one_after_another_and_never_all_at_once() -> None:
    assert len(costly.bilevel_tiff(pages=200)) < 25_000
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:  # one that has had no other children
        pages, grown_mb, parser_mb = alone.submit(split_of_200_pages).result(120)
    assert pages == 200
    assert grown_mb < 200, "720 MB of pages"
    assert parser_mb < 700


def split_of_200_pages() -> tuple[int, int, int]:
    """How many pages came, by how much this process grew meanwhile at most, and the most that a parser held, MiB."""
    before, seen = peak_mb(), 0
    for page in split_limited(costly.bilevel_tiff(pages=200), UploadLimits(pages=200, memory_mb=1100)):
        assert page.image.shape == (1090, 1090, 3)
        seen += 1
    splitting._SANDBOX.close()  # its children count once it has ended
    return seen, peak_mb() - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def peak_mb() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024


def test_an_honest_page_of_the_largest_size_is_read() -> None:
    pages = list(split_limited(costly.blank_png(7700, 7700), UploadLimits(memory_mb=2048)))
    assert pages[0].image.shape == (7700, 7700, 3)


@pytest.fixture(scope="module")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A service whose worker opens files for real, and gives a page little time."""
    folder = tmp_path_factory.mktemp("costly") / "var"
    with group(folder, "docproc.flow.worker", DOCPROC_PAGE_CPU_SECONDS="1.5", DOCPROC_PARSE_CPU_SECONDS="4") as running:
        yield running


def test_what_was_too_dear_to_draw_is_not_opened_again(reading: Group) -> None:
    """Not for reading it, and not when it is uploaded again; an 828-byte PDF held a reader for 90 s."""
    kiosk = reading.client(reading.new_key("kiosk-1", "kiosk"))
    data = costly.nested_forms()
    with kiosk:
        for turn in range(2):
            number = open_application(kiosk)
            upload_all(kiosk, number, [data])
            until(lambda number=number: view(kiosk, number)["checked"], 120)
            page = view(kiosk, number)["pages"][0]
            assert page["state"] == "failed", turn
            codes = [item["code"] for item in view(kiosk, number)["findings"]]
            assert "too_slow" in codes or "too_much_memory" in codes, codes
    ctx = open_context(settings_of(reading.env))
    with ctx.database.read() as session:
        rows = session.scalars(sa.select(RefusedFileRow)).all()
        assert len(rows) == 1 and 1.0 < rows[0].cpu_s < 4.5
    ctx.close()
    log = (reading.folder / "log").read_text()
    assert log.count("these bytes are not opened again") == 1
