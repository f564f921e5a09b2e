"""The seal registry and the roots of other departments."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.store.tables.base import Base, Json, ProposedChange, Signed

SealKind = Literal["official", "special"]
SealAction = Literal["add", "suspend", "resume"]
TrustAction = Literal["add", "remove"]


class SealBody(TypedDict, total=False):
    """A seal to be registered; empty for a change that only suspends a seal or resumes its use."""

    name: str
    owner: str
    owner_code: str
    kind: str
    filing_number: str
    certificates: list[str]
    """Base64 of DER, the seal's own first."""
    diameter: float
    art: str
    """Base64."""
    licence_kinds: list[str]
    valid_from: str
    valid_to: str
    record: str
    """Base64."""


class RootBody(TypedDict):
    """A root to be recognised, or one that was."""

    certificates: list[str]
    """Base64 of DER, the root first."""
    anchor: JsonObject
    """Its limits: :meth:`docproc.licence.pki.trust_limits.Anchor.to_json`."""
    subject: str
    expires: str


class SealRow(Signed, Base):
    """A seal in the registry; it changes only by a confirmed :class:`SealChangeRow`."""

    __tablename__ = "seals"

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    """Named by the matter files."""
    owner: Mapped[str] = mapped_column(sa.String(200))
    owner_code: Mapped[str] = mapped_column(sa.String(18))
    kind: Mapped[SealKind] = mapped_column(sa.String(20))
    filing_number: Mapped[str] = mapped_column(sa.String(60))
    certificates: Mapped[list[str]]
    """Base64 of DER, the seal's own first."""
    certificate_sha256: Mapped[str] = mapped_column(sa.String(64))
    diameter: Mapped[float] = mapped_column(sa.Float)
    art: Mapped[bytes]
    """Compressed content stream."""
    art_sha256: Mapped[str] = mapped_column(sa.String(64))
    licence_kinds: Mapped[list[str]]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    suspended: Mapped[bool]
    record: Mapped[bytes]
    """Seal object according to GB/T 38540, or empty."""
    registered_at: Mapped[datetime]


class SealChangeRow(ProposedChange, Base):
    """A change of the registry: one person proposes it, another confirms or refuses it."""

    __tablename__ = "seal_changes"

    seal: Mapped[str] = mapped_column(sa.String(60), index=True)
    action: Mapped[SealAction] = mapped_column(sa.String(10))
    body: Mapped[SealBody] = mapped_column(Json)


class TrustChangeRow(ProposedChange, Base):
    """A proposal to trust another department's root, or to stop trusting it: one person proposes, another confirms."""

    __tablename__ = "trust_changes"

    root_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    action: Mapped[TrustAction] = mapped_column(sa.String(10))
    body: Mapped[RootBody] = mapped_column(Json)
    """Certificates and limits of a root that is added; those it had, of a root that is removed."""
