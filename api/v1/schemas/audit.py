"""The audit log."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from docproc.canonical import JsonObject


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
    problem: str | None
    """What is wrong there, in words."""


class AccessLine(BaseModel):
    """One reading of content: who was given what, what for, from where."""

    id: str
    at: datetime
    actor: str = Field(description="Who; of visitors without a name by what they came: receipt, share, link, code")
    credential: str = Field(description="Id of the key or account")
    roles: str
    org: str
    kind: str = Field(description="What was given: case, page_file, page_picture, licence_file …")
    subject: str = Field(description="Application, licence or file")
    item: str = Field(description="Page of it")
    purpose: str
    stated: str = Field(description="The purpose in the reader's words")
    address: str
    batch: int | None = Field(description="Number of the batch that closed it; null until then")
