"""Links to files."""

from __future__ import annotations

from pydantic import BaseModel, Field


class FileLink(BaseModel):
    """An address that gives a file to whoever holds it, for a short time."""

    url: str = Field(description="Send nothing but GET, and no key")
    expires: int = Field(description="Seconds since 1970 from which on it is over")
    sha256: str = Field(description="Compare it with what you got")
    name: str
    media_type: str
