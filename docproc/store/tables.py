"""All tables. None bears a name that DBOS uses in the same SQLite file (``notifications``, ``queues``, …)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from docproc.store.db import UtcTime

Json = sa.JSON().with_variant(JSONB(), "postgresql")
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class Base(DeclarativeBase):
    """Parent of all tables; constraint names are fixed so that migrations can name them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcTime, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012  (SQLAlchemy's shape)


class ApiKeyRow(Base):
    """A key of a person or machine; only the hash of its secret is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    """The person or machine; keys of one subject are one person for separate duties."""
    org: Mapped[str] = mapped_column(sa.String(80))
    roles: Mapped[list[Any]]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    revoked_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    """When it was used last, to the minute."""
    line_waiting: Mapped[int] = mapped_column(server_default="0", default=0)
    """Files in the kiosk's own queue for the line, as it last reported."""
    line_since: Mapped[datetime | None]
    """Since when the oldest of them waits."""
    line_told_at: Mapped[datetime | None]
    """When it reported."""


class ApplicationRow(Base):
    """办件."""

    __tablename__ = "applications"

    number: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    matter: Mapped[str] = mapped_column(sa.String(60))
    org: Mapped[str] = mapped_column(sa.String(80))
    channel: Mapped[str] = mapped_column(sa.String(20))
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(sa.String(20), index=True)
    version: Mapped[int]
    """Rises with each change of status; a decision names the version that was seen."""
    revision: Mapped[int]
    """Rises with each change of pages or fields."""
    checked_revision: Mapped[int]
    """Revision that the findings and the verdict belong to; 0 before the first check."""
    verdict: Mapped[str | None] = mapped_column(sa.String(20))
    seal_state: Mapped[str] = mapped_column(sa.String(20))
    """``none``, ``awaiting_release``, ``queued``, ``waiting`` (for TSA or key), ``failed``, ``sealed``."""
    seal_note: Mapped[str] = mapped_column(sa.Text)
    """Chinese reason that officials see while the seal is not there."""
    seal_attempt: Mapped[int]
    erased_at: Mapped[datetime | None]
    """When what was read of it was deleted by the matter's rules."""


class PageRow(Base):
    """One uploaded file; it may hold several pages."""

    __tablename__ = "pages"
    __table_args__ = (
        sa.UniqueConstraint("application", "position", name="uq_pages_position"),
        sa.Index(
            "uq_pages_live_content",
            "application",
            "sha256",
            "material_hint",
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"))
    position: Mapped[int]
    filename: Mapped[str] = mapped_column(sa.String(200))
    media_type: Mapped[str] = mapped_column(sa.String(40))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    material_hint: Mapped[str] = mapped_column(sa.String(60))
    """Material named by the sender, or empty."""
    state: Mapped[str] = mapped_column(sa.String(10))
    """``queued``, ``read`` or ``failed``."""
    error_code: Mapped[str] = mapped_column(sa.String(40))
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str] = mapped_column(sa.String(80))
    place: Mapped[int | None]
    """In the reading queue when it was handed in; lower is earlier."""
    read_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    """When its bytes were given up by the matter's rules."""


class ErasureRow(Base):
    """Bytes that are to be deleted from the blob store, unless something else names them."""

    __tablename__ = "erasures"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    since: Mapped[datetime]


class UploadRow(Base):
    """A file that comes in parts over a bad line; once it is whole it becomes a page."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    key_id: Mapped[str] = mapped_column(sa.String(16))
    """The only key that reaches it."""
    size: Mapped[int]
    """Bytes of the whole file."""
    received: Mapped[int]
    """Bytes that are there; ``size`` only once the file has become a page."""
    filename: Mapped[str] = mapped_column(sa.String(200))
    material_hint: Mapped[str] = mapped_column(sa.String(60))
    replaces: Mapped[str] = mapped_column(sa.String(32), server_default="")
    """The page that is taken back once this one is there; empty for none."""
    client_metadata: Mapped[str] = mapped_column(sa.Text)
    """The sender's words about the file, given back as they came."""
    page_id: Mapped[str] = mapped_column(sa.String(32))
    """The page that it became; empty before."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UploadPartRow(Base):
    """Some bytes of an upload."""

    __tablename__ = "upload_parts"

    upload: Mapped[str] = mapped_column(sa.ForeignKey("uploads.id"), primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Place of the first byte in the file."""
    data: Mapped[bytes]


class ReadingRow(Base):
    """What one page of a file says."""

    __tablename__ = "readings"

    page_id: Mapped[str] = mapped_column(sa.ForeignKey("pages.id"), primary_key=True)
    index: Mapped[int] = mapped_column("page_index", primary_key=True)
    material: Mapped[str | None] = mapped_column(sa.String(60))
    body: Mapped[dict[str, Any]]
    """The :class:`docproc.domain.PageReading` as JSON."""


class CorrectionRow(Base):
    """A value that a person typed over what was read; the newest counts."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    page_id: Mapped[str] = mapped_column(sa.String(32), index=True)
    index: Mapped[int] = mapped_column("page_index")
    field: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[str] = mapped_column(sa.Text)
    by: Mapped[str] = mapped_column("corrected_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("corrected_at")

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["page_id", "page_index"],
            ["readings.page_id", "readings.page_index"],
            name="fk_corrections_reading",
            ondelete="CASCADE",
        ),
    )


class FindingRow(Base):
    """A finding on an application (from the check) or on a file that could not be read."""

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    page_id: Mapped[str | None] = mapped_column(sa.ForeignKey("pages.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    severity: Mapped[str] = mapped_column(sa.String(10))
    message: Mapped[str] = mapped_column(sa.Text)
    material: Mapped[str | None] = mapped_column(sa.String(60))
    field: Mapped[str | None] = mapped_column(sa.String(80))
    basis: Mapped[str] = mapped_column(sa.Text)


class DecisionRow(Base):
    """What an official decided, and on what."""

    __tablename__ = "decisions"
    __table_args__ = (sa.UniqueConstraint("application", "on_version", name="uq_decisions_version"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"))
    on_version: Mapped[int]
    """The application's version that was decided on: no version is decided twice."""
    action: Mapped[str] = mapped_column(sa.String(10))
    by: Mapped[str] = mapped_column("decided_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("decided_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text)
    seen_sha256: Mapped[str] = mapped_column(sa.String(64))
    set_aside: Mapped[list[Any]]
    """Codes of the findings that the official approved in spite of."""
    released_by: Mapped[str | None] = mapped_column(sa.String(80))
    released_at: Mapped[datetime | None]


class OpinionRow(Base):
    """A department's opinion in a joint approval; the newest one of a department in a round counts."""

    __tablename__ = "opinions"
    __table_args__ = (sa.UniqueConstraint("application", "seq", name="uq_opinions_seq"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"))
    round: Mapped[int]
    """1 from the first handing in, one more after each 补正."""
    org: Mapped[str] = mapped_column(sa.String(80))
    """Of the department."""
    seq: Mapped[int]
    """Order within the application."""
    action: Mapped[str] = mapped_column(sa.String(10))
    """``approve`` (agrees), ``return`` (asks for correction) or ``reject`` (refuses)."""
    by: Mapped[str] = mapped_column("given_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("given_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text)
    seen_sha256: Mapped[str] = mapped_column(sa.String(64))
    """Of what the department saw; on anything else the opinion does not count."""
    set_aside: Mapped[list[Any]]


class LicenceRow(Base):
    """证照; the row is there from the moment its number is given, its file from the moment it is sealed."""

    __tablename__ = "licences"

    number: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    decision: Mapped[str] = mapped_column(sa.ForeignKey("decisions.id"), unique=True)
    """One approval, one licence: the database refuses a second."""
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), unique=True)
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)
    """Unguessable word of the QR code's address."""
    matter: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[str] = mapped_column(sa.String(60))
    version: Mapped[int]
    org: Mapped[str] = mapped_column(sa.String(80), index=True)
    holder: Mapped[str] = mapped_column(sa.Text)
    title: Mapped[str] = mapped_column(sa.Text)
    authority: Mapped[str] = mapped_column(sa.Text)
    issued_on: Mapped[date]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    status: Mapped[str] = mapped_column(sa.String(12))
    """``preparing`` until sealed, then ``valid``, ``suspended``, ``revoked`` or ``superseded``."""
    body: Mapped[dict[str, Any]]
    """The licence as it is attached to the sealed file."""
    sha256: Mapped[str | None] = mapped_column(sa.String(64), unique=True)
    """Of the sealed file; also its key in the blob store."""
    sealed_at: Mapped[datetime | None]


class LicenceFileRow(Base):
    """Every sealed file that a licence ever had; the current one is named by ``licences.sha256``."""

    __tablename__ = "licence_files"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), index=True)
    at: Mapped[datetime] = mapped_column("registered_at")
    reason: Mapped[str] = mapped_column(sa.String(20))
    """``issued``, ``renewed`` (a fresh archive time-stamp), ``correct`` or ``reissue`` (a new version)."""
    good_until: Mapped[datetime | None] = mapped_column(index=True)
    """When its newest archive time-stamp wears out; ``None`` until the renewal sweep has looked."""


