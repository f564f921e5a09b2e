"""综合窗口: originals, comparison of paper with scans, the chain of custody."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request
from docproc.canonical import JsonObject


class OriginalPaper(Request):
    """A kind of paper that is deposited at the counter."""

    material: str = Field(max_length=60)
    copies: int = Field(1, ge=1, le=100)


class Originals(Request):
    """Originals that are deposited at the counter."""

    items: list[OriginalPaper] = Field(min_length=1, max_length=100)
    note: str = Field("", max_length=500)


class Receiver(Request):
    """Who gets papers back."""

    to: str = Field(min_length=1, max_length=80, description="Name, as on the identity card that was shown")


class Pickup(Receiver):
    """Who gets the printed licence."""

    code: str = Field(max_length=20, description="Pick-up code, which the applicant sees at the follow address")


class ComparedPage(Request):
    """A scanned page, and what was found when its paper lay beside it."""

    page_id: str = Field(max_length=32)
    index: int = Field(0, ge=0, le=10_000)
    result: Literal["match", "mismatch", "absent"]
    scanned: str = Field("", max_length=200, description="Text of the paper's own QR code, where it has one")
    note: str = Field("", max_length=500, description="What differs; needed for a mismatch")


class Comparison(Request):
    """Paper against scans."""

    pages: list[ComparedPage] = Field(min_length=1, max_length=500)


class PaperSpot(BaseModel):
    """A place where paper and scan differ."""

    kind: Literal["added", "missing", "changed", "unseen"] = Field(
        description="`added`: on the paper alone; `missing`: on the scan alone; `unseen`: not in its picture"
    )
    box: list[float] = Field(description="Pixels of the scan as handed in")
    scan: str = Field(description="JPEG in Base64")
    paper: str = Field(description="JPEG in Base64 of the same place")


class CheckedPage(BaseModel):
    """A scanned page, and what its paper shows."""

    page_id: str
    index: int
    material: str | None
    outcome: Literal["same", "differs", "unclear", "other_print", "absent"] = Field(
        description="`unclear`: blurred, or not the whole page is seen; `other_print`: another print-out by its QR code"
    )
    serial: str = Field(description="Of the print-out, by the paper's QR code; empty where it has none")
    places: int = Field(description="How many places differ; the largest are in `spots`")
    sheet: int | None = Field(description="Sheet of the paper, from 1, counted over all files")
    spots: list[PaperSpot]


class PapersCheck(BaseModel):
    """What comparing paper with the scans gave."""

    sheets: list[CheckedPage]
    left: list[int] = Field(description="Sheets of the paper, from 1, that belong to no scan")


class CustodyStep(BaseModel):
    """One step in the chain of custody."""

    id: int
    kind: Literal["received", "returned", "checked", "compared", "handed_over", "refused"]
    receipt: str | None = Field(description="Number of the receipt for originals")
    by: str
    at: datetime
    detail: JsonObject
