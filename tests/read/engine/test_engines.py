"""Both engines on pages and lines that the test draws: found where they stand, read as they were written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from docproc.assets import paths
from docproc.errors import SetupError
from docproc.read.decoding.decode import decode, decode_cells
from docproc.read.decoding.grammar import grammar_for
from docproc.read.engine import openvino
from docproc.read.engine.detection import DetectionOptions, crop_line, network_size, order_corners
from docproc.read.engine.openvino import OpenVinoRecogniser
from docproc.read.engine.recogniser import BLANK, Image, Recogniser, greedy

LINES = (
    "食品经营许可申请书·样本",
    "统一社会信用代码 91320594MA1MXKYN0X",
    "经营场所 成都市双流区试验路12号",
    "2026年11月23日",
)


def picture(draw: Callable[[ImageDraw.ImageDraw], None], width: int, height: int) -> Image:
    page = Pictures.new("RGB", (width, height), "white")
    draw(ImageDraw.Draw(page))
    return np.ascontiguousarray(np.asarray(page)[:, :, ::-1])


def line_picture(text: str, size: int = 40, font: str = paths.SERIF) -> Image:
    face = ImageFont.truetype(str(paths.font(font)), size)
    width = int(face.getlength(text)) + size
    return picture(lambda d: d.text((size // 2, size // 4), text, font=face, fill="black"), width, int(size * 1.7))


def page_picture(lines: Sequence[str] = LINES) -> Image:
    face = ImageFont.truetype(str(paths.font(paths.SANS)), 32)

    def draw(d: ImageDraw.ImageDraw) -> None:
        for row, text in enumerate(lines):
            d.text((80, 60 + 110 * row), text, font=face, fill="black")

    return picture(draw, 1000, 640)


@pytest.fixture(scope="module")
def ours() -> OpenVinoRecogniser:
    return openvino.engine()


@pytest.fixture(scope="module", params=["openvino", "paddle on openvino", "paddle on onnxruntime"])
def engine(request: pytest.FixtureRequest) -> Recogniser:
    if request.param == "openvino":
        return openvino.engine()
    from docproc.read.engine import paddle

    return paddle.engine("openvino" if request.param == "paddle on openvino" else "onnxruntime")


def bare(text: str) -> str:
    return text.replace(" ", "")


def test_a_page_is_read_line_by_line_in_order(engine: Recogniser) -> None:
    read = engine.read_lines(page_picture())
    assert [bare(line.text) for line in read] == [bare(text) for text in LINES]
    assert all(line.confidence > 0.9 for line in read)


def test_lines_are_found_where_they_stand(engine: Recogniser) -> None:
    page = page_picture()
    for row, line in enumerate(engine.detect(page)):
        assert line.score > 0.6
        ink = np.argwhere(page[60 + 110 * row : 60 + 110 * row + 60].min(axis=2) < 128)
        (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
        top, bottom = top + 60 + 110 * row, bottom + 60 + 110 * row
        expected = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        assert np.abs(line.quad - expected).max() < 16


def test_lattices_keep_the_order_of_the_crops(engine: Recogniser) -> None:
    texts = ["短", "2026年11月23日", "江苏省苏州市工业园区试验路一百二十八号样本大厦", "13800138000"]
    lattices = engine.posteriors([line_picture(text) for text in texts])
    assert [bare(greedy(lattice)[0]) for lattice in lattices] == texts
    for lattice in lattices:
        assert lattice.columns[0] == BLANK
        assert (lattice.probs >= 0).all()
        assert (lattice.probs.sum(axis=1) <= 1.01).all()
        assert set("0123456789X") <= set(lattice.characters)


def test_a_quick_reading_has_the_same_characters_and_says_the_same_of_clear_print(engine: Recogniser) -> None:
    """Greedily it takes 0 and O for each other; what is believed is its reading under the value's grammar."""
    number = "11010519491231002X"
    crops = [line_picture(text) for text in (*LINES, number)]
    quick, full = engine.quick(crops), engine.posteriors(crops)
    assert [bare(greedy(lattice)[0]).replace("O", "0") for lattice in quick] == [
        bare(text) for text in (*LINES, number)
    ]
    assert decode(quick[-1], grammar_for("cid")).value == number
    for one, other in zip(quick, full, strict=True):
        assert one.charset == other.charset and one.columns[0] == BLANK
        assert (np.diff(one.columns) > 0).all()


def test_a_blank_page_has_no_lines(engine: Recogniser) -> None:
    assert engine.read_lines(np.full((400, 600, 3), 255, dtype=np.uint8)) == []


def test_the_stock_pipeline_reads_the_same_page() -> None:
    from docproc.read.engine import paddle

    stock = paddle.engine().stock(page_picture())
    assert [bare(text) for text, _, _ in stock] == [bare(text) for text in LINES]