class LicenceEventRow(Base):
    """One change of a licence's status."""

    __tablename__ = "licence_events"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), index=True)
    status: Mapped[str] = mapped_column(sa.String(12))
    by: Mapped[str] = mapped_column("changed_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("changed_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text, server_default="")
    """Legal basis."""


class LicenceVersionRow(Base):
    """A new version of a licence: corrected or issued again, from the moment it was ordered."""

    __tablename__ = "licence_versions"
    __table_args__ = (sa.UniqueConstraint("licence", "version", name="uq_licence_versions_version"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"))
    version: Mapped[int]
    action: Mapped[str] = mapped_column(sa.String(10))
    """``correct`` or ``reissue``."""
    body: Mapped[dict[str, Any]]
    """The licence as it will be attached to the sealed file."""
    by: Mapped[str] = mapped_column("ordered_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("ordered_at")
    reason: Mapped[str] = mapped_column(sa.Text)
    basis: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[str] = mapped_column(sa.String(10))
    """``queued``, ``waiting`` (for TSA or key), ``failed`` or ``sealed``."""
    note: Mapped[str] = mapped_column(sa.Text)
    """Chinese reason while it is not sealed."""
    attempt: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(sa.String(64))


class StatusListRow(Base):
    """A signed list of the licences that are not in force; the newest is given out."""

    __tablename__ = "status_lists"

    sequence: Mapped[int] = mapped_column(BigId, primary_key=True)
    issued_at: Mapped[datetime]
    body: Mapped[str] = mapped_column(sa.Text)
    """JSON Web Signature, compact form."""


class CounterRow(Base):
    """Running numbers, given out without gaps inside committed transactions."""

    __tablename__ = "counters"

    name: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    value: Mapped[int]


class IdempotencyRow(Base):
    """The answer to a creating request, so that the same request gets the same answer."""

    __tablename__ = "idempotency_keys"

    key_id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    request_sha256: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class AuditRow(Base):
    """One line of the audit log; each holds the hash of the line before it."""

    __tablename__ = "audit_log"

    seq: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column("happened_at")
    actor: Mapped[str] = mapped_column(sa.String(80))
    action: Mapped[str] = mapped_column(sa.String(40))
    subject: Mapped[str] = mapped_column(sa.String(80))
    detail: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(sa.String(64))
    sha256: Mapped[str] = mapped_column(sa.String(64))


class OutboxRow(Base):
    """An event for others, written in the transaction that caused it."""

    __tablename__ = "outbox"
    __table_args__ = (sa.Index("ix_outbox_topic_subject", "topic", "subject"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    topic: Mapped[str] = mapped_column(sa.String(40))
    subject: Mapped[str] = mapped_column(sa.String(80))
    org: Mapped[str] = mapped_column(sa.String(80))
    body: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]


class PreviewRow(Base):
    """Small pictures of one page of a file for the screen, made by a worker."""

    __tablename__ = "previews"

    page_id: Mapped[str] = mapped_column(sa.ForeignKey("pages.id"), primary_key=True)
    index: Mapped[int] = mapped_column("page_index", primary_key=True)
    view_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    thumb_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    width: Mapped[int]
    """Pixels of the page as handed in, the measure of every field's box."""
    height: Mapped[int]


class PageSessionRow(Base):
    """A browser in which somebody entered an API key: a kiosk, or an enterprise; only the token's hash is kept."""

    __tablename__ = "page_sessions"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    key_id: Mapped[str] = mapped_column(sa.ForeignKey("api_keys.id"))
    kind: Mapped[str] = mapped_column(sa.String(12))
    """``kiosk`` or ``wallet``."""
    application: Mapped[str | None] = mapped_column(sa.ForeignKey("applications.number"))
    """What the citizen at the kiosk is working on; nothing else is shown."""
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class FollowCodeRow(Base):
    """Unguessable word under which an applicant follows an application without signing in."""

    __tablename__ = "follow_codes"

    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(32), unique=True)


class LicenceHolderRow(Base):
    """Credit code of a licence's holder, so that an enterprise finds what is its own."""

    __tablename__ = "licence_holders"

    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), primary_key=True)
    holder_code: Mapped[str] = mapped_column(sa.String(18), index=True)


class ShareRow(Base):
    """A holder's leave for somebody to see a licence, for a purpose and a time."""

    __tablename__ = "licence_shares"

    code: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    licence: Mapped[str] = mapped_column(sa.ForeignKey("licences.number"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(200))
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    opened: Mapped[int]
    """How often it was looked at."""


class WebhookRow(Base):
    """An address that wants to hear of events."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    org: Mapped[str] = mapped_column(sa.String(80), index=True)
    """Organisation or credit code whose events are posted."""
    url: Mapped[str] = mapped_column(sa.String(500))
    secret: Mapped[str] = mapped_column(sa.String(80))
    """Key of the HMAC; both ends need it in clear."""
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """One attempt to post an event."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook: Mapped[str] = mapped_column(sa.ForeignKey("webhooks.id"), index=True)
    event_id: Mapped[int] = mapped_column(sa.ForeignKey("outbox.id"))
    attempt: Mapped[int]
    at: Mapped[datetime] = mapped_column("attempted_at")
    status: Mapped[int | None]
    """HTTP status of the answer; ``None`` when there was none."""
    error: Mapped[str] = mapped_column(sa.String(200))
    delivered: Mapped[bool]


class SmsRow(Base):
    """A short message that an event causes; the number it goes to is nowhere kept."""

    __tablename__ = "sms"

    event_id: Mapped[int] = mapped_column(BigId, sa.ForeignKey("outbox.id"), primary_key=True, autoincrement=False)
    org: Mapped[str] = mapped_column(sa.String(80), index=True)
    application: Mapped[str] = mapped_column(sa.String(60), index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    session: Mapped[str] = mapped_column(sa.String(40), unique=True)
    """Our id of the message at the provider."""
    state: Mapped[str] = mapped_column(sa.String(20))
    """``sending``, ``put off``, ``accepted``, ``refused``, ``unknown`` or ``no number``."""
    attempt: Mapped[int]
    code: Mapped[str] = mapped_column(sa.String(80))
    """The provider's last word."""
    serial: Mapped[str | None] = mapped_column(sa.String(80), index=True)
    """The provider's id of the message, which its receipt names."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class SmsReceiptRow(Base):
    """What became of a message; it may come before the answer to the sending is written down."""

    __tablename__ = "sms_receipts"

    serial: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    session: Mapped[str] = mapped_column(sa.String(80), index=True)
    delivered: Mapped[bool]
    code: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime] = mapped_column("received_at")


class UserRow(Base):
    """An official who signs in with password and one-time code."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80), unique=True)
    """Sign-in name; the subject under which everything that the person does is kept."""
    title: Mapped[str] = mapped_column(sa.String(80))
    """Name to show."""
    org: Mapped[str] = mapped_column(sa.String(80))
    roles: Mapped[list[Any]]
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    """Argon2id."""
    must_change: Mapped[bool]
    """The password was given out by somebody else and lets in only to choose another."""
    totp_secret: Mapped[str] = mapped_column(sa.String(64))
    """Base32; both ends of RFC 6238 need it in clear."""
    totp_step: Mapped[int]
    """Time step of the last code that was taken: none is taken twice."""
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(sa.String(80))
    disabled_at: Mapped[datetime | None]
    identity_sha256: Mapped[str | None] = mapped_column(sa.String(64), unique=True, index=True)
    """Hash of issuer and subject at the OpenID Connect provider, for officials who sign in there."""


class OidcLoginRow(Base):
    """Somebody who was sent to the provider and has not come back yet."""

    __tablename__ = "oidc_logins"

    state_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(64))
    verifier: Mapped[str] = mapped_column(sa.String(128))
    """PKCE, RFC 7636."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UserSessionRow(Base):
    """A browser in which an official signed in; only the token's hash is kept."""

    __tablename__ = "user_sessions"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class ClaimRow(Base):
    """Who works on an application; nobody else changes it meanwhile."""

    __tablename__ = "claims"

    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), primary_key=True)
    desk: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    """Department of a joint approval, whose officials work beside the others'; empty in all other matters."""
    by: Mapped[str] = mapped_column("claimed_by", sa.String(80), index=True)
    at: Mapped[datetime] = mapped_column("claimed_at")
    until: Mapped[datetime]


