"""The catalogue: matters, their materials, forms and rules, loaded from ``matters/*.toml``.

A matter file is data. Nothing in it is evaluated as code: conditions and rules
come from closed lists of kinds, each a class of this module, and
:mod:`docproc.check.check` gives each kind its meaning. Unknown keys are refused, so a
typing mistake never becomes a rule that silently does nothing.

A *reference* is ``material.field`` (``application.uscc``); a column of a table is
``application.staff.name``; the words ``today`` and ``edition.valid_from`` stand
for dates that the caller passes.
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from docproc.domain import Severity
from docproc.errors import CatalogueError, NotFoundError
from docproc.matter.toml_lines import line_of

MATTERS_DIR = Path(__file__).parents[1] / "matters"
COMMON_FILE = "_common.toml"

FieldType = Literal[
    "uscc",
    "cid",
    "mobile",
    "phone",
    "date",
    "period",
    "amount",
    "int",
    "number",
    "person_name",
    "cn_name",
    "address",
    "scope",
    "text",
    "date_or_long",
    "regno",
    "food_licence_no",
    "ethnicity",
    "sex",
    "choice",
    "choices",
    "signature",
    "seal",
    "drawing",
    "table",
]
NOT_TEXT: frozenset[str] = frozenset({"choice", "choices", "signature", "seal", "drawing", "table"})


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Data):
    """Holds when every key that is given holds."""

    field: str
    includes: str | None = None
    """An option key that is among the ticked ones."""
    any_of: tuple[str, ...] = ()
    """At least one of these option keys is ticked, or one of these words occurs in the text."""
    equals: str | None = None
    blank: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if self.includes is None and not self.any_of and self.equals is None and self.blank is None:
            raise ValueError("a condition needs one of includes, any_of, equals, blank")
        return self


class Basis(_Data):
    """A legal basis and the time for which it is in force."""

    id: str
    text: str
    valid_from: date
    valid_to: date | None = None

    def in_force(self, on: date) -> bool:
        """Whether the basis is in force on the day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class Option(_Data):
    """One box to tick."""

    value: str = Field(pattern=r"[a-z0-9_]+")
    label: str


def _check_usual(words: tuple[str, ...], kind: FieldType) -> None:
    if words and kind != "text":
        raise ValueError("only text has usual words; other types have grammars of their own")
    if any(len(word) < 2 or not word.isalpha() for word in words):
        raise ValueError("a usual word has two characters or more, and no marks or blanks")


class Column(_Data):
    """One column of a table field; ``width`` is a share of the row."""

    name: str
    label: str
    type: FieldType
    width: float = 1.0
    cells: int | None = None
    options: tuple[Option, ...] = ()
    required: bool = True
    usual: tuple[str, ...] = ()
    """As of :class:`FieldSpec`."""

    @model_validator(mode="after")
    def _whole(self) -> Column:
        _check_usual(self.usual, self.type)
        return self


class FieldSpec(_Data):
    """One field of a form or of a free material."""

    name: str = Field(pattern=r"[a-z][a-z0-9_]*")
    label: str
    type: FieldType
    required: bool = False
    when: Condition | None = None
    """Required only when this holds."""
    cells: int | None = None
    """Number of comb cells; ``None`` for an open box."""
    lines: int = 1
    """Lines of writing the box offers."""
    width: float = 1.0
    """Share of its row."""
    options: tuple[Option, ...] = ()
    columns: tuple[Column, ...] = ()
    rows: int = 0
    """Rows of a table."""
    min_rows: int = 0
    sensitive: bool = False
    unit: str = ""
    hint: str = ""
    usual: tuple[str, ...] = ()
    """Text on a form: what people mostly write here. No closed list, but a reading that comes near is taken for it."""
    anchors: tuple[str, ...] = ()
    """Free materials: the printed labels beside which the value stands."""
    page: int = 1
    """Free materials: page of the material on which it stands (2: back of an ID card)."""
    may_lack: bool = False
    """Free materials: some editions of the paper do not have it, so that no label means no field, not an unread one."""
    basis: str = ""

    @model_validator(mode="after")
    def _whole(self) -> FieldSpec:
        if self.type in ("choice", "choices") and len(self.options) < 1:
            raise ValueError("a choice needs options")
        if self.type == "table" and (not self.columns or self.rows < 1):
            raise ValueError("a table needs columns and rows")
        _check_usual(self.usual, self.type)
        return self


