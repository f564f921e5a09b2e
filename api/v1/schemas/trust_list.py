"""The trust list."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.v1.schemas.base import ByTwoPersons


class RootView(BaseModel):
    """A root and its limits."""

    sha256: str
    subject: str
    name: str
    authorities: list[str] = Field(description="Credit codes, or their beginnings; empty: all")
    use: list[Literal["seal", "timestamp"]]
    valid_from: date | None
    valid_to: date | None
    expires: datetime | None = Field(description="Of the certificate; none where the trust folder holds it")


class TrustChange(ByTwoPersons):
    """A change of the list."""

    action: Literal["add", "remove"]
    root: RootView


class TrustView(BaseModel):
    """Whom we trust."""

    own: list[RootView] = Field(description="Of the trust folder of this machine")
    recognised: list[RootView]
    changes: list[TrustChange] = Field(description="Those that wait first")


class NewRoot(BaseModel):
    """A root to recognise, within limits."""

    certificates: str = Field(max_length=200_000, description="PEM: one root, and intermediates where there are any")
    name: str = Field(max_length=200, description="Whose it is")
    authorities: list[Annotated[str, Field(max_length=18)]] = Field(
        max_length=100, description="Credit codes, or their beginnings, of the authorities that it may vouch for"
    )
    use: list[Literal["seal", "timestamp"]] = ["seal"]
    valid_from: date | None = None
    valid_to: date | None = None
    reason: str = Field(max_length=500)


class Removal(BaseModel):
    """Why a root is no longer to be trusted."""

    reason: str = Field(max_length=500)
