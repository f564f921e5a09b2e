"""The catalogue of matters."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from api.v1.schemas.base import ByTwoPersons
from docproc.matter.model import MatterStatus


class MaterialView(BaseModel):
    """A paper that a matter asks for."""

    id: str
    name: str
    kind: Literal["form", "free"]
    required: bool
    conditional: bool = Field(description="Needed only in some cases")
    sides: int
    form_url: str | None = Field(description="Where the blank form is, for materials that are forms")


class MatterSummary(BaseModel):
    """A matter in the catalogue."""

    id: str
    name: str
    authority: str
    status: MatterStatus = Field(description="`retired`: abolished; `delegated`: passed down to another authority")
    open: bool = Field(description="Whether somebody here takes applications today")
    closed_because: str | None = Field(description="Why not, in Chinese")


class MatterView(MatterSummary):
    """办事指南: what a matter asks for."""

    guide: list[str]
    fee: str
    accept_days: int = Field(description="Working days")
    decide_working_days: int
    basis: list[str]
    materials: list[MaterialView]


class FormView(BaseModel):
    """One edition of a form."""

    material: str
    edition: str
    title: str
    valid_from: date
    valid_to: date | None


class CheckedMatter(BaseModel):
    """A matter as the files would have it."""

    id: str
    name: str
    status: str
    forms: list[FormView]


class Checked(BaseModel):
    """Files that are in order."""

    starts_on: date
    changed: list[str] = Field(description="Files that say something else than what is in force then")
    matters: list[CheckedMatter]


class CatalogueChange(ByTwoPersons):
    """A change that was submitted."""

    files: list[str]
    starts_on: date


class ComparedChange(CatalogueChange):
    """A change beside what is in force."""

    compared: dict[str, list[str]] = Field(description="Lines of a unified comparison by file")
    matters: list[CheckedMatter]