class FormPage(_Data):
    """One printed page: rows of field names, top to bottom."""

    heading: str = ""
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


class Form(_Data):
    """One edition of a printed form."""

    material: str
    edition: str
    title: str
    valid_from: date
    valid_to: date | None = None
    page: tuple[FormPage, ...]
    field: tuple[FieldSpec, ...]

    def valid(self, on: date) -> bool:
        """Whether the edition may be handed in on the day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class Material(_Data):
    """A kind of paper that an application consists of."""

    id: str = Field(pattern=r"[a-z][a-z0-9_]*")
    name: str
    kind: Literal["form", "free"]
    required: bool = True
    when: Condition | None = None
    repeat: bool = False
    """Several papers of this kind may belong to one application."""
    sides: int = 1
    """Pages that one paper has (2: front and back)."""
    replaces: str | None = None
    """Handing this in makes the named material unnecessary."""
    waived_by: str | None = None
    """Registry that may supply the content, so that the paper is not asked for (免提交)."""
    words: tuple[tuple[str, ...], ...] = ()
    """For each page, texts by which the page is recognised, best first."""
    not_words: tuple[str, ...] = ()
    field: tuple[FieldSpec, ...] = ()
    basis: str = ""
    retention_years: int = 10
    sensitive: bool = False
    """Its pages are apart: who does not work on the application asks for each of them, and the log keeps it."""


def places(message: str) -> frozenset[str]:
    """Names in braces that a message is completed with."""
    return frozenset(name for _, name, _, _ in Formatter().parse(message) if name)


class _Rule(_Data):
    id: str
    severity: Severity
    message: str
    message_en: str = ""
    """The same for pages in English, with the same names in braces; what is kept, sealed and sent is ``message``."""
    basis: str = ""
    when: Condition | None = None

    @model_validator(mode="after")
    def _same_places(self) -> _Rule:
        if self.message_en and places(self.message_en) != places(self.message):
            raise ValueError(f"message_en needs the places of message: {sorted(places(self.message))}")
        return self


class Equal(_Rule):
    """Two readings say the same."""

    kind: Literal["equal"]
    left: str
    right: str
    compare: Literal["text", "name", "address", "code", "contains"] = "text"


class Identity(_Rule):
    """Birth date and sex agree with the citizen number."""

    kind: Literal["identity"]
    cid: str
    born_on: str | None = None
    sex: str | None = None


class Choose(_Rule):
    """A number of boxes is ticked."""

    kind: Literal["choose"]
    field: str
    at_least: int = 1
    at_most: int = 1


class NotOnly(_Rule):
    """The ticked boxes are not just this one."""

    kind: Literal["not_only"]
    field: str
    value: str


class DateOrder(_Rule):
    """``earlier`` is not after ``later``."""

    kind: Literal["date_order"]
    earlier: str
    later: str


class CardTerm(_Rule):
    """An ID card's validity is 5, 10 or 20 years, or without end from the age of 46."""

    kind: Literal["card_term"]
    valid_from: str
    valid_to: str
    cid: str


class MinAge(_Rule):
    """The person is at least so old, and at most."""

    kind: Literal["age"]
    cid: str
    at_least: int = 0
    below: int | None = None
    """With this, the rule speaks when the age lies in ``at_least <= age < below``."""


class Mentions(_Rule):
    """A text contains one of the words."""

    kind: Literal["mentions"]
    field: str
    words: tuple[str, ...]