class SealRow(Base):
    """A seal in the registry; it changes only by a confirmed :class:`SealChangeRow`."""

    __tablename__ = "seals"

    name: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    """Named by the matter files."""
    owner: Mapped[str] = mapped_column(sa.String(200))
    owner_code: Mapped[str] = mapped_column(sa.String(18))
    kind: Mapped[str] = mapped_column(sa.String(20))
    filing_number: Mapped[str] = mapped_column(sa.String(60))
    certificates: Mapped[list[Any]]
    """Base64 of DER, the seal's own first."""
    certificate_sha256: Mapped[str] = mapped_column(sa.String(64))
    diameter: Mapped[float] = mapped_column(sa.Float)
    art: Mapped[bytes]
    """Compressed content stream."""
    art_sha256: Mapped[str] = mapped_column(sa.String(64))
    licence_kinds: Mapped[list[Any]]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    suspended: Mapped[bool]
    record: Mapped[bytes]
    """Seal object shaped by GB/T 38540, or empty."""
    registered_at: Mapped[datetime]


class CustodyRow(Base):
    """One step in the way of papers over the counter; rows are only added."""

    __tablename__ = "custody"

    id: Mapped[int] = mapped_column(sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    """``received``, ``returned``, ``compared``, ``handed_over`` or ``refused``."""
    receipt: Mapped[str] = mapped_column(sa.String(80))
    """Of originals; empty for other steps."""
    actor: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[datetime] = mapped_column("happened_at")
    detail: Mapped[dict[str, Any]]


class NoticeRow(Base):
    """一次性告知书 of a decision to return an application; it is sealed after the decision and never holds it up."""

    __tablename__ = "notices"

    decision: Mapped[str] = mapped_column(sa.ForeignKey("decisions.id"), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    number: Mapped[str] = mapped_column(sa.String(80), unique=True)
    body: Mapped[dict[str, Any]]
    """The record that is sealed; empty once it was erased."""
    state: Mapped[str] = mapped_column(sa.String(10))
    """``queued``, ``waiting`` (for the next attempt), ``sealed``, ``failed`` or ``erased``."""
    note: Mapped[str] = mapped_column(sa.Text)
    """Why it is not sealed yet, in Chinese."""
    attempt: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    """Of the sealed file."""
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]


class ProposedChange:
    """What each change by two persons has: one proposes it, another confirms or refuses it."""

    id: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.Text)
    proposed_by: Mapped[str] = mapped_column(sa.String(80))
    proposed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(sa.String(10))
    """``open``, ``confirmed`` or ``refused``."""
    closed_by: Mapped[str | None] = mapped_column(sa.String(80))
    closed_at: Mapped[datetime | None]


