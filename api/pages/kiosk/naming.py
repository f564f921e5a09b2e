"""Saying what a page is, on the pages of kiosk and office: the choices of a matter, and what was chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from docproc.domain import Said
from docproc.errors import InputError
from docproc.matter.model import Material, Matter

NONE = "-"
"""Chosen where a page is none of the matter's papers."""
_CHOICE = re.compile(r"([a-z][a-z0-9_]{0,59})/([1-9][0-9]{0,2})")
Chosen = Annotated[str, Form(max_length=80)]
"""A choice as a form sends it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One page that the matter's papers have."""

    value: str
    label: str
    """In Chinese, as the matter's file names it."""


def choices(matter: Matter) -> tuple[Choice, ...]:
    """Every page that a page of an application may be, in the matter's order."""
    return tuple(
        Choice(f"{item.id}/{page}", page_name(item, page, pages))
        for item in matter.material
        for pages in [pages_of(matter, item)]
        for page in range(1, pages + 1)
    )


def pages_of(matter: Matter, material: Material) -> int:
    """Pages or sides that one paper of a kind has."""
    return len(matter.find_form(material.id).page) if material.kind == "form" else material.sides


def page_name(material: Material, page: int, pages: int) -> str:
    """A page in Chinese words."""
    if pages < 2:
        return material.name
    return f"{material.name} 第{page}{'页' if material.kind == 'form' else '面'}"


def said_of(chosen: str) -> Said:
    """What somebody chose.

    Raises:
        InputError: it is no choice of ours.
    """
    if chosen == NONE:
        return Said(None)
    found = _CHOICE.fullmatch(chosen)
    if found is None:
        raise InputError("the form is not one of ours", message_zh="请选择这一页是哪份材料")
    return Said(found[1], int(found[2]))
