"""What bodies of requests have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(max_length=2000)]


class Request(BaseModel):
    """A body that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid")
