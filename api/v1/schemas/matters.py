"""The catalogue of matters."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


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
    status: Literal["active", "retired"]


class MatterView(MatterSummary):
    """办事指南: what a matter asks for."""

    guide: list[str]
    fee: str
    accept_days: int = Field(description="Working days")
    decide_working_days: int
    basis: list[str]
    materials: list[MaterialView]
