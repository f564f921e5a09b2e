"""An application as the citizen sees it: which papers are there, what each page is, what is wrong and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from api.kit.field_words import spec_of, words
from api.pages.kiosk.naming import Choice, choices
from api.pages.upright import Upright, shown_box, turn_of_reading, turned_box
from docproc.check.sheets import sheet_name
from docproc.domain import Box, Turn
from docproc.errors import NotFoundError
from docproc.flow.applications.views import ApplicationView, FindingView, PageView, PreviewView, ReadingView
from docproc.matter.model import Material, Matter

PaperState = Literal["missing", "partial", "problem", "claimed", "look", "good", "optional"]
CardState = Literal[
    "waiting", "checking", "good", "partial", "problem", "look", "claimed", "apart", "rescan", "unknown", "failed"
]
"""``checking``: read, and the findings are not there yet; ``partial``: another side of the paper is missing;
``claimed``: it is what a person said; ``apart``: a person said that it is none of the matter's papers."""
TO_MEND = ("block", "fix")
MISSING = "G-00"
"""Code of the common rule that says which papers are not there."""
APART = ("G-18", "G-19", "G-20")
"""Codes of the common rules on sheets that stand apart; which sheet it is stands in the message."""


@dataclass(frozen=True, slots=True)
class Place(Upright):
    """Where something stands: a page's picture and a box on it."""

    page_id: str
    index: int
    width: int
    """Pixels of the page as submitted."""
    height: int
    box: Box | None
    turn: Turn = 0

    @property
    def spot(self) -> Box | None:
        """The box on the upright page."""
        return turned_box(self.box, self.width, self.height, self.turn) if self.box is not None else None

    @property
    def crop(self) -> tuple[float, float, float, float]:
        """Box with room around it, inside the upright page: x, y, width, height."""
        width, height = (float(side) for side in self.size)
        if self.spot is None:
            return (0.0, 0.0, width, height)
        x0, y0, x1, y1 = self.spot
        room_x = max(0.25 * (x1 - x0), 0.04 * width)
        room_y = max(0.6 * (y1 - y0), 0.025 * height)
        left, top = max(0.0, x0 - room_x), max(0.0, y0 - room_y)
        right, bottom = min(width, x1 + room_x), min(height, y1 + room_y)
        return (round(left, 1), round(top, 1), round(right - left, 1), round(bottom - top, 1))


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding in the citizen's words, with its place where it has one."""

    message: str
    basis: str
    severity: str
    material: str | None
    label: str
    """Of the field, or empty."""
    place: Place | None
    code: str = ""
    look: bool = False
    """A person must settle it before an approval."""


