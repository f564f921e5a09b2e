"""Changes that one person proposes and another confirms or refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel


class ByTwoPersons(BaseModel):
    """A change that one person proposes and another confirms or refuses."""

    id: str
    reason: str
    state: Literal["open", "confirmed", "refused"]
    proposed_by: str
    proposed_at: datetime
    closed_by: str | None
    closed_at: datetime | None


class Confirmation(BaseModel):
    """The second person's word."""

    confirm: bool
