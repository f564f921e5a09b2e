"""What the office sees and does: figures, kiosks, officials, retention, the queue."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request
from docproc.flow.kiosks import kiosks


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


class Fault(BaseModel):
    """What was wrong with scans."""

    code: str
    message: str
    pages: int


class KioskView(BaseModel):
    """One kiosk, by the name of its key."""

    subject: str
    org: str
    seen_at: datetime | None
    waiting: int = Field(description="Files that wait to be read now")
    oldest: datetime | None
    line_waiting: int = Field(description="Files in the kiosk's own queue for the line, as it last reported")
    line_since: datetime | None = Field(description="Since when the oldest of them waits")
    line_told_at: datetime | None
    begun: int
    handed_in: int
    given_up: int
    pages: int
    rescans: int
    failed: int
    faults: list[Fault]
    states: list[kiosks.State]


class LineReport(Request):
    """What waits for the line at a kiosk."""

    waiting: int = Field(ge=0, le=10_000, description="Files")
    oldest_seconds: int = Field(
        0, ge=0, le=366 * 86400, description="For how long the oldest waits; no clock is needed"
    )


class UserView(BaseModel):
    """An official, without secrets."""

    id: str
    name: str
    title: str
    org: str
    roles: list[str]
    created_at: datetime
    locked: bool
    disabled: bool
    elsewhere: bool = Field(description="Signs in at the OpenID Connect provider")


class NewUser(Request):
    """An official to add."""

    name: str = Field(max_length=80, examples=["li.na"])
    title: str = Field("", max_length=80)
    org: str = Field(max_length=80)
    roles: list[str] = Field(max_length=20)


class Secrets(BaseModel):
    """What an official signs in with; shown this once, the password is changed at the first sign-in."""

    id: str
    name: str
    password: str
    totp_uri: str


class Enabled(BaseModel):
    """Whether an account is open."""

    enabled: bool


class RetentionView(BaseModel):
    """For how long a matter's content is kept, and how much is due to be erased."""

    matter: str
    draft_days: int
    refused_days: int
    finished_days: int
    original_days: int
    basis: str
    due: dict[str, int]


class SweptView(BaseModel):
    """What a sweep erased."""

    applications: int
    files: int
    waiting: int = Field(description="Files that are still to be deleted")


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
    held_by: str | None
    mine: bool
    own: bool = Field(description="Handed in by the caller, who cannot decide on it")


class Claimed(BaseModel):
    """Whether there is something to decide, held for the caller from now on."""

    held: bool
