from __future__ import annotations

import random
import unicodedata
from dataclasses import replace
from datetime import date

import cv2
import numpy as np
import pytest

from docproc.domain import Field, PageReading
from docproc.fields import validate
from docproc.matter.load import find_matter
from docproc.read.cross_field import cross_check
from docproc.read.decoding.glyphs import glyphs_of, greedy_steps, remove_overlay
from docproc.read.engine.lattices import cut as cut_out
from docproc.read.engine.recogniser import BLANK, TextLine
from docproc.read.free.classify import PageKind, classify
from docproc.read.free.free import find_values, read_free
from docproc.read.free.missed_text import erase_lines, missed_beside
from docproc.read.pipeline import page_engine, read_file
from docproc.scan.image.geometry import grey
from samples.business import business_licence
from samples.canvas import Canvas, Style
from samples.damage import apply
from samples.papers import health, id_back, id_front, lease
from samples.people import make_company, make_person

TODAY = date(2026, 11, 23)
PHONE = [("paper", 0.4), ("perspective", 0.5), ("shadow", 0.4), ("blur", 0.1), ("noise", 0.2)]


def photographed(canvas: Canvas, seed: int, quality: int = 80) -> bytes:
    image, _ = apply(canvas.image, PHONE, random.Random(seed))
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def read(canvas: Canvas, matter: str, seed: int = 1) -> PageReading:
    return read_file(photographed(canvas, seed), "page.jpg", find_matter(matter), today=TODAY)[0]


def normal(kind: str, text: str) -> str:
    return text if text == "长期" else validate(kind, text, today=TODAY).value


def assert_read(reading: PageReading, matter: str, values: dict[str, str]) -> None:
    """Every field of the page is as printed."""
    assert reading.material is not None
    types = {spec.name: spec.type for spec in find_matter(matter).find_material(reading.material).field}
    got = {name: item.value for name, item in reading.fields.items() if name in values}
    assert got == {name: normal(types[name], value) for name, value in values.items() if name in types}


def test_the_front_of_an_id_card_is_read() -> None:
    person = make_person(random.Random(21), TODAY)
    canvas, values = id_front(person, random.Random(21))
    reading = read(canvas, "food_licence")
    assert (reading.material, reading.page, reading.how) == ("idcard", 1, "free")
    assert_read(reading, "food_licence", values)
    assert reading.fields["born_on"].confidence > 0.95
    assert reading.fields["cid"].confidence > 0.95


def test_the_back_of_an_id_card_is_read() -> None:
    person = make_person(random.Random(22), TODAY)
    canvas, values = id_back(person, random.Random(22))
    reading = read(canvas, "food_licence")
    assert (reading.material, reading.page) == ("idcard", 2)
    assert_read(reading, "food_licence", values)


@pytest.mark.parametrize("landscape", [True, False])
def test_a_business_licence_is_read_in_both_shapes(landscape: bool) -> None:
    chance = random.Random(23)
    firm = make_company(chance, make_person(chance, TODAY), TODAY)
    canvas, values = business_licence(firm, date(2025, 3, 4), chance, 170.0, landscape)
    reading = read(canvas, "food_licence")
    assert reading.material == "bizlic"
    assert_read(reading, "food_licence", values)
    assert reading.fields["uscc"].confidence > 0.95, "the code on the page and its QR code agree"


def test_boxes_of_a_photograph_lie_on_the_value() -> None:
    person = make_person(random.Random(24), TODAY)
    canvas, _ = id_front(person, random.Random(24))
    image, _ = apply(canvas.image, [("perspective", 0.6)], random.Random(2))
    data = cv2.imencode(".png", image)[1].tobytes()
    reading = read_file(data, "page.png", find_matter("food_licence"), today=TODAY)[0]
    box = reading.fields["cid"].box
    assert box is not None
    cut = image[round(box[1]) : round(box[3]), round(box[0]) : round(box[2])]
    assert 4 < cut.shape[1] / cut.shape[0] < 20
    assert (cut.min(axis=2) < 110).mean() > 0.08, "dark digits fill the box"
    around = image[round(box[3]) + 6 : round(box[3]) + 16, round(box[0]) : round(box[2])]
    assert (around.min(axis=2) < 110).mean() < 0.02


def test_a_lease_filled_by_hand_gives_its_parties_and_term() -> None:
    chance = random.Random(25)
    tenant, landlord = make_person(chance, TODAY), make_person(chance, TODAY)
    place = "四川省成都市双流区彭镇顺城街17号附3号"
    style = Style("noto-serif")
    canvas, values = lease(tenant, landlord, place, date(2026, 1, 1), date(2027, 12, 31), style, chance, 170.0)
    reading = read(canvas, "sole_trader")
    assert reading.material == "lease"
    assert_read(reading, "sole_trader", values)


