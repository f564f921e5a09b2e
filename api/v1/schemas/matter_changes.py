"""Matter files that are submitted, and changes of the catalogue."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from api.v1.schemas.dual_control import ByTwoPersons


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
