"""What a matter file says: the matter, its materials, forms, licence, clocks and departments.

A matter file is data; nothing in it is evaluated as code. What its rules may say is the closed list of
:mod:`docproc.matter.rule_kinds`.

A *reference* is ``material.field`` (``application.uscc``); a column of a table is ``application.staff.name``; ``today``
and ``edition.valid_from`` stand for dates that the caller passes.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticKnownError

from docproc.errors import NotFoundError, UnknownMaterialError
from docproc.fields import FIELD_TYPES, FieldType
from docproc.matter.base import Condition, Data
from docproc.matter.rule_kinds import Rule


def _known_type(name: str) -> str:
    if name not in FIELD_TYPES:
        raise PydanticKnownError("literal_error", {"expected": ", ".join(map(repr, FIELD_TYPES))})
    return name


TypeName = Annotated[str, AfterValidator(_known_type)]
"""Name of a field type (:data:`docproc.fields.FIELD_TYPES`)."""


class Basis(Data):
    """A legal basis and the time for which it is in force."""

    id: str
    text: str
    valid_from: date
    valid_to: date | None = None

    def in_force(self, on: date) -> bool:
        """Whether the basis is in force on the day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


class Option(Data):
    """One box to tick."""

    value: str = Field(pattern=r"[a-z0-9_]+")
    label: str


def _check_usual(words: tuple[str, ...], kind: FieldType) -> None:
    if words and not kind.usual_words:
        raise ValueError("only text has usual words; other types have grammars of their own")
    if any(len(word) < 2 or not word.isalpha() for word in words):
        raise ValueError("a usual word has two characters or more, and no marks or blanks")


class Column(Data):
    """One column of a table field; ``width`` is a share of the row."""

    name: str
    label: str
    type: TypeName
    width: float = 1.0
    cells: int | None = None
    options: tuple[Option, ...] = ()
    required: bool = True
    usual: tuple[str, ...] = ()
    """As of :class:`FieldSpec`."""

    @property
    def field_type(self) -> FieldType:
        """The record of its type."""
        return FIELD_TYPES[self.type]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_usual(self.usual, self.field_type)
        return self


class FieldSpec(Data):
    """One field of a form or of a free material."""

    name: str = Field(pattern=r"[a-z][a-z0-9_]*")
    label: str
    type: TypeName
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
    """Text on a form: what people mostly write here. Not a closed list; a near reading is snapped to it."""
    anchors: tuple[str, ...] = ()
    """Free materials: the printed labels beside which the value stands."""
    page: int = 1
    """Free materials: page of the material on which it stands (2: back of an ID card)."""
    may_lack: bool = False
    """Free materials: some editions of the document lack it, so a missing label means no field, not an unread one."""
    mendable: bool = False
    """Forms: an official may change what the applicant wrote here; elsewhere that is the applicant's to do, by 补正."""
    basis: str = ""

    @property
    def field_type(self) -> FieldType:
        """The record of its type."""
        return FIELD_TYPES[self.type]

    @property
    def is_sensitive(self) -> bool:
        """Whether the matter or the type says so."""
        return self.sensitive or self.field_type.sensitive

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.field_type.kind == "choice" and len(self.options) < 1:
            raise ValueError("a choice needs options")
        if self.field_type.kind == "table" and (not self.columns or self.rows < 1):
            raise ValueError("a table needs columns and rows")
        _check_usual(self.usual, self.field_type)
        return self


class FormPage(Data):
    """One printed page: rows of field names, top to bottom."""

    heading: str = ""
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


class Form(Data):
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


class Material(Data):
    """A kind of document that an application consists of."""

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
    """Registry that may supply the content, so that the document need not be submitted (免提交)."""
    words: tuple[tuple[str, ...], ...] = ()
    """For each page, texts by which the page is recognised, best first."""
    not_words: tuple[str, ...] = ()
    field: tuple[FieldSpec, ...] = ()
    basis: str = ""
    retention_years: int = 10
    sensitive: bool = False
    """Its pages are restricted: whoever does not work on the application must ask for each one, which is logged."""


class Clock(Data):
    """Statutory time to accept and to decide, both in working days (行政许可法第82条)."""

    accept_days: int = 5
    decide_working_days: int
    basis: str


class CoSeal(Data):
    """An authority that approves jointly and seals the licence after the issuing one."""

    seal: str
    """Key of the seal in the seal registry."""
    authority: str = Field(min_length=2)
    """Registered name, as in the seal registry and on the seal."""
    authority_code: str = Field(pattern=r"[0-9A-HJ-NPQRTUWXY]{18}")
    """Its unified social credit code."""


class Department(Data):
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


class Retention(Data):
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


class Delegation(Data):
    """Who takes a matter that was passed down (下放)."""

    authority: str = Field(min_length=2)
    """Name, for the applicant."""
    basis: str
    """The decision that passed it down, as rules name a basis."""
    org: tuple[str, ...] = ()
    """Organisations of this installation that it was passed to, as accounts have them; none: it is taken elsewhere."""


MatterStatus = Literal["active", "retired", "delegated"]


class LicenceSpec(Data):
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


