"""How the kiosks are."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request
from docproc.flow.kiosks import kiosks


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


class ReceiptCode(Request):
    """What the citizen brings."""

    code: str = Field(max_length=200, description="The code on the receipt, or the address in its QR code")


class LineReport(Request):
    """What waits for the line at a kiosk."""

    waiting: int = Field(ge=0, le=10_000, description="Files")
    oldest_seconds: int = Field(
        0, ge=0, le=366 * 86400, description="For how long the oldest waits; no clock is needed"
    )
