"""How a kind of licence looks: a data file, ``layouts/KIND.toml``. A new kind is never code.

Lengths are millimetres from the top left corner of the page, sizes of type are points::

    title = "食品经营许可证"
    page_mm = [297, 210]
    colour = [0.55, 0.12, 0.10]      border and title
    light = [0.93, 0.80, 0.72]       fine lines of the border
    tint = [0.97, 0.92, 0.88]        rosette behind the text
    [seal]    x, y (centre), diameter
    [[co_seal]] the same, for each further seal of a joint approval; its authority is {joint_1}, {joint_2} ...
    [qr]      x, y (top left), size, caption
    [[text]]  x, y, size, align, value ({number}, {authority}, {issued_on} ... are filled in), colour = "theme" | "ink"
    [annex]   names, least, x, y, width, size, leading, bottom, across_y: further pages for what is too long
    [[column]] x, y, width, label_width, size, leading, bottom, names or rest = true
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from docproc.canonical import JsonObject
from docproc.errors import CatalogueError, NotFoundError
from docproc.licence.page.canvas import Colour
from docproc.matter.load import folder_in_force
from docproc.matter.toml_text import parse_toml

FOLDER = Path(__file__).parent / "layouts"
KEPT = "layouts"
"""Folder of layouts beside the matters that an office put in force."""


@dataclass(frozen=True)
class SealPlace:
    """Where the seal goes: centre and diameter."""

    x: float
    y: float
    diameter: float


@dataclass(frozen=True)
class QrPlace:
    """Where the QR code goes: top left corner and size without its quiet zone."""

    x: float
    y: float
    size: float
    caption: str


@dataclass(frozen=True)
class LayoutText:
    """A fixed line with places to fill in."""

    x: float
    y: float
    size: float
    value: str
    align: Literal["left", "centre", "right"] = "left"
    colour: Literal["theme", "ink"] = "ink"
    face: Literal["serif", "sans"] = "serif"


@dataclass(frozen=True)
class FieldColumn:
    """Rows of label and value that flow downwards from the first baseline ``y`` and must end above ``bottom``."""

    x: float
    y: float
    width: float
    """Of label and value together."""
    label_width: float
    size: float
    leading: float
    """Distance between baselines in mm."""
    bottom: float
    names: tuple[str, ...] = ()
    rest: bool = False
    """Takes every field that no column names."""


@dataclass(frozen=True)
class Annex:
    """Further pages for fields that are too long for the first one; a seal stands across the edges of all pages."""

    names: tuple[str, ...]
    """Fields that may be moved, the longest first."""
    least: float
    """Points; a field is moved when type would have to be set smaller than this on the first page."""
    x: float
    y: float
    """First baseline."""
    width: float
    size: float
    leading: float
    bottom: float
    across_y: float
    """Middle of the seal across the edges, mm from the top."""


@dataclass(frozen=True)
class LicenceLayout:
    """One kind of licence."""

    kind: str
    title: str
    title_y: float
    title_size: float
    page_mm: tuple[float, float]
    colour: Colour
    light: Colour
    tint: Colour
    seal: SealPlace
    qr: QrPlace
    text: tuple[LayoutText, ...]
    column: tuple[FieldColumn, ...]
    labels: dict[str, str]
    """Labels by field name, instead of those in the licence."""
    co_seal: tuple[SealPlace, ...] = ()
    """For the further seals of a joint approval, in their order."""
    annex: Annex | None = None
    """``None``: what does not fit the page is refused."""


def load_layout(kind: str, folder: Path | None = None) -> LicenceLayout:
    """Load the layout of a kind of licence: from ``folder``, else beside the matters in force, else built in.

    Raises:
        NotFoundError: there is none of that name.
        CatalogueError: the file breaks the rules above.
    """
    kept = folder_in_force() / KEPT
    return _load(kind, folder or (kept if (kept / f"{kind}.toml").is_file() else FOLDER))


@lru_cache(maxsize=64)
def _load(kind: str, folder: Path) -> LicenceLayout:
    path = folder / f"{kind}.toml"
    if not kind.replace("_", "").isalnum() or not path.is_file():
        raise NotFoundError(f"no licence layout {kind!r} in {folder}: add {kind}.toml")
    source = path.read_text(encoding="utf-8")
    raw = parse_toml(path.name, source)
    return _Reader(path.name, source).layout(kind, raw)


class _Reader:
    """Turns parsed TOML into a layout, with the file and line of what is wrong."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.lines = file, source.splitlines()

    def layout(self, kind: str, raw: JsonObject) -> LicenceLayout:
        built = dict(raw)
        built["kind"] = kind
        built["seal"] = self.table(SealPlace, raw.get("seal"), "seal")
        if "annex" in raw:
            built["annex"] = self.table(Annex, raw["annex"], "annex")
        built["co_seal"] = tuple(self.table(SealPlace, item, "co_seal") for item in raw.get("co_seal", []))
        built["qr"] = self.table(QrPlace, raw.get("qr"), "qr")
        built["text"] = tuple(self.table(LayoutText, item, "text") for item in raw.get("text", []))
        built["column"] = tuple(self.table(FieldColumn, item, "column") for item in raw.get("column", []))
        built.setdefault("labels", {})
        found: LicenceLayout = self.table(LicenceLayout, built, "")
        if sum(column.rest for column in found.column) != 1:
            self.fail("column", "exactly one column must say rest = true", "mark the one that takes further fields")
        if not all(38 <= place.diameter <= 50 for place in (found.seal, *found.co_seal)):
            self.fail("diameter", "the seal's diameter is outside 38 to 50 mm", "use the size that the rule prescribes")
        places: list[FieldColumn | LayoutText | SealPlace | QrPlace | Annex] = [
            *found.column,
            *found.text,
            *found.co_seal,
        ]
        places += [found.seal, found.qr, *([found.annex] if found.annex else [])]
        for place in places:
            if not (0 < place.x < found.page_mm[0] and 0 < place.y < found.page_mm[1]):
                self.fail(str(place.y), "something lies outside the page", "check x, y and page_mm")
        return found

    def table(self, kind: type[Any], raw: Any, name: str) -> Any:
        if not isinstance(raw, dict):
            self.fail(name, f"table {name} is missing", f"add [{name}]")
        known = {item.name: item for item in fields(kind)}
        for key in raw:
            if key not in known:
                self.fail(key, f"{name or 'the file'} has no entry {key!r}", f"use one of {', '.join(known)}")
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()}
        for key, value in values.items():
            if not self.fits(str(known[key].type), value):
                self.fail(key, f"{key} must be {known[key].type}", "give a value of that kind")
        try:
            return kind(**values)
        except TypeError as error:
            self.fail(name, f"{name or 'the file'} is incomplete: {error}", "add the missing entry")

    @staticmethod
    def fits(kind: str, value: Any) -> bool:
        numbers = isinstance(value, tuple) and all(isinstance(item, int | float) for item in value)
        if kind == "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        if kind == "Colour":
            return numbers and len(value) == 3 and all(0 <= item <= 1 for item in value)
        if kind == "tuple[float, float]":
            return numbers and len(value) == 2
        if kind.startswith("Literal"):
            return f"'{value}'" in kind
        return {"str": str, "bool": bool, "dict[str, str]": dict}.get(kind, object) is object or isinstance(
            value, {"str": str, "bool": bool, "dict[str, str]": dict}[kind]
        )

    def fail(self, word: str, problem: str, remedy: str) -> Any:
        line = next((index for index, text in enumerate(self.lines, 1) if word and word in text), 1)
        raise CatalogueError(self.file, line, problem, remedy)
