"""Business scope (经营范围)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import Ranges, Slot, Spelling
from docproc.fields.text import normalise_text
from docproc.fields.types.plain.text import text_or_none

_KIND = re.compile("^(许可|一般)(?:经营)?项目:")
_ANY = Ranges((0x21, 0x7E), (0xA1, 0x2FFF), (0x3001, 0xFFFF), (0x10000, 0x10FFFF))


@dataclass(frozen=True, slots=True)
class ScopePhrase:
    """One phrase of a business scope."""

    text: str
    kind: str
    """``许可`` or ``一般`` where the scope is divided, else empty."""


def scope(raw: str, *, today: date) -> Checked:
    """Business scope: at least one phrase; :func:`split_scope` gives them apart."""
    value = normalise_text(raw).replace("。;", ";").strip(";。,、 ")
    value = normalise_text(value)
    return good(value) if split_scope(value) else bad(value, "请填写经营范围，每项之间用分号隔开")


def split_scope(value: str) -> tuple[ScopePhrase, ...]:
    """Split a business scope at ; and 。 outside brackets, at 、 only where nothing else divides it."""
    plain = normalise_text(value)
    parts = _split(plain, ";。")
    if len(parts) == 1:
        parts = _split(plain, ";。、")
    phrases, kind = [], ""
    for part in parts:
        if found := _KIND.match(part):
            kind, part = found[1], part[found.end() :]
        if phrase := part.strip(" ,:"):
            phrases.append(ScopePhrase(phrase, kind))
    return tuple(phrases)


def _split(value: str, marks: str) -> list[str]:
    parts, depth = [""], 0
    for char in value:
        depth = max(0, depth + (char == "(") - (char == ")"))
        if char in marks and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part.strip()]


TYPE = FieldType(
    name="scope",
    kind="text",
    validator=scope,
    example="许可项目:食品销售;餐饮服务",
    wrong="；",
    spelling=Spelling(
        shapes=((Slot(_ANY, 1, None),),), trust="free", finish=text_or_none, folded=True, simplify=True, beam=8
    ),
    lines=40,
    mask=None,
    sensitive=False,
    prefill="never",
)