@dataclass(frozen=True, slots=True)
class PageProblems:
    """Everything wrong with one page, or with one paper that is not there."""

    title: str
    page_id: str | None
    material: str | None
    picture: Place | None
    rescan: bool
    """The page must be scanned again because it cannot be read."""
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A kind of paper that the matter asks for."""

    material: Material
    state: PaperState
    have: int
    """Different sides that were recognised."""


@dataclass(frozen=True, slots=True)
class Card(Upright):
    """One page that was scanned."""

    page_id: str
    index: int
    filename: str
    name: str
    """Of the paper, or empty while it is not known."""
    side: int
    sides: int
    is_form: bool
    state: CardState
    messages: tuple[str, ...]
    has_picture: bool
    width: int
    """Pixels of the page as submitted."""
    height: int
    turn: Turn = 0
    sheet: int = 1
    """Of the sheets that the page of a form was printed on."""
    sheets: int = 1
    material: str | None = None
    can_name: bool = False
    """A person may say what it is: it was read, and no code of a form says so."""

    unlike: tuple[tuple[str, str], ...] = ()
    """Label and value of the fields in which another paper of the kind says something else."""

    @property
    def choice(self) -> str:
        """What it is taken for, as one of :func:`api.pages.kiosk.naming.choices`."""
        return f"{self.material}/{self.side}" if self.material is not None else ""


@dataclass(frozen=True, slots=True)
class Case:
    """All of it."""

    view: ApplicationView
    matter: Matter
    papers: tuple[Paper, ...]
    cards: tuple[Card, ...]
    to_mend: tuple[PageProblems, ...]
    to_note: tuple[Problem, ...]
    waiting: int
    """Files that are still being read."""
    settled: bool
    """Findings belong to what is there now."""

    to_look: tuple[Problem, ...] = ()
    """What a person must settle first: the citizen, by naming pages or handing in another, or else an official."""
    choices: tuple[Choice, ...] = ()

    @property
    def count(self) -> int:
        """Things to mend."""
        return sum(len(group.problems) for group in self.to_mend)

    @property
    def unnamed(self) -> tuple[Card, ...]:
        """Pages that nobody recognised."""
        return tuple(card for card in self.cards if card.state == "unknown")

    @property
    def undrawn(self) -> bool:
        """Whether a picture is still to come."""
        return any(not card.has_picture and card.state != "failed" for card in self.cards)

    @property
    def open(self) -> int:
        """Things that somebody must settle: findings, or else pages that nobody recognised."""
        return len(self.to_look) or len(self.unnamed)

    @property
    def clean(self) -> bool:
        """Nothing was found that prevents an approval, and every page is known."""
        return self.settled and self.view["verdict"] == "pass" and not self.unnamed

    def cards_of(self, material: str | None) -> tuple[Card, ...]:
        """Pages of one kind of paper."""
        return tuple(card for card in self.cards if material is not None and card.material == material)


def build(view: ApplicationView, matter: Matter) -> Case:
    """Join what the service says of an application with what its matter asks for."""
    settled = bool(view["checked"]) and bool(view["pages"])
    findings = view["findings"] if settled else [f for f in view["findings"] if f["page_id"]]
    problems = [_problem(item, view, matter) for item in findings]
    mend = [p for p in problems if p.severity in TO_MEND]
    unknown = next((rule.id for rule in matter.rule if rule.kind == "unknown_page"), "")
    return Case(
        view,
        matter,
        tuple(_paper(material, view, findings) for material in matter.material),
        tuple(_cards(view, matter, findings, settled)),
        tuple(_groups(mend, view, matter)) if settled else (),
        tuple(p for p in problems if p.severity == "warn" and not p.look and p.code != unknown),
        sum(page["state"] == "queued" for page in view["pages"]),
        settled,
        tuple(p for p in problems if p.severity == "warn" and p.look),
        choices(matter),
    )


def _readings(view: ApplicationView) -> Iterable[tuple[PageView, ReadingView]]:
    return ((page, reading) for page in view["pages"] for reading in page["readings"])


def _paper(material: Material, view: ApplicationView, findings: list[FindingView]) -> Paper:
    mine = [reading for _, reading in _readings(view) if reading["material"] == material.id]
    have = len({reading["page"] for reading in mine})
    wrong = any(f["material"] == material.id and f["severity"] in TO_MEND for f in findings)
    asked = any(f["material"] == material.id and f["code"] == MISSING for f in findings)
    if not mine:
        wanted = asked or (material.required and material.when is None)
        state: PaperState = "missing" if wanted else "optional"
    elif wrong or any(reading["quality"]["verdict"] == "rescan" for reading in mine):
        state = "problem"
    elif any(reading["claimed"] for reading in mine):
        state = "claimed"
    elif any(f["material"] == material.id and f["look"] for f in findings):
        state = "look"
    else:
        state = "partial" if have < material.sides else "good"
    return Paper(material, state, have)


def _cards(view: ApplicationView, matter: Matter, findings: list[FindingView], settled: bool) -> Iterable[Card]:
    for page in view["pages"]:
        sizes = {item["index"]: item for item in page["previews"]}
        if not page["readings"]:
            told = tuple(f["message"] for f in view["findings"] if f["page_id"] == page["id"])
            state: Literal["waiting", "failed"] = "waiting" if page["state"] == "queued" else "failed"
            yield _card(page, 0, None, 1, state, (*told, *_first_words(page)), sizes)
        for reading in page["readings"]:
            mine = [item for item in findings if _concerns(item, view, page, reading)]
            partial = any(p.have < p.material.sides for p in [_paper_of(reading, view, matter)] if p is not None)
            card = _read_card(page, reading, matter, sizes, mine, partial and settled, settled)
            yield replace(card, unlike=tuple(_unlike(reading, view, matter)))


def _first_words(page: PageView) -> Iterable[str]:
    """What is wrong with a file that waits to be read, at first sight."""
    words = [item["first_word"] for item in page["previews"] if item["first_word"]]
    return [found["message"] for word in words for found in word["findings"] if found["severity"] in TO_MEND]


def _read_card(
    page: PageView,
    reading: ReadingView,
    matter: Matter,
    sizes: dict[int, PreviewView],
    findings: list[FindingView],
    partial: bool,
    settled: bool,
) -> Card:
    """A page as read; only one against which nothing stands is good."""
    material = _material(matter, reading["material"])
    wrong = [item for item in findings if item["severity"] in TO_MEND]
    told = tuple(item["message"] for item in (*reading["quality"]["findings"], *wrong))
    state = _state_of(reading)
    if state == "good":
        state = _standing_of(findings, partial, settled)
    card = _card(page, reading["index"], material, reading["page"], state, told, sizes)
    card = replace(card, sheet=reading["sheet"], sheets=reading["sheets"])
    return replace(card, turn=turn_of_reading(reading), can_name=reading["form_id"] is None)


def _unlike(reading: ReadingView, view: ApplicationView, matter: Matter) -> Iterable[tuple[str, str]]:
    """Fields in which another paper of the same kind says something else, where there may be but one."""
    material = _material(matter, reading["material"])
    if material is None or material.repeat:
        return
    twins = [r for _, r in _readings(view) if r["material"] == material.id and r["page"] == reading["page"]]
    for field in reading["fields"]:
        others = {f["value"] for r in twins for f in r["fields"] if f["name"] == field["name"] and f["value"]}
        if field["value"] and others - {field["value"]}:
            spec = spec_of(matter, material.id, field["name"])
            yield spec.label, words(spec, field["value"])


def _state_of(reading: ReadingView) -> CardState:
    if reading["claimed"] and reading["material"] is None:
        return "apart"
    if reading["quality"]["verdict"] == "rescan":
        return "rescan"
    if reading["claimed"]:
        return "claimed"
    return "good" if reading["material"] is not None else "unknown"


def _standing_of(findings: list[FindingView], partial: bool, settled: bool) -> CardState:
    """What stands against a page that was recognised."""
    if any(item["severity"] in TO_MEND for item in findings):
        return "problem"
    if partial:
        return "partial"
    if not settled:
        return "checking"
    return "look" if any(item["look"] for item in findings) else "good"


def _paper_of(reading: ReadingView, view: ApplicationView, matter: Matter) -> Paper | None:
    material = _material(matter, reading["material"])
    return _paper(material, view, []) if material is not None and material.kind == "free" else None


def _concerns(item: FindingView, view: ApplicationView, page: PageView, reading: ReadingView) -> bool:
    """Whether a finding is about a page: about its file, its field, or the whole of its paper."""
    if item.get("page_id"):
        return item.get("page_id") == page["id"]
    if item["material"] is None or item["material"] != reading["material"] or item["code"] == MISSING:
        return False
    holders = [r for _, r in _readings(view) if r["material"] == item["material"] and _has(r, item["field"])]
    return not holders or reading in holders


def _has(reading: ReadingView, name: str | None) -> bool:
    """Whether a page has a field, or cells of a table."""
    return name is not None and any(f["name"] == name or f["name"].startswith(name + ".") for f in reading["fields"])


def _card(
    page: PageView,
    index: int,
    material: Material | None,
    side: int,
    state: CardState,
    messages: tuple[str, ...],
    sizes: dict[int, PreviewView],
) -> Card:
    size = sizes.get(index)
    width, height = (size["width"], size["height"]) if size else (0, 0)
    told = tuple(dict.fromkeys(messages))
    name, sides = (material.name, material.sides) if material is not None else ("", 1)
    is_form = material is not None and material.kind == "form"
    card = Card(page["id"], index, page["filename"], name, side, sides, is_form, state, told, bool(size), width, height)
    return replace(card, material=material.id if material is not None else None)


def _problem(item: FindingView, view: ApplicationView, matter: Matter) -> Problem:
    return Problem(
        item["message"],
        item["basis"],
        item["severity"],
        item["material"],
        _label(matter, item["material"], item["field"]),
        _place(item, view),
        item["code"],
        item["look"],
    )


def _place(item: FindingView, view: ApplicationView) -> Place | None:
    """The field's box, else the page that the finding is about, where its picture is there."""
    if item["code"] == MISSING or item["code"] in APART:
        return None  # what is not there is on no page
    best: Place | None = None
    for page, reading in _readings(view):
        told = any(item["message"] == f["message"] for f in reading["quality"]["findings"])
        if item["page_id"] not in (None, page["id"]):
            continue
        if item["material"] is not None and reading["material"] != item["material"]:
            continue
        size = next((p for p in page["previews"] if p["index"] == reading["index"]), None)
        if size is None:
            continue
        boxes = {f["name"]: shown_box(f) for f in reading["fields"]}
        name = item["field"]
        box = boxes.get(name) if name else None
        if box is None and name and "." not in name:
            box = _around(value for key, value in boxes.items() if key.startswith(name + "."))
        spot = Place(page["id"], reading["index"], size["width"], size["height"], box, turn_of_reading(reading))
        if box is not None:
            return spot
        if told:
            return spot
        if name is None and best is None and (item["page_id"] or item["material"]):
            best = spot
    return best


