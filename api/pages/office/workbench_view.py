"""An application as the reviewer sees it: sheets with boxes, each field with verdict, confidence and crop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from api.kit.masks import masked
from api.kit.upright import transform, turn_of_reading, turned_box, turned_size
from docproc.domain import Box, Turn
from docproc.errors import NotFoundError
from docproc.fields import FieldType
from docproc.flow.applications.views import FieldView, FindingView, PageView, ReadingView
from docproc.flow.review.workbench import BenchView, CorrectionView
from docproc.matter.model import Column, FieldSpec, Matter, Option

Shows = Callable[[str, bool], bool]
State = Literal["wrong", "look", "person", "good", "blank"]
SEVERE = ("block", "fix")


@dataclass(frozen=True, slots=True)
class Spec:
    """What the matter says of a field or a column."""

    label: str
    type: FieldType | None
    options: tuple[Option, ...]
    unit: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One field of one page."""

    key: str
    """Unique within the application; also the ``id`` of its element."""
    name: str
    label: str
    type: FieldType | None
    options: tuple[Option, ...]
    value: str | None
    """As it counts; ``None``: the machine abstained."""
    shown: str
    """In words, perhaps masked."""
    raw: str
    machine: str | None
    """In words, what the machine had; only where a person changed it."""
    percent: int
    source: str
    state: State
    messages: tuple[str, ...]
    box: Box | None
    crop: tuple[float, float, float, float] | None
    """x, y, width and height on the upright page."""
    alternatives: tuple[str, ...]
    edits: tuple[CorrectionView, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page."""

    key: str
    page_id: str
    index: int
    title: str
    width: int
    """Pixels of the page as submitted."""
    height: int
    has_picture: bool
    turn: Turn
    unusable: bool
    """It must be scanned again."""
    messages: tuple[str, ...]
    """What is wrong with the page as a whole."""
    rows: tuple[Row, ...]
    hidden: bool
    """Its picture and personal values are not shown."""
    sensitive: bool

    @property
    def size(self) -> tuple[int, int]:
        """Width and height when it stands upright."""
        return turned_size(self.width, self.height, self.turn)

    @property
    def transform(self) -> str:
        """SVG transform that makes it stand upright."""
        return transform(self.width, self.height, self.turn)

    @property
    def open(self) -> int:
        """Fields that need a person."""
        return sum(row.state in ("wrong", "look") for row in self.rows)


@dataclass(frozen=True, slots=True)
class Told:
    """One finding, with the field that it leads to."""

    severity: str
    code: str
    message: str
    basis: str
    place: str
    """Paper and field in words."""
    row: str | None
    """Key of the row that shows it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """All of it."""

    view: BenchView
    matter: Matter
    sheets: tuple[Sheet, ...]
    findings: tuple[Told, ...]
    """The worst first."""

    @property
    def to_set_aside(self) -> tuple[Told, ...]:
        """One for each code that an approval must take a stand on."""
        return tuple({f.code: f for f in reversed(self.findings) if f.severity == "fix"}.values())

    @property
    def blocked(self) -> bool:
        """Whether something forbids approval."""
        return any(f.severity == "block" for f in self.findings)

    @property
    def open(self) -> int:
        """Fields that need a person."""
        return sum(sheet.open for sheet in self.sheets)

    @property
    def notice(self) -> str:
        """Draft of the reason for 补正: everything at once, with its place and basis (行政许可法 第32条)."""
        told = dict.fromkeys(
            (f"{f.place}：{f.message}" if f.place else f.message) + (f"（依据：{f.basis}）" if f.basis else "")
            for f in self.findings
            if f.severity in SEVERE
        )
        return "\n".join(f"{n}. {text}" for n, text in enumerate(told, 1))


def build(view: BenchView, matter: Matter, shows: Shows) -> Bench:
    """Join what the service says with what the matter says.

    Args:
        view: of the application, by :func:`docproc.flow.review.workbench.bench`.
        matter: what it is about.
        shows: whether a page, sensitive or not, is shown with its personal data.
    """
    sheets = tuple(
        _sheet(view, page, reading, matter, shows)
        for page in view["pages"]
        for reading in page["readings"] or _unread(page)
    )
    rank = {"block": 0, "fix": 1, "warn": 2, "info": 3}
    files = {page["id"]: page["filename"] for page in view["pages"]}
    told = [_told(item, sheets, matter, files) for item in view["findings"] if item["severity"] != "info"]
    return Bench(view, matter, sheets, tuple(sorted(told, key=lambda f: rank[f.severity])))


def spec_of(matter: Matter, material: str | None, name: str) -> Spec:
    """What the matter says of a field; the name itself where it says nothing."""
    stem, _, rest = name.partition(".")
    try:
        specs = matter.fields_of(material) if material is not None else ()
    except NotFoundError:
        specs = ()
    for spec in specs:
        if spec.name == stem:
            number, _, column = rest.partition(".")
            inner = next((c for c in spec.columns if c.name == column), None)
            return (
                _column(spec, number, inner)
                if inner is not None
                else Spec(_plain(spec), spec.field_type, spec.options, spec.unit, spec.is_sensitive)
            )
    return Spec(name, None, (), "")


def words(spec: Spec, value: str | None) -> str:
    """A value in words."""
    if value is None:
        return "未能识别"
    if value == "":
        return "（空白）"
    if spec.type is not None and spec.type.is_presence:
        return "有" if value == "present" else value
    if spec.options:
        labels = {o.value: o.label for o in spec.options}
        return "、".join(labels.get(part, part) for part in value.split(","))
    return f"{value} {spec.unit}".strip()


def _column(spec: FieldSpec, number: str, column: Column) -> Spec:
    return Spec(f"{_plain(spec)} {number} · {column.label}", column.field_type, column.options, "")


def _plain(spec: FieldSpec) -> str:
    return spec.label.replace("\n", "")


def _unread(page: PageView) -> list[ReadingView]:
    """Pages of a file that could not be read, so that a person can look at them."""
    return [
        {
            "index": item["index"],
            "material": None,
            "how": "free",
            "quality": {"verdict": "rescan", "findings": []},
            "fields": [],
            "page": 1,
            "edition": None,
            "form_id": None,
            "cpu_seconds": 0.0,
            "turn": None,
        }
        for item in page["previews"]
    ]


def _sheet(view: BenchView, page: PageView, reading: ReadingView, matter: Matter, shows: Shows) -> Sheet:
    sensitive = matter.is_sensitive(reading["material"])
    hide = not shows(page["id"], sensitive)
    size = next((p for p in page["previews"] if p["index"] == reading["index"]), None)
    key = f"{page['id']}-{reading['index']}"
    width, height = (size["width"], size["height"]) if size else (0, 0)
    turn = turn_of_reading(reading)
    drawn = (width, height, turn)
    rows = tuple(_row(view, page["id"], reading, field, matter, drawn, hide) for field in reading["fields"])
    told = tuple(dict.fromkeys(f["message"] for f in reading["quality"]["findings"]))
    return Sheet(
        key=key,
        page_id=page["id"],
        index=reading["index"],
        title=_title(matter, reading, page["filename"]),
        width=width,
        height=height,
        has_picture=size is not None,
        turn=turn,
        unusable=reading["quality"]["verdict"] == "rescan",
        messages=told,
        rows=rows,
        hidden=hide,
        sensitive=sensitive,
    )


def _row(
    view: BenchView,
    page_id: str,
    reading: ReadingView,
    field: FieldView,
    matter: Matter,
    drawn: tuple[int, int, Turn],
    hide: bool,
) -> Row:
    name, value, place = field["name"], field["value"], (page_id, reading["index"], field["name"])
    spec = spec_of(matter, reading["material"], name)
    mine = _findings_on(view, reading["material"], field)
    edits = _edits_of(view, place)
    first = view["machine"].get(place)

    # a day of birth is the middle of the identity number
    kind = None if name.endswith("born_on") or spec.sensitive else spec.type

    def seen(text: str | None) -> str:
        return words(spec, masked(kind, text) if hide else text)

    return Row(
        key=f"f-{page_id}-{reading['index']}-{name.replace('.', '_')}",
        name=name,
        label=spec.label,
        type=spec.type,
        options=spec.options,
        value=None if hide else value,
        shown=seen(value),
        raw="" if hide else field["raw"],
        machine=seen(first) if edits else None,
        percent=round(100 * field["confidence"]),
        source=field["source"],
        state=_state(field, mine),
        messages=tuple(dict.fromkeys(f["message"] for f in mine)),
        box=field["box"],
        crop=_crop(field["box"], *drawn),
        alternatives=() if hide else tuple(field["alternatives"]),
        edits=() if hide else edits,
    )


def _findings_on(view: BenchView, material: str | None, field: FieldView) -> list[FindingView]:
    """Findings on a field, hints left out."""
    if field["source"] == "person" and not view["checked"]:
        return []  # those that are there are about the value before the correction
    return [
        f
        for f in view["findings"]
        if f["material"] == material and f["field"] == field["name"] and f["severity"] != "info"
    ]


def _edits_of(view: BenchView, place: tuple[str, int, str]) -> tuple[CorrectionView, ...]:
    """Corrections of a field, given by page, index and name, with the persons' names to show."""
    return tuple(
        {**e, "by": view["names"].get(e["by"], e["by"])}
        for e in view["corrections"]
        if (e["page_id"], e["index"], e["field"]) == place
    )


def _state(field: FieldView, findings: list[FindingView]) -> State:
    if any(f["severity"] in SEVERE for f in findings):
        return "wrong"
    if field["value"] is None or findings:
        return "look"
    if field["source"] == "person":
        return "person"
    return "blank" if field["value"] == "" else "good"


def _crop(box: Box | None, width: int, height: int, turn: Turn) -> tuple[float, float, float, float] | None:
    """The box with a little room around it, on the upright page."""
    if box is None or not width:
        return None
    box, size = turned_box(box, width, height, turn), turned_size(width, height, turn)
    room = 0.25 * (box[3] - box[1]) + 4
    x0, y0 = max(0.0, box[0] - room), max(0.0, box[1] - room)
    x1, y1 = min(float(size[0]), box[2] + room), min(float(size[1]), box[3] + room)
    return (round(x0, 1), round(y0, 1), round(x1 - x0, 1), round(y1 - y0, 1))


def _told(item: FindingView, sheets: Iterable[Sheet], matter: Matter, files: dict[str, str]) -> Told:
    name, material = item["field"], item["material"]
    suffix = f"-{name.replace('.', '_')}" if name else None
    title = next((m.name for m in matter.material if m.id == material), "")
    label = spec_of(matter, material, name).label if name else ""
    rows = (r for s in sheets if s.title.startswith(title) for r in s.rows)
    row = next((r.key for r in rows if suffix and r.key.endswith(suffix) and item["message"] in r.messages), None)
    place = " · ".join(part for part in (title, label) if part) or files.get(item.get("page_id") or "", "")
    return Told(item["severity"], item["code"], item["message"], item["basis"], place, row)


def _title(matter: Matter, reading: ReadingView, filename: str) -> str:
    material = next((m for m in matter.material if m.id == reading["material"]), None)
    if material is None:
        return f"未识别的材料 {filename}"
    pages = material.sides if material.kind == "free" else 2
    return f"{material.name} 第{reading['page']}页" if pages > 1 else material.name
