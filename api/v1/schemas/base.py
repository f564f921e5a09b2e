"""What bodies of requests have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=2000)]


class Request(BaseModel):
    """A body that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid")


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