def _around(boxes: Iterable[Box | None]) -> Box | None:
    """The box around the boxes of a table's cells."""
    real = [box for box in boxes if box]
    if not real:
        return None
    left, top, right, bottom = zip(*real, strict=True)
    return min(left), min(top), max(right), max(bottom)


def _groups(problems: list[Problem], view: ApplicationView, matter: Matter) -> Iterable[PageProblems]:
    """Problems by page in the order of the matter's papers; papers that are not there at the end."""
    by_page: dict[tuple[str, int], list[Problem]] = {}
    by_paper: dict[str | None, list[Problem]] = {}
    for problem in problems:
        if problem.place is not None:
            by_page.setdefault((problem.place.page_id, problem.place.index), []).append(problem)
        else:
            by_paper.setdefault(problem.material, []).append(problem)
    for page in view["pages"]:
        if page["state"] == "failed":
            told = [p for p in problems if p.place is None and p.material is None and _is_on(view, page, p)]
            yield PageProblems(page["filename"], page["id"], None, None, True, tuple(told))
            by_paper[None] = [p for p in by_paper.get(None, []) if p not in told]
        for reading in page["readings"]:
            mine = by_page.get((page["id"], reading["index"]), [])
            if mine:
                material = _material(matter, reading["material"])
                title = _title(material, reading, page["filename"])
                rescan = reading["quality"]["verdict"] == "rescan"
                picture = mine[0].place
                yield PageProblems(title, page["id"], reading["material"], picture, rescan, tuple(mine))
    for key, told in by_paper.items():
        material = _material(matter, key)
        if told:
            yield PageProblems(material.name if material else "", None, key, None, False, tuple(told))


def _is_on(view: ApplicationView, page: PageView, problem: Problem) -> bool:
    return any(f["page_id"] == page["id"] and f["message"] == problem.message for f in view["findings"])


def _title(material: Material | None, reading: ReadingView, filename: str) -> str:
    if material is None:
        return filename
    page = f"第{reading['page']}页" if material.sides > 1 else ""
    sheet = sheet_name(reading["sheet"], reading["sheets"])
    if sheet:
        return f"{material.name}{page}{sheet}"
    return f"{material.name}（{page}）" if page else material.name


def _material(matter: Matter, key: str | None) -> Material | None:
    return next((item for item in matter.material if item.id == key), None)


def _label(matter: Matter, material: str | None, field: str | None) -> str:
    if material is None or field is None:
        return ""
    try:
        specs = matter.fields_of(material)
    except NotFoundError:
        return ""
    name, _, rest = field.partition(".")
    for spec in specs:
        if spec.name == name:
            row, _, column = rest.partition(".")
            label = spec.label.replace("\n", "")
            inner = next((c.label for c in spec.columns if c.name == column), "")
            return f"{label}第{row}行{inner}" if rest else label
    return ""