def test_a_health_certificate_gives_its_holder_and_end() -> None:
    person = make_person(random.Random(26), TODAY)
    canvas, values = health(person, date(2026, 5, 6), random.Random(26))
    reading = read(canvas, "food_licence")
    assert reading.material == "health"
    assert_read(reading, "food_licence", values)


def test_a_page_of_something_else_belongs_to_no_material() -> None:
    sheet = Canvas(210.0, 297.0, 150.0)
    for row in range(12):
        sheet.text(25.0, 40.0 + row * 12, "周末天气晴朗，大家去公园散步，孩子们放风筝", 5.0)
    reading = read(sheet, "food_licence")
    assert reading.material is None
    assert reading.fields == {}


def test_pages_are_told_by_their_words() -> None:
    matter = find_matter("food_licence")
    assert classify(["姓 名 王芳", "民族 汉", "出生", "住址", "公民身份号码"], matter) == PageKind("idcard", 1)
    assert classify(["中华人民共和国", "居民身份证", "签发机关", "有效期限"], matter) == PageKind("idcard", 2)
    assert classify(["营 业 执 照", "统一社会信用代码", "经营范围"], matter) == PageKind("bizlic", 1)
    assert classify(["营业执昭", "统一杜会信用代码", "登记机关"], matter) == PageKind("bizlic", 1)


def test_too_few_words_tell_nothing() -> None:
    matter = find_matter("food_licence")
    assert classify(["姓名"], matter) is None
    assert classify([], matter) is None


def test_words_that_rule_a_material_out_are_heeded() -> None:
    lines = ["从业人员健康证明", "营业执照", "清单"]
    kind = classify(lines, find_matter("food_licence"))
    assert kind is None or kind.material != "health"


def _field(name: str, value: str | None, confidence: float = 0.8) -> Field:
    return Field(name, value, value or "", confidence, None, 1)


def test_a_birth_date_that_agrees_with_the_number_is_surer_and_one_that_does_not_is_less_sure() -> None:
    number = make_person(random.Random(27), TODAY).cid
    born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    agreed = cross_check({"cid": _field("cid", number), "born_on": _field("born_on", born)}, TODAY)
    other = cross_check({"cid": _field("cid", number), "born_on": _field("born_on", "1971-01-01")}, TODAY)
    assert agreed["born_on"].confidence > 0.8 and agreed["cid"].confidence > 0.8
    assert other["born_on"].confidence <= 0.5 and other["cid"].confidence <= 0.5
    assert other["born_on"].value == "1971-01-01", "nothing is derived in silence"


def test_nobody_was_born_after_today() -> None:
    number = make_person(random.Random(28), TODAY).cid
    assert cross_check({"cid": _field("cid", number)}, date(1930, 1, 1))["cid"].value is None


