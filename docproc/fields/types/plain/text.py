"""Any text."""

from __future__ import annotations

from datetime import date

from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, good
from docproc.fields.spelling import Ranges, Slot, Spelling
from docproc.fields.text import normalise_text

_SPACED = Ranges((0x20, 0x7E), (0xA0, 0x2FFF), (0x3000, 0xFFFF), (0x10000, 0x10FFFF))


def text(raw: str, *, today: date) -> Checked:
    """Any text, normalised."""
    return good(normalise_text(raw))


def text_or_none(text: str) -> str | None:
    """Return the normal form of a text, ``None`` when it holds only white space."""
    return normalise_text(text) or None


TYPE = FieldType(
    name="text",
    kind="text",
    validator=text,
    example="后厨",
    spelling=Spelling(
        shapes=((Slot(_SPACED, 1, None),),),
        trust="free",
        skip=frozenset(),
        finish=text_or_none,
        folded=True,
        simplify=True,
        beam=8,
    ),
    lines=2,
    usual_words=True,
    mask=None,
    sensitive=False,
    prefill="never",
)
