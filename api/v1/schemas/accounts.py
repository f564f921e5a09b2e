"""API keys and officials."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request
from docproc.flow.core.access import Role


class NewKey(Request):
    """For whom a key is."""

    subject: str = Field(description="Person or machine that acts under this name", examples=["li.na"])
    org: str = Field(description="Organisation whose applications it may see", examples=["shuangliu"])
    roles: list[Role] = Field(min_length=1)
    days: int | None = Field(None, ge=1, le=3650, description="How long it lives; null: `DOCPROC_KEY_DAYS`")
    networks: list[str] = Field(
        default=[],
        max_length=50,
        description="From where it may be used, in CIDR notation; empty: from anywhere",
        examples=[["10.20.0.0/16"]],
    )


class KeyView(BaseModel):
    """An API key without its secret."""

    id: str
    subject: str
    org: str
    roles: list[str]
    created_at: datetime
    created_by: str
    owner: str = Field(
        description="Whose acts the key's are counted as where two persons are needed, beside its subject's: "
        "its maker's, until the holder takes it over"
    )
    revoked_at: datetime | None
    seen_at: datetime | None = Field(None, description="Last use, to the minute")
    expires_at: datetime | None = Field(None, description="When it ends; null: made before keys had an end, replace it")
    networks: list[str] = Field(default=[], description="From where it may be used; empty: from anywhere")


class CreatedKey(KeyView):
    """A new API key; `key` is shown this once, and is null in the answer to a repeated request."""

    key: str | None


class UserView(BaseModel):
    """An official, without secrets."""

    id: str
    name: str
    title: str
    org: str
    roles: list[str]
    created_at: datetime
    locked: bool
    disabled: bool
    elsewhere: bool = Field(description="Signs in at the OpenID Connect provider")


class NewUser(Request):
    """An official to add."""

    name: str = Field(max_length=80, examples=["li.na"])
    title: str = Field("", max_length=80)
    org: str = Field(max_length=80)
    roles: list[str] = Field(max_length=20)


class Secrets(BaseModel):
    """What an official signs in with; shown this once, the password is changed at the first sign-in."""

    id: str
    name: str
    password: str
    totp_uri: str


class Enabled(BaseModel):
    """Whether an account is open."""

    enabled: bool
