"""The seal registry."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, Field

from api.v1.schemas.base import ByTwoPersons


class SealView(BaseModel):
    """A registered seal."""

    name: str
    owner: str
    owner_code: str
    kind: Literal["official", "special"]
    filing_number: str
    state: Literal["active", "suspended", "out_of_period"]
    licence_kinds: list[str]
    valid_from: datetime
    valid_to: datetime
    algorithm: str = Field(description="What its key signs by: `RSA-2048`, `RSA-3072`, `P-256` or `SM2`")
    certificate_sha256: str
    art_sha256: str
    diameter_mm: float
    has_record: bool = Field(description="Whether a seal object by GB/T 38540 is kept")
    registered_at: datetime


class ChangeView(ByTwoPersons):
    """A change of the registry."""

    seal: str
    action: Literal["add", "suspend", "resume"]


class Registry(BaseModel):
    """All seals, and the changes that wait."""

    seals: list[SealView]
    changes: list[ChangeView]


class NewSeal(BaseModel):
    """A seal to register; its art is drawn by rule from the owner's name."""

    name: str = Field(max_length=60)
    owner: str = Field(max_length=200)
    owner_code: str = Field(max_length=18)
    kind: Literal["official", "special"]
    filing_number: str = Field(max_length=60)
    certificates: str = Field(max_length=60_000, description="PEM, the seal's own first, each followed by its issuer")
    licence_kinds: list[str] = Field(max_length=100)
    valid_from: AwareDatetime
    valid_to: AwareDatetime
    diameter_mm: float = 42.0
    purpose: str = Field("", max_length=10)
    emblem: bool = Field(False, description="A place for the national emblem instead of the star")
    record: str = Field("", max_length=800_000, description="Seal object by GB/T 38540, base64; an SM2 seal needs one")
    reason: str = Field(max_length=500)


class NewChange(BaseModel):
    """Why a seal is to be suspended or used again."""

    action: Literal["suspend", "resume"]
    reason: str = Field(max_length=500)