class Avoids(_Rule):
    """A text contains none of the words; and, where given, ends with one of the suffixes."""

    kind: Literal["avoids"]
    field: str
    words: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()


class Requires(_Rule):
    """Something must be there."""

    kind: Literal["requires"]
    material: str | None = None
    field: str | None = None
    table: str | None = None
    rows: int = 1
    row_words: tuple[str, ...] = ()
    """At least one row of the table contains one of these words."""


class RowsMatch(_Rule):
    """Every row of a table has its own paper, with the same name and still valid."""

    kind: Literal["rows_match"]
    table: str
    column: str
    material: str
    field: str
    valid_to: str | None = None


class Region(_Rule):
    """An address lies in the region that the authority serves."""

    kind: Literal["region"]
    field: str


class CodeRegion(_Rule):
    """Six digits of a code are the division of an address."""

    kind: Literal["code_region"]
    code: str
    start: int
    field: str


class Signed(_Rule):
    """A signature, fingerprint or seal is there."""

    kind: Literal["signed"]
    fields: tuple[str, ...]
    """Any one of them is enough."""


class SealName(_Rule):
    """The seal on the paper carries the applicant's name."""

    kind: Literal["seal_name"]
    seal: str
    name: str


class Registry(_Rule):
    """A register says nothing against it."""

    kind: Literal["registry"]
    lookup: Literal["other_licence_same_place"]
    cid: str
    place: str


class Derived(_Rule):
    """Tells the reviewer what the licence will say."""

    kind: Literal["derived"]
    what: Literal["licence_term"]


class Common(_Rule):
    """The rules that hold for every matter; each kind is fixed."""

    kind: Literal[
        "required",
        "one_notice",
        "edition_in_force",
        "basis_in_force",
        "confidence",
        "validity",
        "waived",
        "missing_material",
        "card_sides",
        "unknown_page",
        "quality",
    ]


Rule = Annotated[
    Equal
    | Identity
    | Choose
    | NotOnly
    | DateOrder
    | CardTerm
    | MinAge
    | Mentions
    | Avoids
    | Requires
    | RowsMatch
    | Region
    | CodeRegion
    | Signed
    | SealName
    | Registry
    | Derived
    | Common,
    Field(discriminator="kind"),
]


class Clock(_Data):
    """Statutory time to accept and to decide, both in working days (行政许可法第82条)."""

    accept_days: int = 5
    decide_working_days: int
    basis: str


class CoSeal(_Data):
    """An authority that approves jointly and seals the licence after the issuing one."""

    seal: str
    """Key of the seal in the seal registry."""
    authority: str = Field(min_length=2)
    """Registered name, as in the seal registry and on the seal."""
    authority_code: str = Field(pattern=r"[0-9A-HJ-NPQRTUWXY]{18}")
    """Its unified social credit code."""


class Department(_Data):
    """One of several departments that approve a matter together (并联审批); the first one leads."""

    org: str = Field(pattern=r"[\w.@-]{1,80}")
    """Organisation of its officials, as their accounts have it."""
    name: str
    duty: str
    """What it examines, for the other departments and the applicant."""
    basis: str
    materials: tuple[str, ...] = ()
    """The papers that it needs and sees; empty for the lead alone, which sees all."""

    def sees(self, material: str | None) -> bool:
        """Whether it sees papers of this kind, or with ``None`` those that nobody has recognised."""
        return not self.materials or material in self.materials


class Retention(_Data):
    """How long what was handed in stays, in days since the last change; sealed licences are never deleted."""

    draft_days: int = Field(30, ge=1)
    """Never handed in."""
    refused_days: int = Field(3 * 365, ge=30)
    """Rejected, taken back, or returned and not handed in again."""
    finished_days: int = Field(10 * 365, ge=365)
    """Issued: what was read, corrections, findings and pictures for the screen."""
    original_days: int = Field(30 * 365, ge=365)
    """Issued: the uploaded files."""
    basis: str = "《中华人民共和国个人信息保护法》第四十七条"


