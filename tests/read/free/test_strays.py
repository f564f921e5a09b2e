"""Labels, watermarks and print of other columns are no values, and a number whose check digit fails does not count."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from docproc.check.check import LOOK
from docproc.domain import Field, PageReading
from docproc.matter.load import find_matter
from docproc.matter.model import FieldSpec
from docproc.read.free.key_value import Segment, Value
from docproc.read.free.labels import Label
from docproc.read.free.strays import check_strays, crosses_column, is_label, refuse_failing, vocabulary
from docproc.read.pipeline import page_engine, read_file
from samples.business import business_licence
from samples.canvas import Canvas
from samples.make import jpeg
from samples.people import Firm, make_company, make_person
from tests.read.free.test_uncertainty import SIZE, segment, value_of

TODAY = date(2026, 11, 23)
MATTER = find_matter("food_licence")
SPECS = {spec.name: spec for spec in MATTER.find_material("bizlic").field}
WORDS = vocabulary(SPECS.values())


def firm() -> Firm:
    rng = random.Random(11)
    return make_company(rng, make_person(rng, TODAY), TODAY)


def read(made: Firm, draw: Callable[[Canvas], None] = lambda canvas: None) -> PageReading:
    """Read the landscape licence of a firm, with something more drawn on it."""
    canvas, _ = business_licence(made, date(2024, 5, 6), random.Random(3), dpi=150.0, landscape=True)
    draw(canvas)
    picture = jpeg(canvas.image, 90)
    (page,) = read_file(picture, "a.jpg", MATTER, material="bizlic", today=TODAY, recogniser=page_engine(threads=1))
    return page


def doubted(item: Field) -> bool:
    return item.value is None or item.confidence < LOOK


def test_a_label_where_the_name_should_stand_is_no_name() -> None:
    made = firm()
    named = replace(made, owner=replace(made.owner, name="姓名"))
    item = read(named).fields["legal_rep"]
    assert (item.value, item.confidence) == (None, 0.0)


def test_a_watermark_behind_a_name_is_cut_off() -> None:
    made = firm()
    marked = replace(made, name=f"{made.name}仅供办理许可使用")
    item = read(marked).fields["name"]
    assert item.value == made.name or doubted(item)
    item = read(replace(made, name=f"{made.name}样例")).fields["name"]
    assert item.value == made.name


def test_a_code_whose_check_digit_fails_is_no_value_anywhere() -> None:
    made = firm()
    last = "0" if made.uscc[-1] != "0" else "1"
    reading = read(replace(made, uscc=made.uscc[:-1] + last))
    item = reading.fields["uscc"]
    assert item.value is None and item.confidence < LOOK


def test_nothing_of_a_clean_licence_is_doubted() -> None:
    made = firm()
    fields = read(made).fields
    assert fields["name"].value == made.name and fields["uscc"].value == made.uscc
    assert not [name for name, item in fields.items() if doubted(item)]


@pytest.mark.parametrize("text", ["姓名", "名称", "类型", "类型住所", "登记机关", "法定代表人姓名"])
def test_labels_alone_are_labels(text: str) -> None:
    assert is_label(text, WORDS)


@pytest.mark.parametrize("text", ["", "张名称", "双流区样例面馆", "样例地址管理有限公司"])
def test_names_are_none(text: str) -> None:
    assert not is_label(text, WORDS)


def strayed(name: str, text: str, printed: str = "") -> Field:
    label = Label(name, "名称", 0, 0, 2, 0.0, 2 * SIZE, 0.0, SIZE, 2.0)
    value = Value(label, [[segment(printed or text, 4, 0)]])
    return check_strays(SPECS[name], Field(name, text, text, 0.99, None, 1), value, [label], WORDS)


def test_a_label_glued_to_a_value_is_doubted_and_short_words_inside_a_name_are_not() -> None:
    assert doubted(strayed("name", "双流区样例面馆统一社会信用代码"))
    assert doubted(strayed("name", "双流区仅供办证使用面馆"))
    assert not doubted(strayed("name", "样例地址管理有限公司"))
    assert not doubted(strayed("name", "双流区样例面馆", "双流区样例面馆仅供办证"))


def test_print_that_reaches_into_the_next_column_is_doubted() -> None:
    def label(text: str, x: float, y: float, row: int) -> Label:
        return Label(
            "field", text, row, 0, len(text), x * SIZE, (x + len(text)) * SIZE, y * SIZE, SIZE, float(len(text))
        )

    right = [label("注册资本", 30, 0.5, 1), label("成立日期", 30, 3.0, 2), label("住所", 30, 5.5, 3)]
    inside, across = segment("双流区样例面馆", 6, 2.0), segment("双流区样例面馆壹佰万元整", 24, 2.0)
    far_below = segment("许可项目餐饮服务食品销售依法须经批准的项目经相关部门批准后方可开展", 6, 12.0)
    assert not crosses_column(_value(inside), right)
    assert crosses_column(_value(across), right)
    assert not crosses_column(_value(far_below), right), "below the column there is room"
    assert not crosses_column(_value(across), right[:1]), "one label makes no column"


def _value(*lines: Segment) -> Value:
    return value_of(*lines)


def spec_of(kind: str) -> FieldSpec:
    return SPECS["uscc"].model_copy(update={"type": kind})


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("uscc", "91110000600037341M", "91110000600037341L"),
        ("uscc", "915101000000013", "110108000000016"),
        ("cid", "11010519491231002A", "11010519491231002X"),
        ("vin", "1M8GDM9A1KP042788", "1M8GDM9AXKP042788"),
    ],
)
def test_a_failing_number_of_any_type_is_one_of_the_readings_and_no_value(kind: str, wrong: str, right: str) -> None:
    refused = refuse_failing(spec_of(kind), Field("code", wrong, wrong, 0.99, None, 1))
    assert (refused.value, refused.alternatives[:1]) == (None, (wrong,)) and refused.confidence < LOOK
    if right:
        kept = Field("code", right, right, 0.99, None, 1)
        assert refuse_failing(spec_of(kind), kept) == kept
