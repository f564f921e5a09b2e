"""Fresh scans of paper held against the scans of an application: what was changed is seen, what was not is let pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import pytest

from docproc.errors import LimitError, UnsupportedFileError
from docproc.scan.compare.paper_match import MAX_SHEETS, PageRef, PaperMatch, match_papers
from samples.forms import placed
from samples.make import SamplePage, jpeg, make_application
from tests.scan.pages import tiff_of

SEED = 1807
Box = tuple[float, float, float, float]


@cache
def pages(kind: str, seed: int = SEED) -> tuple[SamplePage, ...]:
    """The same sheets for every kind of damage."""
    return tuple(make_application(seed, "sole_trader", kind))


def check(scans: Sequence[SamplePage], papers: Sequence[bytes]) -> PaperMatch:
    return match_papers([page.image for page in scans], [PageRef(file, 0) for file in range(len(scans))], papers)


def form(kind: str, seed: int = SEED) -> SamplePage:
    return next(p for p in pages(kind, seed) if (p.truth.material, p.truth.page) == ("application", 1))


def value_box(page: SamplePage) -> Box:
    """Where the longest value of a form page is written, mm."""
    _, _, layout = placed("sole_trader", page.truth.material)
    written = [p for p in layout.on_page(page.truth.page) if len(page.truth.raw.get(p.name, "")) > 4 and not p.options]
    return max(written, key=lambda place: len(page.truth.raw[place.name])).box


def on_picture(page: SamplePage, box: Box) -> np.ndarray:
    """Corners of a box of the page, px."""
    x0, y0, x1, y1 = box
    corners = np.array([[[x0, y0], [x1, y0], [x1, y1], [x0, y1]]], np.float64)
    return cv2.perspectiveTransform(corners, np.array(page.truth.homography))[0]


def altered(page: SamplePage, how: str) -> tuple[bytes, Box]:
    """The page with a part of a value whitened, written over or added to; and where, mm."""
    image = cv2.imdecode(np.frombuffer(page.image, np.uint8), cv2.IMREAD_COLOR)
    x0, y0, x1, y1 = value_box(page)
    foot = (96.0, 280.0, 104.0, 285.0)  # where the page is blank
    box = foot if how == "added" else (x0 + 0.5, y0 + 1.0, min(x0 + 13.0, x1), y1 - 1.0)
    corners = on_picture(page, box)
    if how != "added":
        around = image[corners[:, 1].astype(int).min() : corners[:, 1].astype(int).max()]
        paper = np.percentile(around.reshape(-1, 3), 80, axis=0)
        cv2.fillConvexPoly(image, np.round(corners).astype(np.int32), tuple(float(v) for v in paper))
    if how != "missing":
        scale = (corners[3, 1] - corners[0, 1]) / 30.0
        where = (int(corners[3, 0] + 3), int(corners[3, 1] - 3))
        cv2.putText(image, "738", where, cv2.FONT_HERSHEY_SIMPLEX, scale, (40, 35, 35), 2, cv2.LINE_AA)
    return jpeg(image, 85), box


@pytest.mark.parametrize(("first", "second"), [("scan", "photo"), ("photo", "scan"), ("scan", "scan")])
def test_every_sheet_finds_its_scan_in_any_order_and_nothing_is_made_up(first: str, second: str) -> None:
    scans, papers = pages(first), pages(second)[::-1]
    found = check(scans, [page.image for page in papers])
    assert [sheet.paper for sheet in found.sheets] == list(range(len(scans)))[::-1]
    assert found.left == ()
    outcomes = {page.name: sheet.outcome for page, sheet in zip(scans, found.sheets, strict=True)}
    assert sum(outcome == "same" for outcome in outcomes.values()) >= len(scans) - 1, outcomes
    assert {sheet.serial for sheet in found.sheets if sheet.serial}, "forms tell which print-out they are"


@pytest.mark.parametrize("kind", ["scan", "photo"])
@pytest.mark.parametrize("how", ["missing", "changed", "added"])
def test_a_value_that_was_altered_on_the_paper_is_shown_where_it_stands(how: str, kind: str) -> None:
    paper, box = altered(form(kind), how)
    (sheet,) = check([form("scan")], [paper]).sheets
    assert sheet.outcome == "differs"
    corners = on_picture(form("scan"), box)
    low, high = corners.min(axis=0), corners.max(axis=0)
    spots = [
        spot
        for spot in sheet.spots
        if spot.box[0] < high[0] and spot.box[2] > low[0] and spot.box[1] < high[1] and spot.box[3] > low[1]
    ]
    assert spots, [spot.box for spot in sheet.spots]
    assert how == "changed" or any(spot.kind == how for spot in spots)
    for picture in (spots[0].scan, spots[0].paper):
        assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR) is not None


def test_another_print_out_is_named_whatever_is_written_on_it() -> None:
    other = form("scan", SEED + 1)
    (sheet,) = check([form("scan")], [other.image]).sheets
    assert sheet.outcome == "other_print"
    assert sheet.serial and sheet.spots, "what is written differs as well"


def test_a_page_without_paper_and_paper_without_a_page_are_told() -> None:
    scans = [page for page in pages("scan") if page.truth.material in ("application", "lease")]
    papers = [page.image for page in scans if page.truth.material == "application"]
    stranger = next(page.image for page in pages("scan") if page.truth.material == "idcard")
    found = check(scans, [stranger, *papers])
    outcomes = {page.truth.material: sheet.outcome for page, sheet in zip(scans, found.sheets, strict=True)}
    assert outcomes["lease"] == "absent" and outcomes["application"] == "same"
    assert found.left == (0,)


def test_what_cannot_be_seen_is_not_called_the_same() -> None:
    image = cv2.imdecode(np.frombuffer(form("scan").image, np.uint8), cv2.IMREAD_COLOR)
    blurred = jpeg(cv2.GaussianBlur(image, (0, 0), image.shape[1] / 210.0 * 0.9), 85)
    half = jpeg(image[: round(image.shape[0] * 0.6)], 85)
    for paper in (blurred, half):
        (sheet,) = check([form("scan")], [paper]).sheets
        assert sheet.outcome != "same"
    (cut,) = check([form("scan")], [half]).sheets
    assert cut.outcome in ("unclear", "absent")


def test_files_that_cannot_be_opened_and_too_many_pages_are_refused() -> None:
    with pytest.raises(UnsupportedFileError):
        check([form("scan")], [b"no picture"])
    sheet = np.full((40, 30, 3), 255, np.uint8)
    with pytest.raises(LimitError) as refused:
        check([form("scan")], [tiff_of([sheet] * 30)] * (MAX_SHEETS // 30 + 1))
    assert "页数过多" in refused.value.message_zh
