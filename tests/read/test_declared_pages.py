"""A page whose material somebody named: read as that, and only a claim where its text does not bear it out."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from docproc.check.check import check
from docproc.domain import PageReading, Said
from docproc.matter.load import find_matter
from docproc.read.free.classify import PageKind, classify
from docproc.read.pipeline import read_file

TODAY = date(2026, 11, 23)
SCANS = Path(__file__).parents[2] / "samples/scans/02-trader-good"
TRADER, FOOD = find_matter("sole_trader"), find_matter("food_licence")


@cache
def noise() -> bytes:
    """A picture of nothing."""
    image = np.random.default_rng(5).integers(0, 255, (1400, 1000, 3), np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


@cache
def scanned(name: str, material: str | None = None, side: int | None = None) -> PageReading:
    said = {0: Said(material, side)} if side is not None else None
    return read_file((SCANS / name).read_bytes(), name, TRADER, material=material, said=said, today=TODAY)[0]


def test_noise_is_no_paper_and_excuses_none() -> None:
    readings = read_file(noise(), "noise.jpg", FOOD, today=TODAY)
    assert [(r.material, r.quality.verdict) for r in readings] == [(None, "good")]
    result = check(FOOD, readings, TODAY)
    assert result.verdict == "supplement"
    assert [f.severity for f in result.findings if f.code == "G-00"] == ["fix"] * 5


def test_noise_that_was_declared_is_a_claim_with_every_field_unread() -> None:
    (reading,) = read_file(noise(), "noise.jpg", FOOD, material="bizlic", today=TODAY)
    assert (reading.material, reading.claimed) == ("bizlic", True)
    assert set(reading.fields) == {spec.name for spec in FOOD.fields_of("bizlic")}
    assert all(field.value is None for field in reading.fields.values())
    result = check(FOOD, [reading], TODAY)
    assert "bizlic" not in {f.material for f in result.findings if f.code == "G-00"}
    assert ("G-14", True) in {(f.code, f.look) for f in result.findings}


def test_a_paper_declared_as_what_it_is_is_recognised() -> None:
    reading = scanned("05-lease-1.jpg", "lease")
    assert (reading.material, reading.claimed) == ("lease", False)
    assert reading.fields["tenant"].value


def test_a_paper_declared_as_another_one_is_a_claim() -> None:
    reading = scanned("05-lease-1.jpg", "idcard", 1)
    assert (reading.material, reading.page, reading.claimed) == ("idcard", 1, True)


def test_a_side_that_a_person_names_is_read_as_that_side() -> None:
    assert (scanned("04-idcard-2.jpg", "idcard", 2).page, scanned("04-idcard-2.jpg", "idcard", 2).claimed) == (2, False)
    wrong = scanned("04-idcard-2.jpg", "idcard", 1)
    assert (wrong.page, wrong.claimed) == (1, True)


def test_a_form_says_itself_what_it_is() -> None:
    reading = scanned("01-application-1.jpg", "lease", 1)
    assert (reading.material, reading.page, reading.claimed) == ("application", 1, False)


def test_only_the_pages_that_were_named_are_read_again() -> None:
    assert read_file(noise(), "noise.jpg", FOOD, said={3: Said("bizlic")}, today=TODAY) == ()


@pytest.mark.parametrize(
    ("words", "claimed"),
    [
        (["房屋租赁合同", "出租方", "承租方", "姓名"], True),
        (["姓名"], True),
        (["姓名", "民族", "出生", "住址", "公民身份号码"], False),
    ],
)
def test_a_declared_card_is_borne_out_by_its_own_words_alone(words: list[str], claimed: bool) -> None:
    assert classify(words, TRADER, "idcard", 1) == PageKind("idcard", 1, claimed=claimed)