class LicenceSpec(_Data):
    """What an approval issues."""

    kind: str
    layout: str
    """File name in ``licence/layouts`` without ``.toml``."""
    seal: str
    """Key of the seal in the seal registry."""
    co_seals: tuple[CoSeal, ...] = Field((), max_length=7)
    """Further seals of a joint approval, in the order of sealing; the layout has a place for each."""
    type_suffix: str = Field(pattern=r"[0-9]{3}")
    """Last three digits of the licence type code (GB/T 36903); the first 18 are the credit code of who defines it."""
    number: Literal["food", "uscc", "serial"]
    """How the number is made."""
    valid_years: int | None = None
    holder: str
    """Reference of the holder's name."""
    holder_or: str | None = None
    fields: tuple[tuple[str, str, str], ...]
    """``(name, label, reference)`` in printing order."""
    retention_years: int = 30


class Matter(_Data):
    """One matter of government approval."""

    id: str = Field(pattern=r"[a-z][a-z0-9_]*")
    name: str
    authority: str
    region: str
    """Prefix of the administrative divisions served (GB/T 2260), empty for all."""
    status: Literal["active", "retired"] = "active"
    separate_sealer: bool = True
    """The reviewer who approves is not the person who releases the seal."""
    guide: tuple[str, ...] = ()
    fee: str = "不收费"
    clock: Clock
    basis: tuple[Basis, ...]
    licence: LicenceSpec
    material: tuple[Material, ...]
    form: tuple[Form, ...]
    rule: tuple[Rule, ...]
    retention: Retention = Retention()
    department: tuple[Department, ...] = Field((), max_length=10)
    """Joint approval: all must agree; none where the authority decides alone."""

    def department_of(self, org: str) -> Department | None:
        """The department whose officials belong to this organisation."""
        return next((item for item in self.department if item.org == org), None)

    def find_material(self, key: str) -> Material:
        """The material of this id.

        Raises:
            NotFoundError: the matter has none of this id.
        """
        for item in self.material:
            if item.id == key:
                return item
        known = ", ".join(item.id for item in self.material)
        raise NotFoundError(f"matter {self.id} has no material {key!r}; it has {known}")

    def is_sensitive(self, material: str | None) -> bool:
        """Whether pages of this kind are apart; one that nobody has recognised may be anything."""
        return material is None or any(item.id == material and item.sensitive for item in self.material)

    def find_form(self, material: str, edition: str | None = None, on: date | None = None) -> Form:
        """The named edition of a form, or the newest one that is valid on the day.

        Raises:
            NotFoundError: there is no such form or edition.
        """
        forms = [f for f in self.form if f.material == material and (edition is None or f.edition == edition)]
        if edition is None and on is not None:
            forms = [f for f in forms if f.valid(on)]
        if not forms:
            wanted = f"edition {edition}" if edition else "a form in force"
            raise NotFoundError(f"matter {self.id} has no {wanted} of {material!r}")
        return max(forms, key=lambda f: f.valid_from)

    def fields_of(self, material: str, edition: str | None = None) -> tuple[FieldSpec, ...]:
        """Field specifications of a material, of the form's edition where it is a form."""
        spec = self.find_material(material)
        return self.find_form(material, edition).field if spec.kind == "form" else spec.field

    def basis_text(self, ids: str) -> str:
        """Legal texts for space-separated basis ids; an id with ``#`` carries its articles (``spa#33、35``)."""
        texts = {b.id: b.text for b in self.basis}
        parts = []
        for key in ids.split():
            name, _, articles = key.partition("#")
            parts.append(texts.get(name, name) + (f"第{articles}条" if articles else ""))
        return "；".join(parts)


class _CommonRules(_Data):
    basis: tuple[Basis, ...]
    rule: tuple[Rule, ...]


