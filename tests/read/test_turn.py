"""How a page lay when it was scanned is known from its marks or its text, and kept with the reading."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from api.pages.upright import turn_of, turned_box
from docproc.domain import PageReading
from docproc.matter.load import find_matter
from docproc.read.pipeline import page_engine, read_file
from docproc.scan.image.geometry import transform_points

SCANS = Path("samples/scans")
SECOND = [
    pytest.param(folder, index, id=folder.name)
    for folder in sorted(SCANS.iterdir())
    for index, page in enumerate(json.loads((folder / "expected.json").read_text("utf-8"))["truth"])
    if page["material"] == "application" and page["page"] == 2
]
"""Page 2 of both forms, with a table of many short rows."""


def truth_turn(homography: list[list[float]]) -> int:
    """The turn that makes a page upright whose homography (millimetres to pixels) is known."""
    start, end = transform_points(np.array(homography), np.array([[60.0, 150.0], [150.0, 150.0]]))
    angle = np.degrees(np.arctan2(end[1] - start[1], end[0] - start[0]))
    return int(-round(angle / 90) * 90) % 360


def read(folder: Path, index: int, turns: int = 0) -> PageReading:
    """Read one page of a sample, turned clockwise by a number of quarters."""
    wanted = json.loads((folder / "expected.json").read_text("utf-8"))
    data = (folder / wanted["files"][index]).read_bytes()
    if turns:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        data = cv2.imencode(".jpg", np.ascontiguousarray(np.rot90(image, -turns)))[1].tobytes()
    matter, today = find_matter(wanted["matter"]), date.fromisoformat(wanted["today"])
    return read_file(data, "page.jpg", matter, today=today, recogniser=page_engine(threads=1))[0]


@pytest.mark.parametrize(("folder", "index"), SECOND)
def test_a_tilted_table_votes_nothing_against_the_marks(folder: Path, index: int) -> None:
    truth = json.loads((folder / "expected.json").read_text("utf-8"))["truth"][index]
    reading = read(folder, index)
    assert reading.turn == truth_turn(truth["homography"])
    assert turn_of([field.box for field in reading.fields.values() if field.box]) == reading.turn


@pytest.mark.parametrize("turns", [1, 2, 3])
@pytest.mark.parametrize(("file", "how"), [(1, "registered"), (6, "free")])
def test_a_page_that_lay_askew_is_turned_back(file: int, how: str, turns: int) -> None:
    reading = read(SCANS / "01-food-good", file, turns)
    assert (reading.how, reading.turn) == (how, (360 - 90 * turns) % 360)


def test_boxes_turn_with_their_page() -> None:
    assert turned_box((10, 20, 30, 25), 200, 100, 180) == (170, 75, 190, 80)
    assert turned_box((10, 20, 30, 25), 200, 100, 90) == (75, 10, 80, 30)