class SealChangeRow(ProposedChange, Base):
    """A change of the registry: one person proposes it, another confirms or refuses it."""

    __tablename__ = "seal_changes"

    seal: Mapped[str] = mapped_column(sa.String(60), index=True)
    action: Mapped[str] = mapped_column(sa.String(10))
    """``add``, ``suspend`` or ``resume``."""
    body: Mapped[dict[str, Any]]
    """What is to be registered."""


class TrustChangeRow(ProposedChange, Base):
    """Another department's root to be trusted, or no longer: one person proposes, another confirms."""

    __tablename__ = "trust_changes"

    root_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    action: Mapped[str] = mapped_column(sa.String(10))
    """``add`` or ``remove``."""
    body: Mapped[dict[str, Any]]
    """Certificates and limits of what is added; what was there of what is removed."""


class CatalogueChangeRow(ProposedChange, Base):
    """Matter files and licence layouts that one person hands in and another puts in force from a day on."""

    __tablename__ = "catalogue_changes"

    files: Mapped[dict[str, Any]]
    """Text by name: ``MATTER.toml`` or ``layouts/LAYOUT.toml``."""
    bases: Mapped[dict[str, Any]]
    """SHA-256 of what each file replaces, by name; empty where it is new."""
    starts_on: Mapped[date]
    """First day in force, in China."""
    state: Mapped[str] = mapped_column(sa.String(10), index=True)


