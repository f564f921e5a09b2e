"""Short messages and their receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from docproc.canonical import JsonObject


class ReceiptView(BaseModel):
    """What became of a message."""

    delivered: bool
    code: str = Field(examples=["DELIVRD"])
    at: str


class SmsView(BaseModel):
    """One message; to which number is nowhere kept."""

    event: int
    application: str
    kind: str
    kind_zh: str
    state: Literal["sending", "put off", "accepted", "refused", "unknown", "no number"]
    attempts: int
    code: str = Field(description="The provider's last word")
    created_at: str
    updated_at: str
    receipt: ReceiptView | None


class ReceiptAnswer(BaseModel):
    """As the provider wants it: 0 and OK."""

    result: int = 0
    errmsg: str = "OK"


class EventView(BaseModel):
    """One event; the webhook gets the same body."""

    id: int
    topic: str
    subject: str
    at: datetime
    body: JsonObject
