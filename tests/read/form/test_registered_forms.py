from __future__ import annotations

import random
from datetime import date

import cv2
import numpy as np
import pytest

from docproc.check.check import LOOK
from docproc.domain import Field
from docproc.form.layout import FieldBox
from docproc.read.form.ink import separate_ink
from docproc.read.form.registered import read_fields, read_registered
from docproc.read.form.template import DPI
from docproc.read.form.template import blank_pages as blank_pictures
from docproc.read.form.ticks import read_options, read_presence
from docproc.read.pipeline import page_engine
from docproc.scan.image.geometry import transform_points
from docproc.scan.registration.homography import find_registration
from samples.canvas import BLUE, Canvas, Style
from samples.forms import blank_pages, fill_form, placed, tick
from samples.people import make_cid
from samples.seal import round_seal

PEN = Style("noto-serif", BLUE)
SERIAL = "TEST000001"
VALUES = {
    "name": "双流区样例竹味面馆",
    "operator": "周信海",
    "ethnicity": "汉",
    "operator_id": make_cid("510116", date(1990, 3, 7), 217),
    "sex": "male",
    "born_on": "1990-03-07",
    "phone": "13812345678",
    "residence": "四川省成都市双流区东升街道棠湖西路一段35号2栋1单元301号",
    "form": "individual",
    "place": "四川省成都市双流区彭镇顺城街17号附3号",
    "scope": "许可项目：餐饮服务；食品销售。一般项目：外卖递送服务。",
    "employees": "12",
    "capital": "",
    "sign": "present",
    "sign_date": "2026-11-20",
}


def place_of(matter: str, material: str, name: str) -> FieldBox:
    return next(place for place in placed(matter, material)[2].fields if place.name == name)


def sheet_read(matter: str, material: str, page: int, canvas: Canvas) -> dict[str, Field]:
    spec, form, layout = placed(matter, material)
    blank = blank_pictures(spec, form)[page - 1]
    picture = cv2.resize(canvas.image, (blank.shape[1], blank.shape[0]))
    return read_fields(separate_ink(np.asarray(picture, np.uint8), blank), layout, page, page_engine())


def ring(canvas: Canvas, middle: tuple[float, float], radius: float, grey: int = 190) -> None:
    """What a cup leaves: mm and grey level."""
    shade = np.full_like(canvas.image, 255)
    centre = [round(v * canvas.scale) for v in middle]
    width = round(canvas.scale)
    cv2.circle(shade, (centre[0], centre[1]), round(radius * canvas.scale), (grey,) * 3, width, cv2.LINE_AA)
    canvas.image[:] = np.minimum(canvas.image, shade)


def test_the_ring_of_a_cup_is_no_figure_and_no_signature_and_hides_neither() -> None:
    values = {"name": "双流区样例竹味面馆", "phone": "13812345678", "area": "31", "seats": "33"}
    fill = ("food_licence", "application", SERIAL, values, PEN, random.Random(3), DPI)
    canvas = fill_form(*fill, signers={"": "周信海"})[0]
    boxes = {name: place_of("food_licence", "application", name).box for name in ("seats", "kitchen_area", "sign")}
    for name, inset in (("seats", 3), ("kitchen_area", 5), ("sign", 3)):
        x0, y0, _, y1 = boxes[name]
        ring(canvas, (x0 + inset + 20, (y0 + y1) / 2), 20)
    found = sheet_read("food_licence", "application", 1, canvas)
    assert found["area"].value == "31"
    assert found["phone"].value == values["phone"]
    assert found["seats"].value in (None, "33")
    assert not found["kitchen_area"].value
    assert found["sign"].value is None


def test_a_figure_that_looks_like_a_letter_is_shown_and_doubted() -> None:
    values = {"area": "46.5", "seats": "H6"}  # some people's 4 looks so, and some people's 2
    fill = ("food_licence", "application", SERIAL, values, PEN, random.Random(3), DPI)
    found = sheet_read("food_licence", "application", 1, fill_form(*fill, signers={"": "周信海"})[0])
    assert (found["area"].value, found["seats"].value) == ("46.5", "46")
    assert found["seats"].confidence < LOOK < found["area"].confidence


def test_a_word_of_a_table_that_is_nearly_a_usual_one_is_doubted() -> None:
    values = {"equipment.1.name": "留样柜", "equipment.1.count": "2", "equipment.1.where": "后尉"}
    fill = ("food_licence", "application", SERIAL, values, PEN, random.Random(3), DPI)
    found = sheet_read("food_licence", "application", 2, fill_form(*fill, signers={"": "周信海"})[1])
    name, place = found["equipment.1.name"], found["equipment.1.where"]
    assert name.value == "留样柜" and name.confidence > LOOK
    assert (place.value, place.alternatives[0]) == ("后尉", "后厨") and place.confidence < LOOK


