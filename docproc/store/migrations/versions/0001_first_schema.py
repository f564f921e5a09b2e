"""First schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime
from docproc.store.tables.base import BigId, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("org", sa.String(length=80), nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_subject", "api_keys", ["subject"], unique=False)

    op.create_table(
        "applications",
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("matter", sa.String(length=60), nullable=False),
        sa.Column("org", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("submitted_at", UtcTime(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("checked_revision", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("seal_state", sa.String(length=20), nullable=False),
        sa.Column("seal_note", sa.Text(), nullable=False),
        sa.Column("seal_attempt", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_applications"),
    )
    op.create_index("ix_applications_created_by", "applications", ["created_by"], unique=False)
    op.create_index("ix_applications_org", "applications", ["org"], unique=False)
    op.create_index("ix_applications_status", "applications", ["status"], unique=False)

    op.create_table(
        "audit_log",
        sa.Column("seq", BigId, autoincrement=False, nullable=False),
        sa.Column("happened_at", UtcTime(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("detail", Json, nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit_log"),
    )
    op.create_index("ix_audit_log_subject", "audit_log", ["subject"], unique=False)

    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("answer", Json, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "key", name="pk_idempotency_keys"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", BigId, nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("org", sa.String(length=80), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("delivered_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("application", sa.String(length=60), nullable=False),
        sa.Column("on_version", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("decided_by", sa.String(length=80), nullable=False),
        sa.Column("decided_at", UtcTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("seen_sha256", sa.String(length=64), nullable=False),
        sa.Column("set_aside", Json, nullable=False),
        sa.Column("released_by", sa.String(length=80), nullable=True),
        sa.Column("released_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_decisions_application_applications"),
        sa.PrimaryKeyConstraint("id", name="pk_decisions"),
        sa.UniqueConstraint("application", "on_version", name="uq_decisions_version"),
    )
    op.create_table(
        "pages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("application", sa.String(length=60), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("material_hint", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=False),
        sa.Column("uploaded_at", UtcTime(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=80), nullable=False),
        sa.Column("read_at", UtcTime(), nullable=True),
        sa.Column("removed_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_pages_application_applications"),
        sa.PrimaryKeyConstraint("id", name="pk_pages"),
        sa.UniqueConstraint("application", "position", name="uq_pages_position"),
    )
    op.create_index("ix_pages_state", "pages", ["state"], unique=False)
    op.create_index(
        "uq_pages_live_content",
        "pages",
        ["application", "sha256", "material_hint"],
        unique=True,
        sqlite_where=sa.text("removed_at IS NULL"),
        postgresql_where=sa.text("removed_at IS NULL"),
    )

    op.create_table(
        "findings",
        sa.Column("id", BigId, nullable=False),
        sa.Column("application", sa.String(length=60), nullable=False),
        sa.Column("page_id", sa.String(length=32), nullable=True),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("material", sa.String(length=60), nullable=True),
        sa.Column("field", sa.String(length=80), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_findings_application_applications"),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name="fk_findings_page_id_pages"),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
    )
    op.create_index("ix_findings_application", "findings", ["application"], unique=False)
    op.create_index("ix_findings_page_id", "findings", ["page_id"], unique=False)

    op.create_table(
        "licences",
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("application", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("matter", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("org", sa.String(length=80), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("sealed_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_licences_application_applications"),
        sa.ForeignKeyConstraint(["decision"], ["decisions.id"], name="fk_licences_decision_decisions"),
        sa.PrimaryKeyConstraint("number", name="pk_licences"),
        sa.UniqueConstraint("application", name="uq_licences_application"),
        sa.UniqueConstraint("code", name="uq_licences_code"),
        sa.UniqueConstraint("decision", name="uq_licences_decision"),
        sa.UniqueConstraint("sha256", name="uq_licences_sha256"),
    )
    op.create_index("ix_licences_org", "licences", ["org"], unique=False)

    op.create_table(
        "readings",
        sa.Column("page_id", sa.String(length=32), nullable=False),
        sa.Column("page_index", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(length=60), nullable=True),
        sa.Column("body", Json, nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name="fk_readings_page_id_pages"),
        sa.PrimaryKeyConstraint("page_id", "page_index", name="pk_readings"),
    )
    op.create_table(
        "corrections",
        sa.Column("id", BigId, nullable=False),
        sa.Column("page_id", sa.String(length=32), nullable=False),
        sa.Column("page_index", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("corrected_by", sa.String(length=80), nullable=False),
        sa.Column("corrected_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id", "page_index"],
            ["readings.page_id", "readings.page_index"],
            name="fk_corrections_reading",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
    )
    op.create_index("ix_corrections_page_id", "corrections", ["page_id"], unique=False)

    op.create_table(
        "licence_events",
        sa.Column("id", BigId, nullable=False),
        sa.Column("licence", sa.String(length=60), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("changed_by", sa.String(length=80), nullable=False),
        sa.Column("changed_at", UtcTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["licence"], ["licences.number"], name="fk_licence_events_licence_licences"),
        sa.PrimaryKeyConstraint("id", name="pk_licence_events"),
    )
    op.create_index("ix_licence_events_licence", "licence_events", ["licence"], unique=False)

    op.create_table(
        "licence_files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("licence", sa.String(length=60), nullable=False),
        sa.Column("registered_at", UtcTime(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["licence"], ["licences.number"], name="fk_licence_files_licence_licences"),
        sa.PrimaryKeyConstraint("sha256", name="pk_licence_files"),
    )
    op.create_index("ix_licence_files_licence", "licence_files", ["licence"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_licence_files_licence", table_name="licence_files")

    op.drop_table("licence_files")
    op.drop_index("ix_licence_events_licence", table_name="licence_events")

    op.drop_table("licence_events")
    op.drop_index("ix_corrections_page_id", table_name="corrections")

    op.drop_table("corrections")
    op.drop_table("readings")
    op.drop_index("ix_licences_org", table_name="licences")

    op.drop_table("licences")
    op.drop_index("ix_findings_page_id", table_name="findings")
    op.drop_index("ix_findings_application", table_name="findings")

    op.drop_table("findings")
    op.drop_index("uq_pages_live_content", table_name="pages")
    op.drop_index("ix_pages_state", table_name="pages")

    op.drop_table("pages")
    op.drop_table("decisions")
    op.drop_table("outbox")
    op.drop_table("idempotency_keys")
    op.drop_table("counters")
    op.drop_index("ix_audit_log_subject", table_name="audit_log")

    op.drop_table("audit_log")
    op.drop_index("ix_applications_status", table_name="applications")
    op.drop_index("ix_applications_org", table_name="applications")
    op.drop_index("ix_applications_created_by", table_name="applications")

    op.drop_table("applications")
    op.drop_index("ix_api_keys_subject", table_name="api_keys")

    op.drop_table("api_keys")
