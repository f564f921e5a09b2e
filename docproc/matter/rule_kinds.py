"""The closed list of rule kinds: what a rule in a matter file may say.

A new kind is one class here, entered in :data:`Rule`, and one function in :mod:`docproc.check.rules`, which gives the
kind its meaning. Keys that point at a field or a material of the matter are annotated as such, and the lint of a matter
file follows them without knowing the kind.
"""

from __future__ import annotations

from enum import Enum
from string import Formatter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from docproc.domain import Severity
from docproc.matter.base import Condition, Data


class Target(Enum):
    """What the value of a rule's key must name."""

    FIELD = "field"
    MATERIAL = "material"


Reference = Annotated[str, Target.FIELD]
"""``material.field``."""
OptionalReference = Annotated[str | None, Target.FIELD]
References = Annotated[tuple[str, ...], Target.FIELD]
MaterialId = Annotated[str, Target.MATERIAL]
OptionalMaterialId = Annotated[str | None, Target.MATERIAL]


def places(message: str) -> frozenset[str]:
    """Placeholders of a message: the names in braces."""
    return frozenset(name for _, name, _, _ in Formatter().parse(message) if name)


class RuleBase(Data):
    """What every kind of rule has."""

    id: str
    severity: Severity
    message: str
    message_en: str = ""
    """The same for pages in English, with the same placeholders; what is stored, sealed and sent is ``message``."""
    basis: str = ""
    when: Condition | None = None

    @model_validator(mode="after")
    def _same_places(self) -> Self:
        if self.message_en and places(self.message_en) != places(self.message):
            raise ValueError(f"message_en needs the places of message: {sorted(places(self.message))}")
        return self

    def targets(self, target: Target) -> list[tuple[str, str]]:
        """The rule's keys whose values must name something of the matter, as ``(key, name)``."""
        found = [("when", self.when.field)] if self.when is not None and target is Target.FIELD else []
        for key, info in type(self).model_fields.items():
            if target in info.metadata:
                value: str | tuple[str, ...] | None = getattr(self, key)
                found += [(key, name) for name in ((value,) if isinstance(value, str) else value or ())]
        return found


class Equal(RuleBase):
    """Two fields agree."""

    kind: Literal["equal"]
    left: Reference
    right: Reference
    compare: Literal["text", "name", "address", "code", "contains"] = "text"


class Identity(RuleBase):
    """Birth date and sex agree with the citizen number."""

    kind: Literal["identity"]
    cid: Reference
    born_on: OptionalReference = None
    sex: OptionalReference = None


class Choose(RuleBase):
    """The number of boxes ticked lies in a range."""

    kind: Literal["choose"]
    field: Reference
    at_least: int = 1
    at_most: int = 1


class NotOnly(RuleBase):
    """The option is not the only one ticked."""

    kind: Literal["not_only"]
    field: Reference
    value: str


class DateOrder(RuleBase):
    """``earlier`` is not after ``later``."""

    kind: Literal["date_order"]
    earlier: Reference
    later: Reference


class CardTerm(RuleBase):
    """An ID card is valid for 5, 10 or 20 years, or without end from the age of 46."""

    kind: Literal["card_term"]
    valid_from: Reference
    valid_to: Reference
    cid: Reference


class MinAge(RuleBase):
    """The person's age lies in a range."""

    kind: Literal["age"]
    cid: Reference
    at_least: int = 0
    below: int | None = None
    """With ``below``, there is a finding when ``at_least <= age < below``."""


class Mentions(RuleBase):
    """A text contains one of the words."""

    kind: Literal["mentions"]
    field: Reference
    words: tuple[str, ...]


class Avoids(RuleBase):
    """A text contains none of the words and, where suffixes are given, ends with one of them."""

    kind: Literal["avoids"]
    field: Reference
    words: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()


class Requires(RuleBase):
    """A material, a field or rows of a table must be present."""

    kind: Literal["requires"]
    material: OptionalMaterialId = None
    field: OptionalReference = None
    table: OptionalReference = None
    rows: int = 1
    row_words: tuple[str, ...] = ()
    """At least one row of the table contains one of these words."""


class RowsMatch(RuleBase):
    """Every row of a table has a document of its own, in the same name and still valid."""

    kind: Literal["rows_match"]
    table: Reference
    column: str
    material: MaterialId
    field: str
    """Name of a field of the material, as is ``valid_to``."""
    valid_to: str | None = None


class Region(RuleBase):
    """An address lies in the region that the authority serves."""

    kind: Literal["region"]
    field: Reference


class CodeRegion(RuleBase):
    """Six digits of a code are the administrative division of an address."""

    kind: Literal["code_region"]
    code: Reference
    start: int
    field: Reference


class Signed(RuleBase):
    """A signature, fingerprint or seal is present."""

    kind: Literal["signed"]
    fields: References
    """Any one of them is enough."""


class SealName(RuleBase):
    """The seal on the paper carries the name of somebody who may seal it.

    Its message may say ``{seal}``, the name on the seal, and ``{name}``, the name that it should carry.
    """

    kind: Literal["seal_name"]
    seal: Reference
    name: Reference
    also: References = ()
    """Further names that the seal may carry: the same firm's on another paper, a lessor's."""
    required: bool = False
    """Whether a seal that is not there is a finding too; without it, that is the matter of a ``signed`` rule."""


class Registry(RuleBase):
    """A register has nothing against the application."""

    kind: Literal["registry"]
    lookup: Literal["other_licence_same_place"]
    cid: Reference
    place: Reference


class Derived(RuleBase):
    """Shows the reviewer what the licence will say."""

    kind: Literal["derived"]
    what: Literal["licence_term"]


class Common(RuleBase):
    """Rules that apply to every matter; what each does is fixed."""

    kind: Literal[
        "required",
        "one_notice",
        "edition_in_force",
        "basis_in_force",
        "delegated",
        "sheet_doubled",
        "sheet_mixed",
        "sheet_unread",
        "confidence",
        "validity",
        "waived",
        "missing_material",
        "card_sides",
        "unknown_page",
        "claimed_page",
        "several_papers",
        "same_paper",
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
