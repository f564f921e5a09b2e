"""Applications, their uploaded files, readings and findings, and the notices about them."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal, TypedDict

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from docproc.canonical import JsonObject
from docproc.domain import CorrectionKind, QualityVerdict, Severity, Verdict
from docproc.lifecycle import Status
from docproc.store.tables.base import Base, BigId, Signed

SealState = Literal["none", "awaiting_release", "unconfirmed", "queued", "waiting", "failed", "sealed"]
"""State of an application's licence between approval and seal; ``unconfirmed``: the approval is not signed, its
official must confirm it; ``waiting``: for the TSA or the key."""
PageState = Literal["queued", "read", "failed"]
NoticeState = Literal["queued", "waiting", "sealed", "failed", "erased"]
"""``waiting``: for the next attempt."""

# Conditions of partial indexes: queries for what waits never read the rows that are done.
SEALING = sa.text("seal_state IN ('queued', 'waiting')")
WAITING = sa.text("state = 'queued' AND removed_at IS NULL")
UNSEALED = sa.text("state IN ('queued', 'waiting')")


class ApplicationRow(Signed, Base):
    """办件."""

    __tablename__ = "applications"
    __table_args__ = (
        sa.Index(
            "ix_applications_sealing",
            "updated_at",
            sqlite_where=SEALING,
            postgresql_where=SEALING,
        ),
        sa.Index("ix_applications_org_number", "org", "number"),
        sa.Index("ix_applications_org_status_number", "org", "status", "number"),
        sa.Index("ix_applications_created_by_number", "created_by", "number"),
        sa.Index("ix_applications_matter_updated_at", "matter", "updated_at"),
        sa.Index("ix_applications_matter_number", "matter", "number"),
    )

    number: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    matter: Mapped[str] = mapped_column(sa.String(60))
    org: Mapped[str] = mapped_column(sa.String(80))
    channel: Mapped[str] = mapped_column(sa.String(20))
    created_by: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    status: Mapped[Status] = mapped_column(sa.String(20), index=True)
    version: Mapped[int]
    """Incremented with each change of status; a decision names the version that the official saw."""
    revision: Mapped[int]
    """Incremented with each change of pages or fields."""
    checked_revision: Mapped[int]
    """Revision that the findings and the verdict belong to; 0 before the first check."""
    verdict: Mapped[Verdict | None] = mapped_column(sa.String(20))
    seal_state: Mapped[SealState] = mapped_column(sa.String(20))
    seal_note: Mapped[str] = mapped_column(sa.Text)
    """Reason, in Chinese, that officials see while the licence is not sealed."""
    seal_attempt: Mapped[int]
    erased_at: Mapped[datetime | None]
    """When its readings were deleted under the matter's rules."""

    kiosk_until: Mapped[datetime | None]
    """Until when the kiosk's key that opened it sees it; ``None``: only the session in a kiosk's browser that works on
    it does, and whoever brings the receipt's code."""

    COVERS: ClassVar = {"signed": ("number", "matter", "org", "created_by", "created_at")}
    """What never changes: whose it is, and who handed it in."""


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
        sa.Index("ix_pages_sha256", "sha256"),
        sa.Index("ix_pages_uploaded_by_uploaded_at", "uploaded_by", "uploaded_at"),
        sa.Index(
            "ix_pages_waiting",
            "uploaded_by",
            "uploaded_at",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
        sa.Index(
            "ix_pages_place",
            "place",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
        sa.Index("ix_pages_uploaded_at", "uploaded_at"),
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
    state: Mapped[PageState] = mapped_column(sa.String(10))
    error_code: Mapped[str] = mapped_column(sa.String(40))
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[str] = mapped_column(sa.String(80))
    place: Mapped[int | None]
    """Place in the reading queue when it was uploaded; lower is earlier."""
    read_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    """When its bytes were released for deletion under the matter's rules."""


class UploadRow(Base):
    """A file uploaded in parts over a poor connection; once complete it becomes a page."""

    __tablename__ = "uploads"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    key_id: Mapped[str] = mapped_column(sa.String(16))
    """The only API key that may access it."""
    size: Mapped[int]
    """Size of the complete file, bytes."""
    received: Mapped[int]
    """Bytes received; equals ``size`` only once the file has become a page."""
    filename: Mapped[str] = mapped_column(sa.String(200))
    material_hint: Mapped[str] = mapped_column(sa.String(60))
    replaces: Mapped[str] = mapped_column(sa.String(32), server_default="")
    """The page that is removed once this one is complete; empty for none."""
    client_metadata: Mapped[str] = mapped_column(sa.Text)
    """The sender's metadata about the file, returned unchanged."""
    page_id: Mapped[str] = mapped_column(sa.String(32))
    """The page that it became; empty before then."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


class UploadPartRow(Base):
    """Some bytes of an upload."""

    __tablename__ = "upload_parts"

    upload: Mapped[str] = mapped_column(sa.ForeignKey("uploads.id"), primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Offset of the first byte in the file."""
    data: Mapped[bytes]


class ReadingRow(Base):
    """The reading of one page of a file."""

    __tablename__ = "readings"

    page_id: Mapped[str] = mapped_column(sa.ForeignKey("pages.id"), primary_key=True)
    index: Mapped[int] = mapped_column("page_index", primary_key=True)
    material: Mapped[str | None] = mapped_column(sa.String(60))
    body: Mapped[JsonObject]
    """The :class:`docproc.domain.PageReading` as JSON."""


class CorrectionRow(Base):
    """A value that a person entered in place of the reading; the newest counts."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    page_id: Mapped[str] = mapped_column(sa.String(32), index=True)
    index: Mapped[int] = mapped_column("page_index")
    field: Mapped[str] = mapped_column(sa.String(80))
    value: Mapped[str] = mapped_column(sa.Text)
    by: Mapped[str] = mapped_column("corrected_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("corrected_at")
    kind: Mapped[CorrectionKind] = mapped_column(sa.String(10), server_default="", default="")

    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["page_id", "page_index"],
            ["readings.page_id", "readings.page_index"],
            name="fk_corrections_reading",
            ondelete="CASCADE",
        ),
    )


class RemarkRow(Base):
    """A citizen's remark that a value was read wrongly; it is never taken as the value."""

    __tablename__ = "remarks"
    __table_args__ = (
        sa.ForeignKeyConstraint(
            ["page_id", "page_index"],
            ["readings.page_id", "readings.page_index"],
            name="fk_remarks_reading",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("page_id", "page_index", "field", name="uq_remarks_field"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    page_id: Mapped[str] = mapped_column(sa.String(32))
    index: Mapped[int] = mapped_column("page_index")
    field: Mapped[str] = mapped_column(sa.String(80))
    said: Mapped[str] = mapped_column(sa.Text)
    """What should stand there in the citizen's words; empty where they only say that it is wrong."""
    by: Mapped[str] = mapped_column("remarked_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("remarked_at")


class AssignmentRow(Base):
    """What a person said a page is; the newest of a page counts."""

    __tablename__ = "page_assignments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    page_id: Mapped[str] = mapped_column(sa.ForeignKey("pages.id"), index=True)
    index: Mapped[int] = mapped_column("page_index")
    material: Mapped[str | None] = mapped_column(sa.String(60))
    """``None``: it is none of the matter's papers."""
    side: Mapped[int]
    """1-based page of the material."""
    by: Mapped[str] = mapped_column("assigned_by", sa.String(80))
    at: Mapped[datetime] = mapped_column("assigned_at")
    followed: Mapped[bool]
    """The page was read as that since."""


class FindingRow(Base):
    """A finding on an application (from the check) or on a file that could not be read."""

    __tablename__ = "findings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    page_id: Mapped[str | None] = mapped_column(sa.ForeignKey("pages.id"), index=True)
    code: Mapped[str] = mapped_column(sa.String(60))
    severity: Mapped[Severity] = mapped_column(sa.String(10))
    message: Mapped[str] = mapped_column(sa.Text)
    material: Mapped[str | None] = mapped_column(sa.String(60))
    field: Mapped[str | None] = mapped_column(sa.String(80))
    basis: Mapped[str] = mapped_column(sa.Text)
    look: Mapped[bool] = mapped_column(server_default=sa.false(), default=False)
    """A person must settle it before an approval."""


class FirstWordFinding(TypedDict):
    """Something that a first look at a page found."""

    code: str
    severity: Severity
    message: str


class FirstWordBody(TypedDict):
    """What a first look at a page, without reading it, says of its quality."""

    verdict: QualityVerdict
    findings: list[FirstWordFinding]


class PreviewRow(Base):
    """Small pictures of one page of a file for the screen, made by a worker."""

    __tablename__ = "previews"

    page_id: Mapped[str] = mapped_column(sa.ForeignKey("pages.id"), primary_key=True)
    index: Mapped[int] = mapped_column("page_index", primary_key=True)
    view_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    thumb_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    width: Mapped[int]
    """Pixels of the page as uploaded, the unit of every field's box."""
    height: Mapped[int]
    first_word: Mapped[FirstWordBody | None] = mapped_column(sa.JSON)
    """What was seen of its quality before it was read; ``None`` for one that was drawn by a version before."""


class RefusedFileRow(Base):
    """A file whose opening cost more than it may: what is known of its bytes, so that nobody pays for it again."""

    __tablename__ = "refused_files"

    sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    limits: Mapped[str] = mapped_column(sa.String(16), primary_key=True)
    """Word for the limits that refused it; under others it is opened again."""
    code: Mapped[str] = mapped_column(sa.String(40))
    message_zh: Mapped[str] = mapped_column(sa.Text)
    cpu_s: Mapped[float]
    """CPU seconds that it cost."""
    refused_at: Mapped[datetime] = mapped_column(index=True)


class NoticeRow(Signed, Base):
    """一次性告知书 of a decision to return an application; it is sealed after the decision and never delays it."""

    __tablename__ = "notices"
    __table_args__ = (
        sa.Index(
            "ix_notices_unsealed",
            "created_at",
            sqlite_where=UNSEALED,
            postgresql_where=UNSEALED,
        ),
    )

    decision: Mapped[str] = mapped_column(sa.ForeignKey("decisions.id"), primary_key=True)
    application: Mapped[str] = mapped_column(sa.ForeignKey("applications.number"), index=True)
    number: Mapped[str] = mapped_column(sa.String(80), unique=True)
    body: Mapped[JsonObject]
    """The record that is sealed; empty once it has been erased."""
    state: Mapped[NoticeState] = mapped_column(sa.String(10))
    note: Mapped[str] = mapped_column(sa.Text)
    """Why it is not sealed yet, in Chinese."""
    attempt: Mapped[int]
    sha256: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    """Hash of the sealed file."""
    created_at: Mapped[datetime]
    sealed_at: Mapped[datetime | None]

    COVERS: ClassVar = {"signed": ("decision", "application", "number", "body")}