def _parse(path: Path, model: type[_Data]) -> Any:
    text = path.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = getattr(error, "lineno", None) or line_of(text, (), hint=str(error))
        raise CatalogueError(path.name, line, f"not TOML: {error}", "mend the syntax at this place") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple(p for p in first["loc"] if p not in ("function-after",))
        name = ".".join(str(p) for p in where)
        raise CatalogueError(path.name, line_of(text, where), f"{name}: {first['msg']}", _remedy(first)) from None


def _remedy(error: Any) -> str:
    kind = error["type"]
    if kind == "extra_forbidden":
        return "remove this key or correct its spelling"
    if kind == "missing":
        return f"add the key {error['loc'][-1]!r}"
    if kind in ("literal_error", "union_tag_invalid"):
        return f"use one of {error.get('ctx', {}).get('expected') or error.get('ctx', {}).get('expected_tags')}"
    return "correct the value"


def load_matter(path: Path) -> Matter:
    """Load and lint one matter file together with the common rules beside it.

    Raises:
        CatalogueError: with file, line, problem and remedy.
    """
    matter: Matter = _parse(path, Matter)
    common_path = path.with_name(COMMON_FILE)
    if not common_path.is_file():
        common_path = MATTERS_DIR / COMMON_FILE
    common: _CommonRules = _parse(common_path, _CommonRules)
    _lint(matter, path)
    return matter.model_copy(update={"rule": common.rule + matter.rule, "basis": matter.basis + common.basis})


