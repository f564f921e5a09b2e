"""What one field type is: the record that every stage reads instead of knowing type names of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from docproc.fields.result import Validator
from docproc.fields.spelling import Spelling, unchanged

Kind = Literal["text", "code", "number", "date", "term", "choice", "mark", "drawing", "table"]
"""What a value is.

``text``, ``code``, ``number``, ``date`` and ``term`` are written, into an open box or, where the matter file gives
``cells``, one character a comb cell. ``choice`` has options to tick. ``mark`` is signed or sealed, ``drawing`` is
drawn: all that is read of them is whether they are there. ``table`` is rows of columns, each of a type of its own.
"""
WRITTEN: tuple[Kind, ...] = ("text", "code", "number", "date", "term")
PRESENT: tuple[Kind, ...] = ("mark", "drawing")

Prefill = Literal["never", "papers", "always"]
"""Whether a value that is known may be printed into a new form.

``always``: it says who or where, and may come from the register, a licence or an earlier form. ``papers``: only from a
paper of the same application, which the applicant has just handed in. ``never``: the applicant writes it.
"""
Mask = Callable[[str], str]


def hide_middle(value: str) -> str:
    """Keep the first characters, which tell the kind, and the last two, by which somebody recognises their own."""
    keep = (6, 2) if len(value) >= 15 else (3, 2)
    if len(value) <= sum(keep):
        return "*" * len(value)
    return value[: keep[0]] + "*" * (len(value) - sum(keep)) + value[-keep[1] :]


def never(value: str) -> bool:
    """No value is suspicious."""
    return False


@dataclass(frozen=True, slots=True)
class Printed:
    """How a value is printed into a form, and what a comb for it carries."""

    line: Callable[[str], str] = unchanged
    """The value in an open box."""
    cells: Callable[[str], str] = unchanged
    """The value in a comb, one character a cell."""
    hints: tuple[tuple[str, int], ...] = ()
    """Small words on a comb's upper rule, each with the cell (from 0) at whose left edge it stands."""
    joints: tuple[int, ...] = ()
    """Cells of a comb (from 0) whose left edge is a heavier line."""


@dataclass(frozen=True, slots=True)
class Ink:
    """Limits of presence: below ``least_mm2`` nothing is there, from ``enough_mm2`` on something is."""

    least_mm2: float
    enough_mm2: float
    width_mm: float
    """Least extent of what counts."""
    height_mm: float
    stamped: bool = False
    """Pressed on in red rather than drawn with a pen: red ink counts alone where there is more of it, pale ink too."""


@dataclass(frozen=True, slots=True)
class Older:
    """A number of another type that older papers carry in the same place."""

    name: str
    """The other type."""
    length: int
    """Its characters at most."""
    instead_of: int
    """Characters of the type's own number."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldType:
    """Everything that a stage asks about a field's type.

    Raises:
        ValueError: the record lacks something that its kind needs, or has something that its kind cannot use.
    """

    name: str
    kind: Kind
    mask: Mask | None
    """How the value is shown to those who work on something else; ``None``: it says nothing about a person."""
    sensitive: bool
    """Sensitive personal information (个人信息保护法 第28条: specific identity, financial accounts)."""
    prefill: Prefill
    validator: Validator | None = None
    spelling: Spelling | None = None
    example: str = ""
    """A made-up or published value in normal form, which the validator accepts as it is."""
    on_paper: str = ""
    """The example as documents print it, where that is not the normal form."""
    wrong: str = ""
    """A value that the validator refuses; a type that accepts any text leaves it empty."""
    lines: int = 1
    """Lines that a value may take on paper."""
    printed: Printed = Printed()
    several: bool = False
    """Choices: more than one option may be ticked."""
    ink: Ink | None = None
    """Marks and drawings: how much ink is one."""
    usual_words: bool = False
    """Whether a matter file may list what people mostly write here (``usual``); other types have spellings."""
    lead_words: tuple[str, ...] = ()
    """Words printed between label and value that belong to the label (法定代表人 *姓名*)."""
    within: re.Pattern[str] | None = None
    """Where in a sentence a value may stand, in characters as they are read."""
    alone: re.Pattern[str] | None = None
    """A number that is known by its shape and check digits wherever it stands on a page, without a label."""
    older: Older | None = None
    term: str | None = None
    """Dates: the type of a term that may be printed in one place for its first and last day."""
    incomplete: Callable[[str], bool] = never
    """Whether a value is admissible but looks as if a part were missing or too much: a person should look at it."""
    implausible: Callable[[str], bool] = never
    """Whether a value is so odd that one of its characters was probably misread: it is not relied on."""
    takes_sms: bool = False
    """A number that a text message can be sent to."""

    def __post_init__(self) -> None:
        """Refuse a record that some stage could not work with."""
        for wrong, problem in self._objections():
            if wrong:
                raise ValueError(f"field type {self.name!r}: {problem}")

    def _objections(self) -> tuple[tuple[bool, str], ...]:
        checked = self.validator is not None
        return (
            (not re.fullmatch(r"[a-z][a-z0-9_]*", self.name), "a name has small letters, digits and underscores"),
            (self.is_written != (self.spelling is not None), "what is written needs a spelling, other kinds have none"),
            ((self.is_written or self.kind == "choice") != checked, "written values and choices need a validator"),
            (checked != bool(self.example), "a validator needs an example of what it accepts, and nothing else does"),
            (bool(self.wrong or self.on_paper) and not checked, "without a validator nothing is wrong or printed"),
            ((self.kind in PRESENT) != (self.ink is not None), "marks and drawings say how much ink is one"),
            (self.several and self.kind != "choice", "only a choice has several options"),
            (self.sensitive and self.mask is None, "sensitive values need a mask"),
            (self.sensitive and self.prefill == "always", "sensitive values are not printed into any form"),
            (self.prefill != "never" and not self.is_written, "only what is written can be printed into a form"),
            (self.usual_words and not self.is_prose, "usual words are for prose"),
            (self.older is not None and self.kind != "code", "only a code has an older one"),
            (self.term is not None and self.kind != "date", "only dates are ends of a term"),
            (self.lines < 1 or (self.lines > 1 and not self.is_written), "lines are for what is written"),
        )

    @property
    def is_written(self) -> bool:
        """Whether the value is writing, as opposed to ticks, marks, drawings and tables."""
        return self.kind in WRITTEN

    @property
    def is_presence(self) -> bool:
        """Whether all there is to read is that something is there."""
        return self.kind in PRESENT

    @property
    def is_unchecked(self) -> bool:
        """Whether nothing but the characters themselves vouches for a reading: names and free text."""
        return self.spelling is not None and self.spelling.trust in ("named", "free")

    @property
    def is_prose(self) -> bool:
        """Unchecked text that may run over several lines."""
        return self.is_unchecked and self.lines > 1

    @property
    def is_plain(self) -> bool:
        """Whether there is no spelling to speak of, so that print is taken as it stands, without a search."""
        return self.spelling is not None and self.spelling.trust == "free"

    @property
    def is_personal(self) -> bool:
        """Whether it says who somebody is, what is theirs or where to find them."""
        return self.mask is not None
