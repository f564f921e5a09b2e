"""What the parts of a matter file share: frozen data that refuses unknown keys, and conditions."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator


class Data(BaseModel):
    """A table of a matter file. An unknown key is an error, so that a typing mistake never switches a rule off."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Data):
    """Holds when every key that is given holds."""

    field: str
    includes: str | None = None
    """An option key that is among the ticked ones."""
    any_of: tuple[str, ...] = ()
    """At least one of these option keys is ticked, or one of these words occurs in the text."""
    equals: str | None = None
    blank: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.includes is None and not self.any_of and self.equals is None and self.blank is None:
            raise ValueError("a condition needs one of includes, any_of, equals, blank")
        return self
