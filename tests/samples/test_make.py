"""The generator is deterministic, its truth holds under the validators and rules, and its geometry is exact."""

from __future__ import annotations

import json
import random
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from docproc.check.check import check
from docproc.domain import GOOD, Field, Finding, PageReading, Quality
from docproc.fields import VALIDATORS, validate
from docproc.marks import A4_MM, mark_corners
from docproc.matter.load import find_matter
from samples.case import TODAY, make_case
from samples.fonts import HELD_OUT_FONTS, TUNING_FONTS
from samples.forms import placed
from samples.make import SamplePage, main, make_application
from samples.scenarios import FOLDER, SCENARIOS

MATTERS = ("food_licence", "sole_trader")


@pytest.fixture(scope="module")
def trader() -> list[SamplePage]:
    return make_application(11, "sole_trader", "photo", dpi=120)


def reading(matter: str, name: str, truth: dict[str, object], quality: Quality = GOOD) -> PageReading:
    material, page = str(truth["material"]), int(str(truth["page"]))
    found = find_matter(matter)
    form = found.find_material(material).kind == "form"
    values, raw = truth["fields"], truth["raw"]
    assert isinstance(values, dict) and isinstance(raw, dict)
    fields = {k: Field(k, v, raw[k], 1.0, None, page) for k, v in values.items()} if quality is GOOD else {}
    edition = found.find_form(material).edition if form else None
    return PageReading(name, 0, material, "registered" if form else "free", quality, fields, page, edition)


def test_the_same_seed_gives_the_same_bytes(trader: list[SamplePage]) -> None:
    assert make_application(11, "sole_trader", "photo", dpi=120) == trader
    other = make_application(12, "sole_trader", "photo", dpi=120)
    assert other[0].image != trader[0].image and other[0].truth.fields != trader[0].truth.fields


def test_marks_stand_where_the_truth_says(trader: list[SamplePage]) -> None:
    detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
    seen = 0
    for page in trader[:2]:
        image = cv2.imdecode(np.frombuffer(page.image, np.uint8), cv2.IMREAD_COLOR)
        corners, ids, _ = detector.detectMarkers(image)
        expected = mark_corners(A4_MM)
        bent = 2.0 if any(name == "bend" for name, _ in page.truth.damage) else 0.5
        back = np.linalg.inv(np.array(page.truth.homography))
        for corner, key in zip(corners, ids.ravel().tolist(), strict=True):
            mm = cv2.perspectiveTransform(corner.astype(float), back)[0]
            assert np.abs(mm - np.array(expected[key])).max() < bent
            seen += 1
    assert seen >= 6


@pytest.mark.parametrize("matter", MATTERS)
def test_what_is_written_is_valid(matter: str) -> None:
    for seed in range(25):
        case = make_case(matter, random.Random(seed), "noto-serif")
        for material, values in case.forms.items():
            places = {p.name: p for p in placed(matter, material)[2].fields}
            for name, value in values.items():
                kind = places[name].type
                if value and kind in VALIDATORS:
                    assert validate(kind, value, today=TODAY).ok, (seed, name)


@pytest.mark.parametrize("matter", MATTERS)
def test_a_perfect_reading_of_a_good_application_passes(matter: str) -> None:
    pages = make_application(5, matter, "clean", dpi=72)
    readings = [
        reading(
            matter,
            p.name,
            {
                "material": p.truth.material,
                "page": p.truth.page,
                "fields": p.truth.fields,
                "raw": p.truth.raw,
            },
        )
        for p in pages
    ]
    result = check(find_matter(matter), readings, TODAY)
    assert result.verdict == "pass", result.findings


@pytest.mark.parametrize("folder", sorted(FOLDER.iterdir()), ids=lambda p: p.name)
def test_a_perfect_reading_of_a_committed_application_gives_its_verdict(folder: Path) -> None:
    wanted = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    readings = []
    for name, truth in zip(wanted["files"], wanted["truth"], strict=True):
        blurred = any(kind == "blur" and strength >= 0.8 for kind, strength in truth["damage"])
        quality = Quality("rescan", (Finding("scan.blur", "fix", "图像模糊"),)) if blurred else GOOD
        readings.append(reading(wanted["matter"], name, truth, quality))
    result = check(find_matter(wanted["matter"]), readings, date.fromisoformat(wanted["today"]))
    assert result.verdict == wanted["verdict"]
    assert set(wanted["findings"]) <= {f.code for f in result.findings}


def test_committed_files_are_whole_and_small() -> None:
    assert {p.name for p in FOLDER.iterdir()} == {s.name for s in SCENARIOS}
    total = 0
    for folder in FOLDER.iterdir():
        wanted = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        assert sorted(wanted["files"]) == sorted(p.name for p in folder.glob("*.jpg"))
        total += sum(p.stat().st_size for p in folder.iterdir())
    assert total < 15_000_000


def test_fonts_for_tuning_and_for_measuring_are_apart() -> None:
    assert not set(TUNING_FONTS) & set(HELD_OUT_FONTS)
    with pytest.raises(ValueError, match=r"samples\.fonts"):
        make_application(1, "sole_trader", fonts=("no-such-font",))


def test_the_command_writes_pages_and_truth(tmp_path: Path) -> None:
    command = ["--out", str(tmp_path), "--seed", "3", "--count", "1", "--matter", "sole_trader", "--kind", "clean"]
    assert main(command) == 0
    folder = tmp_path / "sole_trader-0003"
    wanted = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert wanted["verdict"] == "pass" and len(wanted["files"]) == len(wanted["truth"]) >= 5
    assert all((folder / name).read_bytes()[:2] == b"\xff\xd8" for name in wanted["files"])
