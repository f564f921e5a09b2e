"""API keys, the audit log and events."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request
from docproc.canonical import JsonObject
from docproc.flow.core.access import Role


class NewKey(Request):
    """For whom a key is."""

    subject: str = Field(description="Person or machine; separate duties go by it", examples=["li.na"])
    org: str = Field(description="Organisation whose applications it may see", examples=["shuangliu"])
    roles: list[Role] = Field(min_length=1)


class KeyView(BaseModel):
    """An API key without its secret."""

    id: str
    subject: str
    org: str
    roles: list[str]
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    seen_at: datetime | None = Field(None, description="Last use, to the minute")


class CreatedKey(KeyView):
    """A new API key; `key` is shown this once, and is null in the answer to a repeated request."""

    key: str | None


class AuditLine(BaseModel):
    """One line of the audit log, chained by hashes."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: JsonObject
    previous: str
    sha256: str


class AuditCheck(BaseModel):
    """Whether the chain is whole."""

    ok: bool
    first_broken: int | None


class EventView(BaseModel):
    """One event; the webhook gets the same body."""

    id: int
    topic: str
    subject: str
    at: datetime
    body: JsonObject