class Matter(Data):
    """One matter of government approval."""

    id: str = Field(pattern=r"[a-z][a-z0-9_]*")
    code: str | None = Field(None, pattern=r"[A-Z][A-Z0-9]{0,15}")
    """Stands for the matter in numbers of applications and licences; no other matter has it (``matter.codes``)."""
    name: str
    authority: str
    region: str
    """Prefix of the administrative divisions served (GB/T 2260), empty for all."""
    status: MatterStatus = "active"
    """``retired``: abolished, kept for what was handed in. ``delegated``: passed down, see ``delegated``."""
    delegated: Delegation | None = None
    separate_sealer: bool = True
    """The reviewer who approves is not the person who releases the seal."""
    guide: tuple[str, ...] = ()
    fee: str = "不收费"
    clock: Clock
    basis: tuple[Basis, ...]
    """The matter's own: what authorises it."""
    common_basis: tuple[Basis, ...] = ()
    """What all matters share; from the common file, never from a matter's."""
    licence: LicenceSpec
    material: tuple[Material, ...]
    form: tuple[Form, ...]
    rule: tuple[Rule, ...]
    retention: Retention = Retention()
    department: tuple[Department, ...] = Field((), max_length=10)
    """Joint approval: all must agree; none where the authority decides alone."""

    @property
    def number_code(self) -> str:
        """Its code, or the capital initials of its id: files from before codes were written have none."""
        return self.code or "".join(word[:1] for word in self.id.split("_")).upper()

    @property
    def is_open_somewhere(self) -> bool:
        """Whether an organisation of this installation takes it while its laws are in force."""
        return self.status == "active" or (self.delegated is not None and bool(self.delegated.org))

    def basis_in_force(self, on: date) -> tuple[Basis, ...]:
        """The matter's own legal bases that are in force on the day; without one it is not authorised."""
        return tuple(item for item in self.basis if item.in_force(on))

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
        raise NotFoundError(self._no_material(key), message_zh="没有这种材料", code=UnknownMaterialError.code)

    def has_table(self, material: str) -> bool:
        """Whether a form has a table, whose rows may go on on further sheets."""
        return any(f.field_type.kind == "table" for form in self.form if form.material == material for f in form.field)

    def check_material(self, key: str) -> None:
        """Refuse a material, given with a file or in a command, that the matter does not have.

        Raises:
            UnknownMaterialError: it has none of this id; the message and ``errors`` list those that it has.
        """
        known = {item.id: item.name for item in self.material}
        if key not in known:
            listed = "、".join(f"{name}（{item}）" for item, name in known.items())
            raise UnknownMaterialError(
                self._no_material(key),
                message_zh=f"本事项没有这种材料；有：{listed}",
                errors=[{"where": "material", "problem": f"no material {key!r}", "known": list(known)}],
            )

    def _no_material(self, key: str) -> str:
        return f"matter {self.id} has no material {key!r}; it has {', '.join(item.id for item in self.material)}"

    @property
    def form_ids(self) -> tuple[str, ...]:
        """Ids of the materials that are forms of ours."""
        return tuple(item.id for item in self.material if item.kind == "form")

    @property
    def form_materials(self) -> tuple[str, ...]:
        """Candidates for :attr:`form_material`: the only form or, of several, those that name the licence's holder."""
        forms = self.form_ids
        named = {(ref or "").partition(".")[0] for ref in (self.licence.holder, self.licence.holder_or)}
        return forms if len(forms) < 2 else tuple(key for key in forms if key in named)

    @property
    def form_material(self) -> str:
        """Id of the material that is the application form.

        Raises:
            NotFoundError: there is none, or more than one; the lint of a matter file refuses both.
        """
        if len(self.form_materials) != 1:
            raise NotFoundError(f"matter {self.id} has {len(self.form_materials)} application forms")
        return self.form_materials[0]

    def is_sensitive(self, material: str | None) -> bool:
        """Whether pages of this kind are restricted; an unrecognised page may be anything, so it is."""
        return material is None or any(item.id == material and item.sensitive for item in self.material)

    def find_form(self, material: str, edition: str | None = None, on: date | None = None) -> Form:
        """The named edition of a form, or the newest one that is valid on the day.

        Raises:
            NotFoundError: there is no such form or edition.
        """
        if not any(f.material == material for f in self.form):
            printed = dict.fromkeys(f.material for f in self.form)
            spec = self.find_material(material)
            raise NotFoundError(f"{spec.id!r} of matter {self.id} is no printed form; forms are {', '.join(printed)}")
        forms = [f for f in self.form if f.material == material and (edition is None or f.edition == edition)]
        if edition is None and on is not None:
            forms = [f for f in forms if f.valid(on)]
        if not forms:
            wanted = f"edition {edition}" if edition else "form in force"
            known = ", ".join(f.edition for f in self.form if f.material == material)
            raise NotFoundError(f"matter {self.id} has no {wanted} of {material!r}; there are editions {known}")
        return max(forms, key=lambda f: f.valid_from)

    def fields_of(self, material: str, edition: str | None = None) -> tuple[FieldSpec, ...]:
        """Field specifications of a material, of the form's edition where it is a form."""
        spec = self.find_material(material)
        return self.find_form(material, edition).field if spec.kind == "form" else spec.field

    def basis_text(self, ids: str) -> str:
        """Legal texts for space-separated basis ids; an id with ``#`` carries its articles (``spa#33、35``)."""
        texts = {b.id: b.text for b in (*self.basis, *self.common_basis)}
        parts = []
        for key in ids.split():
            name, _, articles = key.partition("#")
            parts.append(texts.get(name, name) + (f"第{articles}条" if articles else ""))
        return "；".join(parts)
