"""证照夹 of an enterprise, and webhooks."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.v1.schemas.base import Request
from api.v1.schemas.licences import LicenceField, PublicLicence
from docproc.flow.wallet.wallet import MOST_DAYS


class NewShare(Request):
    """Permission for somebody to see a licence."""

    purpose: str = Field(min_length=1, max_length=200, examples=["银行开户"])
    days: int = Field(ge=1, le=MOST_DAYS)


class ShareView(BaseModel):
    """A permission that was given."""

    code: str
    url: str
    licence: str
    purpose: str
    created_at: str
    expires_at: str
    revoked_at: str | None
    over: bool
    opened: int = Field(description="How often it was looked at")


class WalletLicence(PublicLicence):
    """An own licence with everything on it."""

    fields: list[LicenceField]
    code: str = Field(description="Word in the QR code")
    shares: list[ShareView]


class NewWebhook(Request):
    """Where to post events."""

    url: str = Field(max_length=500, examples=["https://example.com/hooks/licences"])


class WebhookView(BaseModel):
    """A webhook without its secret."""

    id: str
    url: str
    created_at: str
    created_by: str


class CreatedWebhook(WebhookView):
    """A new webhook; the secret is shown this once."""

    secret: str


class DeliveryView(BaseModel):
    """One attempt to post an event."""

    event: int
    attempt: int
    at: str
    status: int | None
    error: str
    delivered: bool