def test_a_watermark_over_a_value_is_not_read_into_it() -> None:
    person = make_person(random.Random(30), TODAY)
    canvas, values = id_front(person, random.Random(30))
    height, width = canvas.image.shape[:2]
    layer = Canvas(width / canvas.scale, height / canvas.scale, canvas.dpi)
    layer.text(width / canvas.scale / 2, height / canvas.scale / 2, "仅供办理使用", 7.0, align="centre")
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1.0)
    mark = cv2.warpAffine(layer.image, turn, (width, height), borderValue=(252, 252, 252))
    light = np.minimum(canvas.image, 255 - (255 - mark.astype(np.int16)) // 4).astype(np.uint8)
    canvas.image[:] = light
    reading = read(canvas, "food_licence")
    name = reading.fields["name"].value
    assert unicodedata.normalize("NFKC", name or "") == values["name"]
    assert all("仅供" not in (item.value or "") for item in reading.fields.values())


@pytest.fixture(scope="module")
def licence_lines() -> tuple[Canvas, list[TextLine]]:
    chance = random.Random(31)
    firm = make_company(chance, make_person(chance, TODAY), TODAY)
    canvas, _ = business_licence(firm, date(2025, 3, 4), chance, 170.0, False)
    return canvas, page_engine().read_lines(canvas.image)


def fields_of(lines: list[TextLine], picture: np.ndarray) -> dict[str, Field]:
    specs = [spec for spec in find_matter("food_licence").fields_of("bizlic") if spec.page == 1]
    return read_free(lines, specs, 1, np.eye(3), picture)


def last_line(item: Field, lines: list[TextLine]) -> TextLine:
    assert item.box is not None
    x0, y0, x1, y1 = item.box
    inside = [n for n in lines if x0 - 9 < n.quad[:, 0].min() and n.quad[:, 0].max() < x1 + 9]
    return max((n for n in inside if y0 < n.quad[:, 1].mean() < y1), key=lambda n: float(n.quad[:, 1].mean()))


def scope_goes_on(lines: list[TextLine], picture: np.ndarray) -> bool:
    shown = grey(picture)
    glyphs = remove_overlay(glyphs_of(lines, shown), [line.quad for line in lines])
    specs = [spec for spec in find_matter("food_licence").fields_of("bizlic") if spec.page == 1]
    values, _ = find_values(glyphs, specs)
    return missed_beside(values["scope"], lines, erase_lines(shown, lines))


def test_a_line_that_the_detector_missed_casts_doubt(licence_lines) -> None:
    canvas, lines = licence_lines
    whole = fields_of(lines, canvas.image)["scope"]
    missed = last_line(whole, lines)
    rest = [line for line in lines if line is not missed]
    cut = fields_of(rest, canvas.image)["scope"]
    assert cut.value and whole.value and cut.value != whole.value
    assert cut.confidence <= 0.5
    assert scope_goes_on(rest, canvas.image) and not scope_goes_on(lines, canvas.image)


def test_a_last_line_of_one_character_that_was_missed_casts_doubt(licence_lines) -> None:
    canvas, lines = licence_lines
    missed = last_line(fields_of(lines, canvas.image)["scope"], lines)
    rest = [line for line in lines if line is not missed]
    (x0, y0), (x1, y1) = missed.quad.min(axis=0).astype(int), missed.quad.max(axis=0).astype(int)
    page = canvas.image.copy()
    page[y0:y1, x0 - 4 : x1 + 4] = page[y0 - 2, x0]
    assert not scope_goes_on(rest, page)
    page[y0:y1, x0 : x0 + (y1 - y0)] = canvas.image[y0:y1, x0 : x0 + (y1 - y0)]
    assert scope_goes_on(rest, page)


@pytest.mark.parametrize("place", [0, 5, -1], ids=["first", "inside", "last"])
def test_a_character_that_the_reader_passed_over_casts_doubt(licence_lines, place: int) -> None:
    canvas, lines = licence_lines
    before = fields_of(lines, canvas.image)
    found = last_line(before["domicile"], lines)
    _, char, _ = greedy_steps(found.lattice)[place]
    probs = found.lattice.probs.copy()
    probs[:, found.lattice.characters.index(char)] = 0.0
    probs[:, BLANK] = 1.0 - probs[:, BLANK + 1 :].sum(axis=1)
    passed = replace(found, lattice=replace(found.lattice, probs=probs))
    after = fields_of([passed if line is found else line for line in lines], canvas.image)
    assert before["domicile"].confidence > 0.75
    assert after["domicile"].value and len(after["domicile"].value) < len(before["domicile"].value or "")
    assert after["domicile"].confidence <= 0.5
    assert after["legal_rep"].confidence == before["legal_rep"].confidence


def test_a_character_between_two_pieces_of_a_line_casts_doubt(licence_lines) -> None:
    canvas, lines = licence_lines
    before = fields_of(lines, canvas.image)
    found = last_line(before["domicile"], lines)
    steps = [step for step, _, _ in greedy_steps(found.lattice)]
    pieces = []
    for first, last in (
        (0, steps[5] - 1),
        (steps[6] - 1, len(found.lattice.probs)),
    ):  # the sixth character is in neither
        part = cut_out(found.lattice, first, last)
        x0, x1 = (found.lattice.place(step, 1.0) for step in (first, last))
        along = found.quad[1] - found.quad[0]
        quad = found.quad[[0, 0, 3, 3]] + along * np.array([[x0], [x1], [x1], [x0]], np.float32)
        pieces.append(replace(found, quad=quad.astype(np.float32), lattice=part))
    after = fields_of([line for line in lines if line is not found] + pieces, canvas.image)["domicile"]
    assert after.value and len(after.value) == len(before["domicile"].value or "") - 1
    assert after.confidence <= 0.5


@pytest.mark.parametrize("mark", ["室", "一"])
@pytest.mark.parametrize("end", ["left", "right"])
@pytest.mark.parametrize(("cut", "whole"), [("domicile", "legal_rep"), ("legal_rep", "domicile")])
def test_print_beside_a_line_that_was_cut_short_casts_doubt(
    licence_lines, cut: str, whole: str, end: str, mark: str
) -> None:
    canvas, lines = licence_lines
    before = fields_of(lines, canvas.image)
    quad = last_line(before[cut], lines).quad / canvas.scale
    page = Canvas(canvas.image.shape[1] / canvas.scale, canvas.image.shape[0] / canvas.scale, canvas.dpi)
    page.image[:] = canvas.image
    height = float(quad[2, 1] - quad[1, 1])
    x = float(quad[1, 0]) + 0.1 if end == "right" else float(quad[0, 0]) - 0.8 * height - 0.1
    page.text(x, float(quad[2, 1]) - 0.35 * height, mark, 0.8 * height)
    after = fields_of(lines, page.image)
    assert before[cut].confidence > 0.75
    assert after[cut].value == before[cut].value
    assert after[cut].confidence <= 0.5
    assert after[whole].confidence == before[whole].confidence
