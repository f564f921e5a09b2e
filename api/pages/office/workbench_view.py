"""An application as the reviewer sees it: sheets with boxes, each field with verdict, confidence and crop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from api.kit.field_words import spec_of, words
from api.kit.masks import masked
from api.pages.kiosk.naming import Choice, choices, page_name, pages_of
from api.pages.upright import Upright, shown_box, turn_of_reading, turned_box, turned_size
from docproc.canonical import canonical_sha256
from docproc.check.sheets import sheet_name
from docproc.domain import Box, CorrectionKind, Turn
from docproc.fields import FieldType
from docproc.flow.applications.corrections import ChangeView
from docproc.flow.applications.views import FieldView, FindingView, PageView, ReadingView, RemarkView
from docproc.flow.review.workbench import BenchView, CorrectionView
from docproc.matter.model import Matter, Option

Shows = Callable[[str, bool], bool]
State = Literal["wrong", "look", "person", "changed", "good", "blank"]
DIFFERS = "这份材料交来了不止一份，这一栏各份不一致，请核对"
SEVERE = ("block", "fix")


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
    kind: CorrectionKind | None
    """Of the newest correction; ``None`` where nobody corrected it."""
    doubted: bool
    """The machine was not certain: a value that differs was misread, unless the official says otherwise."""
    mendable: bool
    """The matter lets an official change what the applicant wrote here."""
    remark: str | None
    """What the citizen said the paper says, perhaps masked or empty; ``None`` where they said nothing."""


@dataclass(frozen=True, slots=True)
class Named:
    """What a person said last that a page is."""

    label: str
    """In Chinese; empty: none of the matter's papers."""
    by: str
    """Name to show."""
    at: str


@dataclass(frozen=True, slots=True)
class ToConfirm:
    """A paper that no reader recognised: the official confirms it by name."""

    material: str
    label: str
    sheets: tuple[Sheet, ...]
    """The pages that a person says are it."""


@dataclass(frozen=True, slots=True)
class Sheet(Upright):
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
    material: str | None = None
    choice: str = ""
    """What it is taken for, as one of :func:`api.pages.kiosk.naming.choices`."""
    claimed: bool = False
    """The material is what a person said; with none, the page is none of the matter's papers."""
    said: Named | None = None
    can_name: bool = False
    """A person may say what it is: it was read, and no code of a form says so."""

    @property
    def open(self) -> int:
        """Fields that need a person."""
        return sum(row.state in ("wrong", "look") for row in self.rows)

    def ask_to_mend(self, row: Row) -> str:
        """What a notice says of a field that the applicant must correct."""
        wanted = f"所填“{row.shown}”有误，请更正。" if row.value else "未填写，请补填。"
        return f"{self.title} · {row.label}：{wanted}"


@dataclass(frozen=True, slots=True)
class Changed:
    """A value in place of what the applicant wrote, in words."""

    label: str
    written: str | None
    value: str | None
    by: str
    at: str
    row: str
    """Key of the row that shows it."""


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
    look: bool = False
    """A person must settle it before an approval."""
    sheets: tuple[Sheet, ...] = ()
    """The pages of the paper that it is about, where no row shows it."""


@dataclass(frozen=True, slots=True)
class Bench:
    """All of it."""

    view: BenchView
    matter: Matter
    sheets: tuple[Sheet, ...]
    findings: tuple[Told, ...]
    """The worst first."""
    changes: tuple[Changed, ...]
    """What stands now in place of what the applicant wrote."""
    decided: dict[str, tuple[Changed, ...]]
    """The same of each decision, by its id."""

    @property
    def to_set_aside(self) -> tuple[Told, ...]:
        """One for each code that an approval must take a stand on."""
        by_name = {rule.id for rule in self.matter.rule if rule.kind == "claimed_page"}
        open_ = [f for f in self.findings if (f.severity == "fix" or f.look) and f.code not in by_name]
        return tuple({f.code: f for f in reversed(open_)}.values())

    @property
    def blocked(self) -> bool:
        """Whether something forbids approval."""
        return bool(self.missing) or any(f.severity == "block" for f in self.findings)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the required papers that are not there."""
        return tuple(item.name for item in self.matter.material if item.id in self.view["missing"])

    @property
    def to_confirm(self) -> tuple[ToConfirm, ...]:
        """Papers that an approval must confirm by name."""
        found: dict[str, list[Sheet]] = {}
        for sheet in self.sheets:
            if sheet.claimed and sheet.material is not None:
                found.setdefault(sheet.material, []).append(sheet)
        names = {item.id: item.name for item in self.matter.material}
        return tuple(ToConfirm(key, names[key], tuple(sheets)) for key, sheets in found.items())

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What a person may say that a page is."""
        return choices(self.matter)

    @property
    def clean(self) -> bool:
        """Nothing was found that prevents an approval."""
        return self.view["verdict"] == "pass"

    @property
    def pages_word(self) -> str:
        """Changes when a page gets another name."""
        return canonical_sha256([[sheet.key, sheet.title] for sheet in self.sheets])[:16]

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
    hidden = {sheet.page_id for sheet in sheets if sheet.hidden}
    return Bench(
        view,
        matter,
        sheets,
        tuple(sorted(told, key=lambda f: rank[f.severity])),
        _changed(view, view["changes"], matter, hidden),
        {past["id"]: _changed(view, past["changed"], matter, hidden) for past in view["decisions"]},
    )


