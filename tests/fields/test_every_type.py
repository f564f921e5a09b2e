"""Every stage can work with every registered field type: what a new type lacks is named here, stage by stage."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest

import api
import docproc
from api.kit.masks import masked
from api.pages.office.workbench_view import build
from docproc.bench.read import is_label
from docproc.check.check import check
from docproc.domain import GOOD, Field, PageReading
from docproc.errors import CatalogueError
from docproc.fields import FIELD_TYPES, VALIDATORS, FieldType, validate
from docproc.fields.field_type import Ink, hide_middle
from docproc.fields.types.contact.mobile import TYPE as MOBILE
from docproc.form.draw import draw_form, new_form_id
from docproc.form.fill import placements
from docproc.form.layout import FieldBox, layout_of
from docproc.matter.load import COMMON_FILE, MATTERS_DIR, load_matter
from docproc.matter.model import Form, Matter
from docproc.read.decoding.decode import decode, decode_cells
from docproc.read.decoding.fields import TextRun, decode_runs
from docproc.read.decoding.glyphs import glyphs_of
from docproc.read.decoding.grammar import GRAMMARS, grammar_for
from docproc.read.engine.recogniser import Lattice, TextLine
from docproc.read.form.ink import InkLayers, to_px
from docproc.read.form.template import PX
from docproc.read.form.ticks import read_options, read_presence

TODAY = date(2026, 11, 23)
every_type = pytest.mark.parametrize("kind", FIELD_TYPES.values(), ids=FIELD_TYPES)
written_types = pytest.mark.parametrize(
    "kind", [kind for kind in FIELD_TYPES.values() if kind.is_written], ids=lambda kind: kind.name
)
OPTIONS = 'options = [{ value = "a", label = "甲" }, { value = "b", label = "乙" }]\n'
COLUMNS = 'rows = 2\ncolumns = [{ name = "one", label = "栏", type = "text" }]\n'


LOADED: dict[tuple[str, str], tuple[Matter, Form]] = {}


def matter_with(folder: Path, kind: FieldType, more: str = "") -> tuple[Matter, Form]:
    """A matter file whose form has a field ``tried`` of the type, loaded once."""
    if (kind.name, more) not in LOADED:
        LOADED[kind.name, more] = load_with(folder, kind, more)
    return LOADED[kind.name, more]


def load_with(folder: Path, kind: FieldType, more: str) -> tuple[Matter, Form]:
    for name in (COMMON_FILE, "food_licence.toml"):
        shutil.copy(MATTERS_DIR / name, folder / name)
    path = folder / "food_licence.toml"
    text = path.read_text(encoding="utf-8")
    at = text.index('[[form]]\nmaterial = "rules_list"')
    needs = {"choice": OPTIONS, "table": COLUMNS}.get(kind.kind, "")
    spec = f'[[form.field]]\nname = "tried"\nlabel = "被试项"\ntype = "{kind.name}"\n{needs}{more}\n'
    form = text[at:].replace('rows = [["name"],', 'rows = [["name"], ["tried"],', 1)
    first = form.index("[[form.field]]")
    path.write_text(text[:at] + form[:first] + spec + form[first:], encoding="utf-8")
    matter = load_matter(path)
    return matter, matter.find_form("rules_list")


def box_of(matter: Matter, form: Form) -> FieldBox:
    return next(box for box in layout_of(matter, form).fields if box.name.partition(".")[0] == "tried")


def lattice(text: str, charset: str = "") -> Lattice:
    """A sure reading of a text."""
    characters = ("", *sorted({*text, *charset}))
    probs = np.zeros((2 * len(text), len(characters)), dtype=np.float32)
    for step, char in enumerate(text):
        probs[2 * step, characters.index(char)] = 0.995
        probs[2 * step, 0] = 0.005
        probs[2 * step + 1, 0] = 1.0
    return Lattice(probs, np.arange(len(characters), dtype=np.int32), characters, 1.0)


def sheet_of(box: FieldBox, width_mm: float, height_mm: float, red: bool = False) -> InkLayers:
    """A page with a block of ink in the middle of a box."""
    shape = (round(297 * PX), round(210 * PX))
    x, y = (box.box[0] + box.box[2]) / 2, (box.box[1] + box.box[3]) / 2
    x0, y0, x1, y1 = to_px((x - width_mm / 2, y - height_mm / 2, x + width_mm / 2, y + height_mm / 2), shape)
    ink = np.zeros(shape, dtype=np.bool_)
    ink[y0:y1, x0:x1] = True
    page = np.full((*shape, 3), 245, dtype=np.uint8)
    page[ink] = 30
    none = np.zeros(shape, dtype=np.bool_)
    return InkLayers(page, none if red else ink, ink if red else none, none)


def value_of(kind: FieldType) -> str:
    return "present" if kind.is_presence else kind.example


@every_type
def test_a_matter_file_may_name_it(tmp_path: Path, kind: FieldType) -> None:
    matter, form = matter_with(tmp_path, kind)
    spec = next(spec for spec in form.field if spec.name == "tried")
    assert spec.type == kind.name and spec.field_type is kind
    assert spec.is_sensitive == kind.sensitive
    assert matter.model_dump(mode="json")["form"][-1]["field"][0]["type"] == kind.name


def test_a_name_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"type.*nonsense|Input should be") as caught:
        matter_with(tmp_path, replace(MOBILE, name="nonsense"))
    assert "'address'" in caught.value.remedy and "'vin'" in caught.value.remedy


@every_type
def test_the_form_has_a_box_for_it_and_prints_what_may_be_printed(tmp_path: Path, kind: FieldType) -> None:
    matter, form = matter_with(tmp_path, kind)
    box, layout = box_of(matter, form), layout_of(matter, form)
    assert box.box[2] > box.box[0] and box.box[3] > box.box[1]
    assert (len(box.options) == 2) == (kind.kind == "choice")
    inks = placements(layout, {box.name: value_of(kind)})
    if kind.is_written:
        assert "".join(ink.text for ink in inks) == kind.printed.line(kind.example)
    else:
        assert [ink.kind for ink in inks] == ["tick"] * len(kind.example.replace(",", ""))
    printed = pymupdf.open(stream=draw_form(matter, form, layout, new_form_id(), {box.name: value_of(kind)}))
    label = "栏" if kind.kind == "table" else "被试项"
    assert label in "".join(page.get_text() for page in printed)


@written_types
def test_a_comb_has_a_cell_for_every_character(tmp_path: Path, kind: FieldType) -> None:
    text = kind.printed.cells(kind.example)
    if len(text) > 40 or kind.kind == "term":
        pytest.skip("too long for a comb, or two dates, for which a form has two combs")
    matter, form = matter_with(tmp_path, kind, f"cells = {max(len(text), 8)}")
    layout = layout_of(matter, form)
    assert "".join(ink.text for ink in placements(layout, {"tried": kind.example})) == text
    if kind.printed.hints:
        assert draw_form(matter, form, layout, new_form_id(), {"tried": kind.example})
    assert decode_cells([lattice(char) for char in text], grammar_for(kind.name)).value is not None


@written_types
def test_a_clear_reading_is_decoded(kind: FieldType) -> None:
    text = kind.on_paper or kind.example
    read = decode(lattice(text), grammar_for(kind.name))
    assert read.value == kind.example, f"{read} of {text}"
    assert read.source == "ocr"
    assert grammar_for(kind.name).name == kind.name
    assert set(GRAMMARS) == {name for name, each in FIELD_TYPES.items() if each.is_written}


@written_types
def test_its_value_is_found_beside_a_label(kind: FieldType) -> None:
    text = kind.on_paper or kind.example
    quad = np.array([[0, 0], [20 * len(text), 0], [20 * len(text), 24], [0, 24]], dtype=np.float32)
    line = TextLine(text, 0.99, quad, lattice(text))
    runs = [TextRun(tuple(glyphs_of([line])[0]), line)]
    assert decode_runs(kind.name, runs).value == kind.example


@every_type
def test_ink_is_read_where_nothing_is_written(tmp_path: Path, kind: FieldType) -> None:
    matter, form = matter_with(tmp_path, kind)
    box = box_of(matter, form)
    if kind.kind == "choice":
        for option in box.options:
            ticked = replace(box, box=option.box)
            assert read_options(sheet_of(ticked, 3.2, 3.2), box)[0] == option.value
    elif kind.ink is not None:
        width, height = kind.ink.width_mm + 2, kind.ink.height_mm + 2
        assert read_presence(sheet_of(box, 0, 0), box)[0] == ""
        grown = replace(box, box=(box.box[0], box.box[1], box.box[2], box.box[1] + height + 4))
        assert read_presence(sheet_of(grown, width, height, kind.ink.stamped), grown)[0] == "present"
    else:
        assert kind.is_written or kind.kind == "table", f"nothing reads {kind.kind}"


@every_type
def test_the_validator_accepts_the_example_and_refuses_what_is_wrong(kind: FieldType) -> None:
    if kind.validator is None:
        assert kind.is_presence or kind.kind == "table"
        return
    good = kind.validator(kind.example, today=TODAY)
    assert good.ok and good.value == kind.example, good
    if kind.is_written:
        assert VALIDATORS[kind.name] is kind.validator
        bad = validate(kind.name, kind.wrong, today=TODAY)  # any text is good text, but no blank one is
        assert kind.wrong or kind.name == "text"
    else:
        bad = kind.validator(kind.wrong, today=TODAY)
    assert not bad.ok and bad.problem


@written_types
def test_the_check_speaks_of_a_wrong_value_and_of_no_good_one(tmp_path: Path, kind: FieldType) -> None:
    matter, form = matter_with(tmp_path, kind)

    def problems(value: str) -> list[str]:
        fields = {"tried": Field("tried", value, value, 0.99, None, 1)}
        page = PageReading("a", 0, "rules_list", "registered", GOOD, fields, 1, form.edition)
        return [f.code for f in check(matter, [page], TODAY).findings if f.field == "tried"]

    assert problems(kind.example) == []
    assert bool(problems(kind.wrong)) == bool(kind.wrong)
    assert is_label(kind.name, kind.example)
    assert not kind.wrong or not is_label(kind.name, kind.wrong)


@every_type
def test_views_mask_what_is_personal(kind: FieldType) -> None:
    value = value_of(kind)
    assert masked(kind, "") == "" and masked(kind, None) is None
    if not kind.is_personal:
        assert masked(kind, value) == value
        return
    shown = masked(kind, value)
    assert shown is not None and shown != value
    assert len(shown.replace("*", "").replace("＊", "")) <= max(len(value) / 2 + 1, 8)
    assert (kind.validator is not None and not kind.validator(shown, today=TODAY).ok) or kind.name == "address"


@pytest.mark.parametrize("hide", [False, True])
@every_type
def test_the_workbench_shows_it(tmp_path: Path, kind: FieldType, hide: bool) -> None:
    matter, form = matter_with(tmp_path, kind)
    name, value = box_of(matter, form).name, value_of(kind)
    item = {"name": name, "value": value, "raw": value, "confidence": 0.99, "box": None, "page": 1}
    item |= {"source": "ocr", "alternatives": [], "seals": []}
    reading: dict[str, Any] = {"index": 0, "material": "rules_list", "page": 1, "edition": form.edition}
    reading |= {"quality": {"verdict": "good", "findings": []}, "fields": [item]}
    reading |= {"turn": None, "claimed": False, "form_id": None, "said": None, "sheet": 1, "sheets": 1}
    page = {"id": "p", "filename": "a.pdf", "previews": [], "readings": [reading]}
    view = {
        "number": "X",
        "pages": [page],
        "findings": [],
        "checked": True,
        "corrections": [],
        "doubted": set(),
        "changes": [],
        "remarks": [],
        "differing": {},
        "missing": [],
        "decisions": [],
        "machine": {},
    }
    (row,) = build(view | {"names": {}}, matter, lambda _, sensitive: not hide).sheets[0].rows
    assert row.type is (FIELD_TYPES["text"] if kind.kind == "table" else kind)
    if hide:
        assert row.value is None and row.raw == ""
        assert (row.shown == value) == (kind.is_written and not kind.is_personal)
    elif kind.kind == "choice":
        assert row.shown == "、".join({"a": "甲", "b": "乙"}[key] for key in value.split(","))
    else:
        assert row.shown == {"present": "有", "": "（空白）"}.get(value, value)


def whole(**other: Any) -> FieldType:
    """A record that is complete, with some of it changed."""
    given = {name: getattr(MOBILE, name) for name in FieldType.__slots__}
    return FieldType(**(given | other))


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        ({"name": "Mobile phone"}, "a name has small letters"),
        ({"spelling": None}, "needs a spelling"),
        ({"validator": None, "example": "", "wrong": ""}, "need a validator"),
        ({"example": ""}, "needs an example"),
        ({"kind": "choice", "mask": None}, "other kinds have none"),
        ({"kind": "drawing", "spelling": None, "validator": None, "example": "", "wrong": ""}, "how much ink"),
        ({"ink": Ink(1, 2, 3, 4)}, "how much ink"),
        ({"several": True}, "only a choice"),
        ({"mask": None, "sensitive": True}, "need a mask"),
        ({"sensitive": True, "prefill": "always"}, "not printed into any form"),
        ({"usual_words": True}, "for prose"),
        ({"term": "period"}, "only dates"),
        ({"lines": 0}, "lines are for what is written"),
    ],
)
def test_a_record_that_a_stage_could_not_work_with_is_refused(other: dict[str, Any], problem: str) -> None:
    assert whole().mask is hide_middle
    with pytest.raises(ValueError, match=problem):
        whole(**other)


def branches(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Comparisons of a type with names, and sets of names: what a record should say."""

    def names(node: ast.expr | None) -> bool:
        return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in FIELD_TYPES

    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and ast.unparse(node.left).endswith((".type", "type_name")):
            parts = [e for c in node.comparators for e in (c.elts if isinstance(c, ast.Tuple | ast.Set) else [c])]
            if any(names(part) for part in parts):
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Set | ast.Dict):
            keys = node.keys if isinstance(node, ast.Dict) else node.elts
            if len(keys) > 1 and all(names(key) for key in keys):
                yield node.lineno, ast.unparse(node)


def test_no_stage_branches_on_the_name_of_a_type() -> None:
    found = [
        f"{path.name}:{line}: {text}"
        for package in (docproc, api)
        for path in Path(str(package.__file__)).parent.rglob("*.py")
        for line, text in branches(ast.parse(path.read_text(encoding="utf-8")))
        if path.parts[-2:] != ("licences", "versions.py")  # speaks of fields of a licence that are called so
    ]
    assert found == []
    assert len(list(branches(ast.parse('x = {"cid", "uscc"}; y = spec.type == "cid"')))) == 2
