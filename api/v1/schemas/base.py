"""What bodies of requests have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(max_length=2000)]


class Request(BaseModel):
    """A body that refuses keys it does not know, and texts that nobody can keep."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, data: object) -> object:
        refuse_unkept(data)
        return data


def refuse_unkept(value: object) -> None:
    """Look through a body for nulls and halves of surrogate pairs.

    Raises:
        ValueError: there is one; the problem does not repeat the text.
    """
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValueError("a text with a null or half a surrogate pair")
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unkept(key)
            refuse_unkept(item)
    elif isinstance(value, list):
        for item in value:
            refuse_unkept(item)


class ByTwoPersons(BaseModel):
    """A change that one person proposes and another confirms or refuses."""

    id: str
    reason: str
    state: Literal["open", "confirmed", "refused"]
    proposed_by: str
    proposed_at: datetime
    closed_by: str | None
    closed_at: datetime | None


class Confirmation(Request):
    """The second person's word."""

    confirm: bool