def _changed(
    view: BenchView, changes: Iterable[ChangeView], matter: Matter, hidden: Collection[str]
) -> tuple[Changed, ...]:
    found = []
    for item in changes:
        spec = spec_of(matter, item["material"], item["field"])
        kind = None if spec.sensitive else spec.type
        pair = [
            None if text is None else words(spec, masked(kind, text) if item["page_id"] in hidden else text)
            for text in (item["written"], item["value"])
        ]
        by, key = view["names"].get(item["by"], item["by"]), _key(item["page_id"], item["index"], item["field"])
        found.append(Changed(item["label"], pair[0], pair[1], by, item["at"], key))
    return tuple(found)


def _key(page_id: str, index: int, name: str) -> str:
    return f"f-{page_id}-{index}-{name.replace('.', '_')}"


def _unread(page: PageView) -> list[ReadingView]:
    """Pages of a file that could not be read, so that a person can look at them."""
    return [
        {
            "index": item["index"],
            "material": None,
            "claimed": False,
            "said": None,
            "how": "free",
            "quality": {"verdict": "rescan", "findings": []},
            "fields": [],
            "page": 1,
            "edition": None,
            "form_id": None,
            "sheet": 1,
            "sheets": 1,
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
        material=reading["material"],
        choice=f"{reading['material']}/{reading['page']}" if reading["material"] is not None else "",
        claimed=reading["claimed"],
        said=_named(view, reading, matter),
        can_name=bool(page["readings"]) and reading["form_id"] is None,
    )


def _named(view: BenchView, reading: ReadingView, matter: Matter) -> Named | None:
    said = reading["said"]
    if said is None:
        return None
    material = next((m for m in matter.material if m.id == said["material"]), None)
    label = page_name(material, said["page"], pages_of(matter, material)) if material is not None else ""
    return Named(label, view["names"].get(said["by"], said["by"]), said["at"])


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
    differs = [DIFFERS] if name in view["differing"].get(reading["material"] or "", ()) else []
    first = view["machine"].get(place)

    # a day of birth is the middle of the identity number
    kind = None if name.endswith("born_on") or spec.sensitive else spec.type

    def seen(text: str | None) -> str:
        return words(spec, masked(kind, text) if hide else text)

    return Row(
        key=_key(page_id, reading["index"], name),
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
        state=_state(field, mine, edits),
        messages=tuple(dict.fromkeys([*(f["message"] for f in mine), *differs])),
        box=field["box"],
        crop=_crop(shown_box(field), *drawn),
        alternatives=() if hide else tuple(field["alternatives"]),
        edits=() if hide else edits,
        kind=edits[-1]["kind"] if edits else None,
        doubted=place in view["doubted"],
        mendable=spec.mendable,
        remark=next((_said(r, kind, hide) for r in view["remarks"] if _place_of(r) == place), None),
    )


def _place_of(item: RemarkView) -> tuple[str, int, str]:
    return item["page_id"], item["index"], item["field"]


def _said(item: RemarkView, kind: FieldType | None, hide: bool) -> str:
    return (masked(kind, item["said"]) or "") if hide else item["said"]


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


def _state(field: FieldView, findings: list[FindingView], edits: tuple[CorrectionView, ...]) -> State:
    if any(f["severity"] in SEVERE for f in findings):
        return "wrong"
    if field["value"] is None or findings:
        return "look"
    if field["source"] == "person":
        return "changed" if edits and edits[-1]["kind"] == "changed" else "person"
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
    about = tuple(s for s in sheets if material is not None and s.material == material) if name is None else ()
    return Told(item["severity"], item["code"], item["message"], item["basis"], place, row, item["look"], about)


def _title(matter: Matter, reading: ReadingView, filename: str) -> str:
    material = next((m for m in matter.material if m.id == reading["material"]), None)
    if material is None:
        return f"{'不属于本事项的材料' if reading['claimed'] else '未识别的材料'} {filename}"
    pages = material.sides if material.kind == "free" else 2
    title = f"{material.name} 第{reading['page']}页" if pages > 1 else material.name
    return f"{title} {sheet_name(reading['sheet'], reading['sheets'])}".rstrip()