def _lint(matter: Matter, path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    def fail(where: tuple[str | int, ...], problem: str, remedy: str) -> None:
        raise CatalogueError(path.name, line_of(text, where), problem, remedy)

    if matter.id != path.stem:
        fail(("id",), f"id {matter.id!r} differs from the file's name", f"call the file {matter.id}.toml")
    if not matter.basis:
        fail((), "no legal basis", "add [[basis]]: without one a matter cannot be opened")
    materials = {m.id for m in matter.material}
    _lint_forms(matter, materials, fail)
    _lint_departments(matter, materials, fail)
    known = _references(matter)
    for index, rule in enumerate(matter.rule):
        for key, ref in _rule_references(rule):
            if ref not in known:
                fail(("rule", index, key), f"rule {rule.id} names unknown field {ref!r}", "use material.field")
        for key in ("material",):
            name = getattr(rule, key, None)
            if name is not None and name not in materials:
                fail(("rule", index, key), f"unknown material {name!r}", f"use one of {', '.join(sorted(materials))}")
        if len({r.id for r in matter.rule if r.id == rule.id}) != len([r for r in matter.rule if r.id == rule.id]):
            fail(("rule", index, "id"), f"rule id {rule.id!r} occurs twice", "give each rule its own id")
    _lint_seals(matter.licence, fail)
    for item in matter.licence.fields:
        if item[2] not in known and not item[2].startswith("="):
            fail(("licence", "fields"), f"licence names unknown field {item[2]!r}", "use material.field")


def _lint_seals(spec: LicenceSpec, fail: Any) -> None:
    names = [spec.seal, *(item.seal for item in spec.co_seals)]
    codes = [item.authority_code for item in spec.co_seals]
    for found in (names, codes):
        twice = next((item for item in found if found.count(item) > 1), None)
        if twice is not None:
            fail(("licence", "co_seals"), f"{twice!r} seals twice", "name each seal and each authority once")


def _lint_forms(matter: Matter, materials: set[str], fail: Any) -> None:
    for index, form in enumerate(matter.form):
        if form.material not in materials:
            fail(("form", index, "material"), f"unknown material {form.material!r}", "add [[material]] for it")
        names = [f.name for f in form.field]
        placed = [name for page in form.page for row in page.rows for name in row]
        for name in placed:
            if name not in names:
                fail(("form", index, "page"), f"row names unknown field {name!r}", "add [[form.field]] for it")
        for place, name in enumerate(names):
            if placed.count(name) != 1:
                fail(
                    ("form", index, "field", place, "name"),
                    f"field {name!r} stands in {placed.count(name)} rows",
                    "put each field into exactly one row of one page",
                )
    for index, item in enumerate(matter.material):
        if item.kind == "form" and not any(f.material == item.id for f in matter.form):
            fail(("material", index), f"material {item.id!r} is a form without an edition", "add [[form]]")
        if item.kind == "free" and len(item.words) != item.sides:
            fail(("material", index), f"{item.id!r}: one list of words a side is needed", "correct words or sides")


def _lint_departments(matter: Matter, materials: set[str], fail: Any) -> None:
    bases = {item.id for item in matter.basis}
    orgs = [item.org for item in matter.department]
    if len(orgs) == 1:
        fail(("department", 0), "one department alone is no joint approval", "name the others or remove [[department]]")
    for index, item in enumerate(matter.department):
        if orgs.count(item.org) > 1:
            fail(("department", index, "org"), f"department {item.org!r} occurs twice", "give each its own org")
        if (index == 0) != (not item.materials):
            problem, remedy = "the first department leads and sees all", "name materials for every one but the first"
            fail(("department", index, "materials"), problem, remedy)
        for name in item.materials:
            if name not in materials:
                known = f"use some of {', '.join(sorted(materials))}"
                fail(("department", index, "materials"), f"unknown material {name!r}", known)
        for key in item.basis.split():
            if key.partition("#")[0] not in bases:
                fail(("department", index, "basis"), f"unknown basis {key!r}", "add [[basis]] for it")


def _references(matter: Matter) -> set[str]:
    found = {"today", "edition.valid_from"}
    for item in matter.material:
        specs = [s for f in matter.form if f.material == item.id for s in f.field] or list(item.field)
        for spec in specs:
            found.add(f"{item.id}.{spec.name}")
            found.update(f"{item.id}.{spec.name}.{c.name}" for c in spec.columns)
    return found


_REFERENCE_KEYS = ("left", "right", "cid", "born_on", "sex", "field", "earlier", "later", "valid_from", "valid_to",
                   "table", "code", "seal", "name", "place")  # fmt: skip


def _rule_references(rule: Any) -> list[tuple[str, str]]:
    found = [(key, ref) for key in _REFERENCE_KEYS if isinstance(ref := getattr(rule, key, None), str)]
    found += [("fields", ref) for ref in getattr(rule, "fields", ())]
    if rule.when is not None:
        found.append(("when", rule.when.field))
    if rule.kind == "rows_match":
        found = [(k, r) for k, r in found if k not in ("field", "valid_to")]
    return found


@cache
def _load(folder: Path) -> dict[str, Matter]:
    paths = sorted(p for p in folder.glob("*.toml") if not p.name.startswith("_"))
    return {matter.id: matter for matter in map(load_matter, paths)}


_in_force = MATTERS_DIR


def folder_in_force() -> Path:
    """The folder whose matters this process works by: those that ship, or what the office put in their place."""
    return _in_force


def put_in_force(folder: Path) -> None:
    """Work by the matters of another folder from now on; they are loaded first, and nothing changes if one is wrong.

    Raises:
        CatalogueError: a file is wrong.
    """
    global _in_force
    _load(folder)
    _in_force = folder


def load_catalogue(folder: Path | None = None) -> dict[str, Matter]:
    """All matters by id, of the folder in force or of another one.

    Raises:
        CatalogueError: a file is wrong.
    """
    return _load(folder or _in_force)


def find_matter(key: str, folder: Path | None = None) -> Matter:
    """The matter of this id.

    Raises:
        NotFoundError: no such matter; the message lists those that exist.
    """
    catalogue = load_catalogue(folder)
    if key not in catalogue:
        raise NotFoundError(f"no matter {key!r}; there are {', '.join(sorted(catalogue))}", message_zh="没有这个事项")
    return catalogue[key]
