"""Business licences of every older edition, and food licences: what they say, or doubt."""

from __future__ import annotations

from datetime import date

import pytest

from docproc.bench.read import plain
from docproc.check.check import LOOK
from docproc.matter.load import find_matter
from docproc.read.pipeline import read_file
from samples.make import SamplePage
from samples.singles import MATTER, make_singles

TODAY = date(2026, 11, 23)
PAGES = make_singles(41, "scan")


NAMED = [pytest.param(page, id=f"{place}-{page.truth.material}") for place, page in enumerate(PAGES)]


@pytest.mark.parametrize("page", NAMED)
def test_an_older_paper_is_told_by_its_words_and_read(page: SamplePage) -> None:
    (read,) = read_file(page.image, page.name, find_matter(MATTER), today=TODAY)
    assert (read.material, read.how) == (page.truth.material, "free")
    right = 0
    for name, truth in page.truth.fields.items():
        found = read.fields[name]
        same = found.value is not None and plain(found.value) == plain(truth)
        assert same or found.value is None or found.confidence < LOOK, (name, found)
        right += same
    assert right >= len(page.truth.fields) - 1