def options_read(name: str, canvas: Canvas) -> str | None:
    spec, form, _ = placed("food_licence", "application")
    blank = blank_pictures(spec, form)[0]
    picture = np.asarray(cv2.resize(canvas.image, (blank.shape[1], blank.shape[0])), np.uint8)
    return read_options(separate_ink(picture, blank), place_of("food_licence", "application", name))[0]


def food_page() -> Canvas:
    return blank_pages("food_licence", "application", SERIAL, DPI)[0]


@pytest.fixture(scope="module")
def upside_down() -> tuple[dict[str, Field], np.ndarray, np.ndarray]:
    """A filled form, scanned upside down and askew: its fields, and page mm to picture pixels."""
    canvas = fill_form(
        "sole_trader", "application", SERIAL, VALUES, PEN, random.Random(3), DPI, signers={"": "周信海"}
    )[0]
    height, width = canvas.image.shape[:2]
    turn = np.vstack([cv2.getRotationMatrix2D((width / 2, height / 2), 177.5, 0.95), [0, 0, 1]])
    scan = cv2.warpPerspective(canvas.image, turn, (width, height), borderValue=(250, 250, 250))
    scan = cv2.imdecode(cv2.imencode(".jpg", scan, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], cv2.IMREAD_COLOR)
    registration = find_registration(np.asarray(scan, np.uint8))
    assert registration is not None
    spec, form, _ = placed("sole_trader", "application")
    fields, alignment = read_registered(np.asarray(scan, np.uint8), registration, spec, form, 1, page_engine())
    assert alignment.found > 0.8
    scale = canvas.scale
    return fields, turn @ np.array([[scale, 0, -0.5], [0, scale, -0.5], [0, 0, 1]]), scan


def test_every_field_of_a_filled_form_is_read(upside_down) -> None:
    fields, _, _ = upside_down
    plain = {name: (item.value or "").replace(" ", "") for name, item in fields.items()}
    wanted = dict(VALUES)
    assert plain.pop("scope").rstrip("。") == wanted.pop("scope").replace("：", ":").replace("；", ";").rstrip("。")
    assert plain == {name: plain.get(name) if name not in wanted else value for name, value in wanted.items()}
    assert set(fields) == set(VALUES)


def test_a_blank_box_is_blank_and_not_unread(upside_down) -> None:
    fields, _, _ = upside_down
    assert fields["capital"].value == ""
    assert fields["capital"].confidence > 0.9


def test_boxes_lie_on_the_picture_as_handed_in(upside_down) -> None:
    fields, to_pixels, _ = upside_down
    for name in ("name", "operator_id", "sign_date"):
        x0, y0, x1, y1 = place_of("sole_trader", "application", name).box
        middle = transform_points(to_pixels, np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]))[0]
        box = fields[name].box
        assert box is not None
        assert abs((box[0] + box[2]) / 2 - middle[0]) < 6
        assert abs((box[1] + box[3]) / 2 - middle[1]) < 6


def test_ticks_crosses_filled_boxes_and_rings_all_count() -> None:
    canvas, place = food_page(), place_of("food_licence", "application", "items")
    boxes = {option.value: option.box for option in place.options}
    chance = random.Random(5)
    for value, kind in (("prepacked", "hook"), ("bulk", "cross"), ("special", "filled")):
        tick(canvas, boxes[value], PEN, chance, kind)
    x0, y0, x1, y1 = boxes["cold"]
    angles = np.linspace(0, 2 * np.pi, 40)
    middle = ((x0 + x1) / 2, (y0 + y1) / 2)
    canvas.lines([(middle[0] + 3.3 * np.cos(a), middle[1] + 3.3 * np.sin(a)) for a in angles], 0.45, BLUE)
    assert options_read("items", canvas) == "prepacked,bulk,special,cold"


def test_an_untouched_choice_is_blank() -> None:
    assert options_read("items", food_page()) == ""


def test_an_option_that_was_struck_out_leaves_the_choice_open() -> None:
    canvas, place = food_page(), place_of("food_licence", "application", "format")
    chance = random.Random(6)
    for option in place.options[:2]:
        tick(canvas, option.box, PEN, chance, "hook")
    x0, y0, x1, y1 = place.options[0].box
    canvas.lines([(x0 - 1, (y0 + y1) / 2 + 0.4), (x1 + 30, (y0 + y1) / 2 - 0.4)], 0.5, BLUE)
    assert options_read("format", canvas) is None


