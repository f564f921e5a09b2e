from __future__ import annotations

import json
import random
from datetime import date

import cv2
import numpy as np
import pymupdf
import pytest

from docproc.bench.read import Score, distance, items, measure
from docproc.check.check import LOOK
from docproc.domain import PageReading
from docproc.errors import UnsupportedFileError
from docproc.marks import A4_MM, MARGIN_MM, MARK_MM, qr_box
from docproc.matter.load import find_matter
from docproc.read.pipeline import read_file, reading_json
from samples.canvas import Style
from samples.forms import fill_form

TODAY = date(2026, 11, 23)
VALUES = {
    "operator": "周信海",
    "place": "四川省成都市双流区彭镇顺城街17号附3号",
    "use": "rent",
    "sign_date": "2026-11-20",
}


def promise() -> np.ndarray:
    canvas = fill_form(
        "sole_trader",
        "place_promise",
        "TEST000002",
        {**VALUES, "sign": "present"},
        Style("noto-serif"),
        random.Random(1),
        200,
        signers={"": "周信海"},
    )[0]
    return canvas.image


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def read(data: bytes, matter: str = "sole_trader") -> tuple[PageReading, ...]:
    return read_file(data, "scan.pdf", find_matter(matter), today=TODAY)


def test_mirrored_form_goes_back_as_such() -> None:
    (page,) = read(jpeg(promise()[:, ::-1]))
    assert page.quality.verdict == "rescan"
    assert [item.code for item in page.quality.findings] == ["scan.mirrored"]


def without_marks(image: np.ndarray) -> np.ndarray:
    bare = image.copy()
    side = round((MARGIN_MM + MARK_MM + 2) / 25.4 * 200)
    for rows in (slice(0, side), slice(-side, None)):
        for columns in (slice(0, side), slice(-side, None)):
            bare[rows, columns] = 252
    return without_qr(bare)


def without_qr(image: np.ndarray) -> np.ndarray:
    bare = image.copy()
    x0, y0, x1, y1 = (round(v / 25.4 * 200) for v in qr_box(A4_MM))
    bare[y0 - 8 : y1 + 8, x0 - 8 : x1 + 8] = 252
    return bare


def assert_values(reading: PageReading) -> None:
    assert {name: reading.fields[name].value for name in VALUES} == VALUES


def test_a_pdf_with_two_pages_gives_two_readings_and_the_stable_json() -> None:
    document = pymupdf.open()
    for image in (promise(), np.full((2339, 1654, 3), 255, np.uint8)):
        page = document.new_page(width=595, height=842)
        page.insert_image(page.rect, stream=jpeg(image))
    first, second = read(document.tobytes())
    assert (first.index, first.material, first.page, first.how) == (0, "place_promise", 1, "registered")
    assert (first.edition, first.form_id) == ("2026-05", "TEST000002")
    assert_values(first)
    assert first.cpu_seconds > 0
    shown = json.loads(json.dumps(reading_json(first)))
    assert set(shown) >= {"file", "index", "material", "how", "quality", "fields", "cpu_seconds"}
    assert set(shown["fields"]["operator"]) >= {"value", "raw", "confidence", "box", "page", "source"}
    assert shown["quality"] == {"verdict": "good", "findings": []}
    assert (second.index, second.material, second.quality.verdict) == (1, None, "rescan")
    assert second.fields == {}


def test_a_form_of_another_matter_is_sent_back_with_the_reason() -> None:
    reading = read(jpeg(promise()), "food_licence")[0]
    assert reading.material is None
    assert reading.quality.verdict == "rescan"
    assert "form.other_matter" in [finding.code for finding in reading.quality.findings]
    assert reading.fields == {}


def test_without_its_qr_code_a_form_is_told_by_its_print() -> None:
    reading = read(jpeg(without_qr(promise())))[0]
    assert (reading.material, reading.page, reading.how) == ("place_promise", 1, "registered")
    assert reading.form_id is None
    assert_values(reading)


def test_without_marks_a_form_is_laid_by_its_print_and_nothing_passes_unseen() -> None:
    reading = read(jpeg(without_marks(promise())))[0]
    assert (reading.material, reading.page, reading.how) == ("place_promise", 1, "matched")
    assert_values(reading)
    assert reading.fields["sign"].value == "present"
    assert [finding.code for finding in reading.quality.findings] == ["scan.marks_lost"]
    assert max(item.confidence for item in reading.fields.values()) < LOOK


def test_half_a_form_without_marks_is_read_by_its_words_and_says_so() -> None:
    bare = without_marks(promise())
    reading = read(jpeg(bare[: 2 * len(bare) // 3]))[0]
    assert (reading.material, reading.page, reading.how) == ("place_promise", 1, "free")
    assert reading.fields["operator"].value == VALUES["operator"]
    assert "use" not in reading.fields or reading.fields["use"].value is None
    assert [finding.code for finding in reading.quality.findings] == ["scan.layout_lost"]
    assert max(item.confidence for item in reading.fields.values()) < LOOK


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(UnsupportedFileError):
        read(b"<svg xmlns='http://www.w3.org/2000/svg'/>")


def test_the_benchmark_counts_what_was_read_right_wrong_and_not_at_all() -> None:
    score = Score()
    for verdict, read_as in (("exact", "王芳"), ("abstained", "王万"), ("unseen", "玉芳"), ("wrong", "王")):
        score.add("person_name", "王芳", read_as, verdict)
    shown = score.to_json()
    assert (shown["fields"], shown["exact"], shown["abstained"], shown["wrong_unseen"]) == (4, 0.25, 0.25, 0.25)
    assert shown["character_error"] == pytest.approx(3 / 8)
    assert shown["by_type"]["person_name"]["fields"] == 4
    assert distance("kitten", "sitting") == 3


def test_the_benchmark_reads_generated_forms_with_few_unseen_mistakes() -> None:
    score = measure("registered", items("registered", seed=41, pages=2, real=None, labels=None)).to_json()
    assert score["pages"] == 2
    assert score["exact"] > 0.7
    assert score["wrong_unseen"] < 0.05
    assert score["cpu_seconds_page"] > 0
