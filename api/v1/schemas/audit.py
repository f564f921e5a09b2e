"""The audit log."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

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