def test_two_ticks_in_a_single_choice_are_both_reported() -> None:
    canvas, place = food_page(), place_of("food_licence", "application", "format")
    for option in place.options[:2]:
        tick(canvas, option.box, PEN, random.Random(7), "hook")
    assert options_read("format", canvas) == "sales,catering"


@pytest.mark.parametrize(
    ("strokes", "value"),
    [
        ([], ""),
        ([[(4, 4), (6, 9)]], None),
        ([[(4 + 2 * i, 4 + 7 * (i % 2)) for i in range(14)]], "present"),
    ],
)
def test_a_signature_is_there_or_not_or_unsure(strokes: list, value: str | None) -> None:
    canvas, place = food_page(), place_of("food_licence", "application", "sign")
    for stroke in strokes:
        canvas.lines([(place.box[0] + x, place.box[1] + y) for x, y in stroke], 0.4, BLUE)
    spec, form, _ = placed("food_licence", "application")
    blank = blank_pictures(spec, form)[0]
    picture = np.asarray(cv2.resize(canvas.image, (blank.shape[1], blank.shape[0])), np.uint8)
    assert read_presence(separate_ink(picture, blank), place)[0] == value


def test_text_under_a_red_seal_is_read_and_the_seal_is_seen() -> None:
    name = "成都样例和竹餐饮管理有限公司"
    values = {"name": name, "stamp": "present"}
    canvas = fill_form(
        "food_licence", "application", SERIAL, values, PEN, random.Random(8), DPI, signers={"": "周信海"}, sealer=name
    )[0]
    x0, y0, _, y1 = place_of("food_licence", "application", "name").box
    round_seal(canvas, x0 + 40, (y0 + y1) / 2, name, random.Random(9), diameter=34.0)
    fields = sheet_read("food_licence", "application", 1, canvas)
    assert fields["name"].value == name
    assert fields["stamp"].value == "present"
    assert fields["sign"].value == ""


@pytest.fixture(scope="module")
def troubled() -> dict[str, Field]:
    """A form with a number written over, one with a cell left out, a wrong check digit and a name struck out."""
    cid = VALUES["operator_id"]
    wrong = cid[:-1] + ("1" if cid[-1] != "1" else "2")
    values = {**VALUES, "operator_id": wrong}
    canvas = fill_form(
        "sole_trader", "application", SERIAL, values, PEN, random.Random(4), DPI, signers={"": "周信海"}
    )[0]
    x0, y0, x1, y1 = place_of("sole_trader", "application", "phone").cell_boxes()[4]
    for shift in np.linspace(0.22, 0.78, 9):
        canvas.lines([(x0 + shift * (x1 - x0), y0 + 1.4), (x0 + (1 - shift) * (x1 - x0), y1 - 1.4)], 0.8, BLUE)
    x0, y0, x1, y1 = place_of("sole_trader", "application", "born_on").cell_boxes()[3]
    left, top, right, bottom = (round(v * canvas.scale) for v in (x0 + 0.5, y0 + 0.5, x1 - 0.5, y1 - 0.5))
    canvas.image[top:bottom, left:right] = 252
    x0, y0, _, y1 = place_of("sole_trader", "application", "name").box
    canvas.lines([(x0 + 0.5, (y0 + y1) / 2 + 0.3), (x0 + 42, (y0 + y1) / 2 - 0.3)], 0.5, BLUE)
    return sheet_read("sole_trader", "application", 1, canvas)


def test_a_digit_written_over_is_left_to_a_person(troubled: dict[str, Field]) -> None:
    assert troubled["phone"].value is None
    assert troubled["phone"].raw


def test_a_cell_left_out_is_left_to_a_person(troubled: dict[str, Field]) -> None:
    assert troubled["born_on"].value is None


def test_a_wrong_check_digit_is_never_mended_in_silence(troubled: dict[str, Field]) -> None:
    read = troubled["operator_id"]
    assert read.value is None or read.value == read.raw.replace(" ", "")
    assert read.value != VALUES["operator_id"]
    assert read.raw.replace(" ", "")[:17] == VALUES["operator_id"][:17]


def test_a_name_struck_out_is_left_to_a_person(troubled: dict[str, Field]) -> None:
    assert troubled["name"].value is None
    assert troubled["operator"].value == VALUES["operator"]
