"""Licences of several pages, and the seal across their edges (骑缝章)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.devpki.responder import DevPki
from docproc.licence.page.annex import MAX_PAGES, MORE
from docproc.licence.page.art import SealArt
from docproc.licence.page.canvas import PT
from docproc.licence.page.layout import load_layout
from docproc.licence.page.render import render
from docproc.licence.pki.trust import TrustList
from docproc.licence.verify.verify import verify
from tests.judges.judges import verapdf
from tests.licence.attacks import append, current
from tests.licence.conftest import now

LAYOUT = load_layout("food_business")
DPI = 254
"""Ten pixels a millimetre."""


def long_licence(licence: Licence, times: int) -> Licence:
    items = "；".join(f"样例经营项目第{number}类（示例）" for number in range(1, times + 1))
    return replace(licence, fields=(*licence.fields[:3], ("items", "经营项目", items)))


@pytest.fixture(scope="module")
def pages(licence: Licence, art: SealArt) -> bytes:
    """Three pages."""
    return render(long_licence(licence, 140), LAYOUT, art)


def text_of(page: pymupdf.Page) -> str:
    return str(page.get_text()).replace("\n", "")


def pixels_of(page: pymupdf.Page, clip: pymupdf.Rect) -> np.ndarray:
    """A part of the page, at ten pixels a millimetre."""
    picture = page.get_pixmap(dpi=DPI, clip=clip)
    pixels = np.frombuffer(picture.samples, np.uint8)
    return pixels.reshape(picture.height, picture.width, 3).astype(int)


def red(pixels: np.ndarray) -> np.ndarray:
    """Where the colour of seals stands alone."""
    return (pixels[..., 0] > 175) & (pixels[..., 1] < 70) & (pixels[..., 2] < 80)


def test_long_text_moves_to_annex_pages_whole(licence: Licence, pages: bytes) -> None:
    document = pymupdf.open(stream=pages)
    assert len(document) == 3
    assert MORE in text_of(document[0])
    annex = "".join(text_of(page) for page in list(document)[1:])
    for number in (1, 40, 140):
        assert f"样例经营项目第{number}类（示例）" in annex
    for index, page in enumerate(list(document)[1:], 2):
        words = text_of(page)
        assert f"第 {index} 页，共 3 页" in words
        assert licence.number in words


def test_what_fits_stays_on_one_page_without_a_seal_across(licence: Licence, pdf: bytes, art: SealArt) -> None:
    assert render(licence, LAYOUT, art) == pdf
    assert b"/Across" not in pdf


def test_each_page_carries_its_slice_and_together_they_are_the_seal(pages: bytes, art: SealArt) -> None:
    document = pymupdf.open(stream=pages)
    assert LAYOUT.annex is not None
    share, middle = art.diameter / 3, LAYOUT.annex.across_y
    slices = []
    for page in document:
        right = page.rect.width
        clip = pymupdf.Rect(
            right - share * PT, (middle - art.diameter / 2) * PT, right, (middle + art.diameter / 2) * PT
        )
        slices.append(pixels_of(page, clip))
        assert slices[-1].shape[1] == pytest.approx(share * 10, abs=1)
        beside = pymupdf.Rect(right - 50 * PT, clip.y0, clip.x0 - 0.2 * PT, clip.y1)
        assert not red(pixels_of(page, beside)).any()
    joined = np.hstack(slices)
    height, width, _ = joined.shape
    across, down = np.mgrid[0:height, 0:width]
    distance = np.hypot(across - height / 2, down - width / 2) / 10
    inked = joined[..., 1] < 100  # the seal, darker where it lies over the border's lines
    ring = (distance > 20.1) & (distance < 20.7)
    assert inked[ring].mean() > 0.99, "the outer ring is whole over the three edges"
    star = distance < 2
    assert inked[star].mean() > 0.99, "the star lies on the middle page"
    assert not red(joined)[distance > 21.2].any()


def test_the_same_licence_gives_the_same_pages(licence: Licence, pages: bytes, art: SealArt) -> None:
    again = render(long_licence(licence, 140), LAYOUT, art)
    assert hashlib.sha256(again).digest() == hashlib.sha256(pages).digest()


def test_a_licence_of_several_pages_is_sealed_whole(
    pki: DevPki, trust: TrustList, make_sealed: Callable[..., bytes], pages: bytes, tmp_path: Path
) -> None:
    data = make_sealed(pki, data=pages)
    report = verify(data, trust, now())
    assert report.ok, report.reasons
    file = tmp_path / "pages.pdf"
    file.write_bytes(data)
    assert verapdf([file], "3b")[0].failed == ()


@pytest.mark.parametrize("index", [0, 1, 2])
def test_no_page_can_be_exchanged_or_lose_its_slice(
    pki: DevPki, trust: TrustList, make_sealed: Callable[..., bytes], pages: bytes, index: int
) -> None:
    data = make_sealed(pki, data=pages)
    root = PdfFileReader(io.BytesIO(data)).root
    number = root["/Pages"]["/Kids"].raw_get(index).idnum
    page = current(data, number).replace(b"/Across", b"/Acros_")
    report = verify(append(data, {number: page}), trust, now())
    assert (report.ok, report.integrity) == (False, "altered")


def test_more_pages_than_can_be_sealed_across_are_refused(licence: Licence, art: SealArt) -> None:
    with pytest.raises(InputError, match=f"at most {MAX_PAGES}") as refused:
        render(long_licence(licence, 1400), LAYOUT, art)
    assert "请精简" in refused.value.message_zh