def test_a_crop_reads_alike_alone_and_among_others(ours: OpenVinoRecogniser) -> None:
    crops = [line_picture(text) for text in ("样本", "91320594MA1MXKYN0X", "试验路12号")]
    together = ours.posteriors(crops)
    for crop, lattice in zip(crops, together, strict=True):
        alone = ours.posteriors([crop])[0]
        assert greedy(alone)[0] == greedy(lattice)[0]


def test_time_steps_lie_on_the_characters(ours: OpenVinoRecogniser) -> None:
    crop = line_picture("一二三四五六七八九")
    lattice = ours.posteriors([crop])[0]
    best = lattice.probs.argmax(axis=1)
    steps = [t for t in range(len(best)) if best[t] != BLANK and (t == 0 or best[t] != best[t - 1])]
    places = [lattice.place(t, crop.shape[1]) for t in steps]
    centres = [20 + 40 * (i + 0.5) for i in range(9)]
    assert len(places) == 9
    assert np.abs(np.array(places) - centres).max() < 20


def test_printed_fields_are_read_under_their_grammars(ours: OpenVinoRecogniser) -> None:
    fields = {
        "cid": ("11010519491231002X", "11010519491231002X"),
        "date": ("2026年11月23日", "2026-11-23"),
        "mobile": ("13800138000", "13800138000"),
        "amount": ("壹佰万元整", "1000000"),
        "cn_name": ("成都试验餐饮管理有限公司", "成都试验餐饮管理有限公司"),
        "period": ("2026.11.23-长期", "2026-11-23/长期"),
    }
    lattices = ours.posteriors([line_picture(text) for text, _ in fields.values()])
    for (kind, (_, value)), lattice in zip(fields.items(), lattices, strict=True):
        read = decode(lattice, grammar_for(kind))
        assert read.value == value, kind
        assert read.confidence > 0.8


def test_comb_cells_are_read_one_by_one(ours: OpenVinoRecogniser) -> None:
    face = ImageFont.truetype(str(paths.font(paths.SANS)), 44)

    def cell(char: str) -> Image:
        return picture(lambda d: d.text((26, 32), char, font=face, fill="black", anchor="mm"), 52, 64)

    number = "11010519491231002X"
    assert decode_cells(ours.posteriors([cell(char) for char in number]), grammar_for("cid")).value == number


def test_a_page_that_lies_on_its_side_says_how(ours: OpenVinoRecogniser) -> None:
    upright = page_picture(LINES + LINES[:1])
    for turns in range(4):
        angle, score = ours.orientation(np.ascontiguousarray(np.rot90(upright, -turns)))
        assert angle == 90 * turns
        assert score > 0.3


def test_a_slanted_line_is_laid_level() -> None:
    line = line_picture("试验样本水平行", 40)
    height, width = line.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, width / 2), 12, 1)
    canvas = np.full((width, width, 3), 255, dtype=np.uint8)
    top = (width - height) // 2
    canvas[top : top + height] = line
    page = cv2.warpAffine(canvas, turn, (width, width), borderValue=(255, 255, 255))
    corners = np.array([[0, top], [width, top], [width, top + height], [0, top + height]], dtype=np.float64)
    quad = (corners @ turn[:, :2].T + turn[:, 2]).astype(np.float32)
    crop = crop_line(page, quad)
    assert abs(crop.shape[0] - height) <= 3 and abs(crop.shape[1] - width) <= 3
    small = cv2.resize(crop, (width, height)).astype(np.float32)
    assert np.abs(small - line).mean() < 25


def test_an_upright_column_is_turned_to_a_line() -> None:
    page = np.zeros((300, 200, 3), dtype=np.uint8)
    quad = np.array([[50, 20], [90, 20], [90, 280], [50, 280]], dtype=np.float32)
    height, width = crop_line(page, quad).shape[:2]
    assert width > 5 * height


def test_corners_are_ordered_from_any_order() -> None:
    square = np.array([[0, 0], [10, 1], [11, 8], [1, 7]], dtype=np.float32)
    for order in ([3, 1, 0, 2], [2, 3, 1, 0], [0, 1, 2, 3]):
        assert (order_corners(square[order]) == square).all()


@pytest.mark.parametrize(
    ("page", "shown"), [((3508, 2480), (960, 672)), ((640, 480), (640, 480)), ((20, 5000), (32, 960))]
)
def test_pages_are_shown_to_the_network_in_multiples_of_32(page: tuple[int, int], shown: tuple[int, int]) -> None:
    assert network_size(*page, DetectionOptions().side) == shown


def test_a_crop_without_pixels_is_refused(ours: OpenVinoRecogniser) -> None:
    with pytest.raises(ValueError, match="0×10"):
        ours.posteriors([np.zeros((0, 10, 3), dtype=np.uint8)])


def test_missing_weights_name_the_command() -> None:
    with pytest.raises(SetupError, match="docproc models fetch"):
        OpenVinoRecogniser("enormous")
