"""What is printed is readable by machine, stands where the layout says, and is the same every time."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pymupdf
import pytest
import zxingcpp

from docproc.errors import InputError
from docproc.form.draw import draw_form, new_form_id
from docproc.form.layout import FormLayout, layout_of
from docproc.marks import FormCode, mark_corners, parse_code
from docproc.matter.load import find_matter, load_catalogue
from docproc.matter.model import Form, Matter

FORMS = [(m.id, f.material) for m in load_catalogue().values() for f in m.form]


def form_of(matter: str, material: str) -> tuple[Matter, Form, FormLayout]:
    found = find_matter(matter)
    form = found.find_form(material)
    return found, form, layout_of(found, form)


@cache
def blank(matter: str, material: str) -> bytes:
    return draw_form(*form_of(matter, material), "0123456789")


def raster(data: bytes, page: int, dpi: int) -> np.ndarray:
    pixmap = pymupdf.open(stream=data)[page].get_pixmap(dpi=dpi)
    rgb = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, pixmap.n)
    return rgb[:, :, ::-1].copy()


@pytest.mark.parametrize(("matter", "material"), FORMS)
def test_marks_and_code_are_read_at_150_dpi(matter: str, material: str) -> None:
    m, form, layout = form_of(matter, material)
    data = blank(matter, material)
    for page in range(layout.pages):
        image = raster(data, page, 150)
        detector = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))
        corners, ids, _ = detector.detectMarkers(image)
        expected = mark_corners(layout.page_mm)
        assert sorted(ids.ravel().tolist()) == sorted(expected)
        for corner, key in zip(corners, ids.ravel().tolist(), strict=True):
            assert np.abs(corner[0] * 25.4 / 150 - np.array(expected[key])).max() < 0.3
        texts = [code.text for code in zxingcpp.read_barcodes(image)]
        assert [parse_code(t) for t in texts] == [FormCode(m.id, form.edition, material, page + 1, "0123456789")]


@pytest.mark.parametrize(("matter", "material"), FORMS)
def test_boxes_lie_on_the_page_apart_from_each_other_and_blank(matter: str, material: str) -> None:
    _, _, layout = form_of(matter, material)
    data = blank(matter, material)
    pages = [raster(data, page, 200).min(axis=2) for page in range(layout.pages)]
    places = [(p.page, o.box) for p in layout.fields for o in p.options]
    places += [(p.page, box) for p in layout.fields if not p.options for box in p.cell_boxes()]
    for index, (page, (x0, y0, x1, y1)) in enumerate(places):
        assert 8 < x0 < x1 < layout.page_mm[0] - 8 and 8 < y0 < y1 < layout.page_mm[1] - 8
        for other, (a0, b0, a1, b1) in places[index + 1 :]:
            assert other != page or x1 <= a0 + 1e-6 or a1 <= x0 + 1e-6 or y1 <= b0 + 1e-6 or b1 <= y0 + 1e-6
        scale = 200 / 25.4
        inside = pages[page - 1][
            int((y0 + 1.3) * scale) : int((y1 - 0.6) * scale), int((x0 + 0.6) * scale) : int((x1 - 0.6) * scale)
        ]
        assert inside.min() == 255, f"something is printed into the box at {x0:.1f},{y0:.1f} of page {page}"


def test_values_stand_in_their_boxes() -> None:
    m, form, layout = form_of("sole_trader", "application")
    scope = "一般项目：日用百货销售；外卖递送服务。（除依法须经批准的项目外，凭营业执照依法自主开展经营活动）" * 2
    values = {
        "name": "双流区样例小吃店",
        "operator_id": "110101199003070011",
        "born_on": "1990-03-07",
        "sex": "female",
        "scope": scope,
        "family.2.name": "样例成员",
    }
    pages = pymupdf.open(stream=draw_form(m, form, layout, "0123456789", values))
    places = {p.name: p for p in layout.fields}
    for name, expected in {**values, "born_on": "19900307"}.items():
        if name == "sex":
            continue
        box = pymupdf.Rect(places[name].box) * pymupdf.Matrix(72 / 25.4, 72 / 25.4)
        words = pages[places[name].page - 1].get_text("rawdict", clip=box)
        text = "".join(
            c["c"]
            for block in words["blocks"]
            for line in block.get("lines", [])
            for span in line["spans"]
            if span["size"] > 6
            for c in span["chars"]
            if box.contains(pymupdf.Rect(c["bbox"]).tl + (pymupdf.Rect(c["bbox"]).br - pymupdf.Rect(c["bbox"]).tl) / 2)
        )
        assert text.replace(" ", "") == expected
    image = raster(draw_form(m, form, layout, "0123456789", values), 0, 200)
    ink = {}
    for option in places["sex"].options:
        x0, y0, x1, y1 = (int(v * 200 / 25.4) for v in option.box)
        ink[option.value] = (image[y0 + 4 : y1 - 4, x0 + 4 : x1 - 4] < 128).mean()
    assert ink["male"] == 0 and ink["female"] > 0.05


def test_the_same_input_gives_the_same_bytes() -> None:
    m, form, layout = form_of("food_licence", "rules_list")
    values = {"name": "样例餐饮店", "systems": "staff_health,waste"}
    assert draw_form(m, form, layout, "ABC", values) == draw_form(m, form, layout, "ABC", values)
    assert draw_form(m, form, layout, "ABC", values) != draw_form(m, form, layout, "ABD", values)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"nosuch": "x"}, "nosuch"),
        ({"sex": "other"}, "female"),
        ({"operator_id": "1" * 19}, "18 cells"),
        ({"operator": "长" * 400}, "too long"),
    ],
)
def test_values_that_do_not_belong_are_refused(values: dict[str, str], word: str) -> None:
    m, form, layout = form_of("sole_trader", "application")
    with pytest.raises(InputError, match=word):
        draw_form(m, form, layout, "0123456789", values)


def test_a_malformed_serial_is_refused() -> None:
    m, form, layout = form_of("sole_trader", "place_promise")
    with pytest.raises(InputError):
        draw_form(m, form, layout, "has space")


def test_serials_differ() -> None:
    serials = {new_form_id() for _ in range(200)}
    assert len(serials) == 200
    assert all(len(s) == 10 and not set(s) - set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for s in serials)
