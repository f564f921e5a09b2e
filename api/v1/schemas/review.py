"""What reviewers see and do: the queue, claims, figures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field


class Pace(BaseModel):
    """How fast a matter is decided."""

    matter: str
    decided: int
    median_hours: float = Field(description="On working days alone, from first handing in to the final decision")
    statutory_days: int = Field(description="Working days")
    saved: float = Field(description="Share of the statutory term, 24 hours to a working day; negative when over")
    first_pass: float
    certain: bool = Field(description="False where the calendar of a year is not published yet")


class Frequent(BaseModel):
    """A rule and how often it is triggered."""

    code: str
    matter: str
    applications: int


class Misread(BaseModel):
    """A field that persons change."""

    matter: str
    material: str
    field: str
    changed: int
    pages: int


class Believed(BaseModel):
    """From which confidence a field may be believed."""

    matter: str
    material: str
    edition: str
    field: str
    seen: int
    changed: int
    threshold: float = Field(description="Above 1: none is to be believed unseen")


class FiguresView(BaseModel):
    """All of it."""

    pace: list[Pace]
    findings: list[Frequent]
    misread: list[Misread]
    trust: list[Believed]


class WaitingView(BaseModel):
    """One application of the queue."""

    number: str
    matter: str
    status: str
    submitted_at: datetime
    due: date
    due_certain: bool = Field(description="False where the calendar of a year is not published yet")
    working_days_left: int
    light: Literal["green", "yellow", "red"]
    findings: int = Field(description="That block or must be mended")
    looks: int = Field(description="That a person must settle before an approval")
    verdict: Literal["pass", "look", "supplement", "rescan"] | None = Field(description="null until checked")
    held_by: str | None
    mine: bool
    own: bool = Field(description="Handed in by the caller, who cannot decide on it")


class Claimed(BaseModel):
    """Whether there is something to decide, held for the caller from now on."""

    held: bool