SEALING = sa.text("seal_state IN ('queued', 'waiting')")
WAITING = sa.text("state = 'queued' AND removed_at IS NULL")
UNSEALED = sa.text("state IN ('queued', 'waiting')")
"""Of notices."""
HOT = (
    sa.Index("ix_notices_unsealed", NoticeRow.created_at, sqlite_where=UNSEALED, postgresql_where=UNSEALED),
    sa.Index("ix_applications_sealing", ApplicationRow.updated_at, sqlite_where=SEALING, postgresql_where=SEALING),
    sa.Index("ix_applications_org_number", ApplicationRow.org, ApplicationRow.number),
    sa.Index("ix_applications_org_status_number", ApplicationRow.org, ApplicationRow.status, ApplicationRow.number),
    sa.Index("ix_applications_created_by_number", ApplicationRow.created_by, ApplicationRow.number),
    sa.Index("ix_applications_matter_updated_at", ApplicationRow.matter, ApplicationRow.updated_at),
    sa.Index("ix_pages_sha256", PageRow.sha256),
    sa.Index("ix_pages_uploaded_by_uploaded_at", PageRow.uploaded_by, PageRow.uploaded_at),
    sa.Index(
        "ix_pages_waiting", PageRow.uploaded_by, PageRow.uploaded_at, sqlite_where=WAITING, postgresql_where=WAITING
    ),
    sa.Index("ix_pages_place", PageRow.place, sqlite_where=WAITING, postgresql_where=WAITING),
    sa.Index("ix_pages_uploaded_at", PageRow.uploaded_at),
    sa.Index("ix_decisions_decided_at", DecisionRow.at),
    sa.Index("ix_applications_matter_number", ApplicationRow.matter, ApplicationRow.number),
    sa.Index("ix_outbox_org_id", OutboxRow.org, OutboxRow.id),
    sa.Index(
        "ix_audit_log_subject_seq", AuditRow.subject, AuditRow.seq, postgresql_ops={"subject": "varchar_pattern_ops"}
    ),
    sa.Index("ix_audit_log_actor_seq", AuditRow.actor, AuditRow.seq, postgresql_ops={"actor": "varchar_pattern_ops"}),
)
"""Indexes for queries that would read whole tables once there are many applications."""
