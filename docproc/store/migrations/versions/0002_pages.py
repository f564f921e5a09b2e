"""Tables for the web pages: previews, sessions, follow codes, holders, shares, webhooks."""

from __future__ import annotations

import json
import secrets

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime
from docproc.store.tables.base import BigId

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "previews",
        sa.Column("page_id", sa.String(length=32), nullable=False),
        sa.Column("page_index", sa.Integer(), nullable=False),
        sa.Column("view_sha256", sa.String(length=64), nullable=False),
        sa.Column("thumb_sha256", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name="fk_previews_page_id_pages"),
        sa.PrimaryKeyConstraint("page_id", "page_index", name="pk_previews"),
    )
    op.create_table(
        "page_sessions",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("application", sa.String(length=60), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name="fk_page_sessions_key_id_api_keys"),
        sa.ForeignKeyConstraint(
            ["application"], ["applications.number"], name="fk_page_sessions_application_applications"
        ),
        sa.PrimaryKeyConstraint("sha256", name="pk_page_sessions"),
    )
    op.create_index("ix_page_sessions_expires_at", "page_sessions", ["expires_at"], unique=False)
    op.create_table(
        "follow_codes",
        sa.Column("application", sa.String(length=60), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"], ["applications.number"], name="fk_follow_codes_application_applications"
        ),
        sa.PrimaryKeyConstraint("application", name="pk_follow_codes"),
        sa.UniqueConstraint("code", name="uq_follow_codes_code"),
    )
    op.create_table(
        "licence_holders",
        sa.Column("licence", sa.String(length=60), nullable=False),
        sa.Column("holder_code", sa.String(length=18), nullable=False),
        sa.ForeignKeyConstraint(["licence"], ["licences.number"], name="fk_licence_holders_licence_licences"),
        sa.PrimaryKeyConstraint("licence", name="pk_licence_holders"),
    )
    op.create_index("ix_licence_holders_holder_code", "licence_holders", ["holder_code"], unique=False)
    op.create_table(
        "licence_shares",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("licence", sa.String(length=60), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.Column("opened", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["licence"], ["licences.number"], name="fk_licence_shares_licence_licences"),
        sa.PrimaryKeyConstraint("code", name="pk_licence_shares"),
    )
    op.create_index("ix_licence_shares_licence", "licence_shares", ["licence"], unique=False)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("org", sa.String(length=80), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.String(length=80), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("removed_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_index("ix_webhooks_org", "webhooks", ["org"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", BigId, nullable=False),
        sa.Column("webhook", sa.String(length=32), nullable=False),
        sa.Column("event_id", BigId, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("attempted_at", UtcTime(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["webhook"], ["webhooks.id"], name="fk_webhook_deliveries_webhook_webhooks"),
        sa.ForeignKeyConstraint(["event_id"], ["outbox.id"], name="fk_webhook_deliveries_event_id_outbox"),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
    )
    op.create_index("ix_webhook_deliveries_webhook", "webhook_deliveries", ["webhook"], unique=False)
    _fill()


def _fill() -> None:
    """Set the follow code and the holder of existing rows."""
    bind = op.get_bind()
    for (number,) in bind.execute(sa.text("SELECT number FROM applications")).all():
        bind.execute(
            sa.text("INSERT INTO follow_codes (application, code) VALUES (:number, :code)"),
            {"number": number, "code": secrets.token_urlsafe(16)},
        )
    for number, body in bind.execute(sa.text("SELECT number, body FROM licences")).all():
        told = json.loads(body) if isinstance(body, str) else body
        code = {name: value for name, _, value in told["fields"]}.get("uscc") or number
        if len(code) == 18:
            bind.execute(
                sa.text("INSERT INTO licence_holders (licence, holder_code) VALUES (:number, :code)"),
                {"number": number, "code": code},
            )


def downgrade() -> None:
    op.drop_index("ix_webhook_deliveries_webhook", table_name="webhook_deliveries")
    op.drop_table("webhook_deliveries")
    op.drop_index("ix_webhooks_org", table_name="webhooks")
    op.drop_table("webhooks")
    op.drop_index("ix_licence_shares_licence", table_name="licence_shares")
    op.drop_table("licence_shares")
    op.drop_index("ix_licence_holders_holder_code", table_name="licence_holders")
    op.drop_table("licence_holders")
    op.drop_table("follow_codes")
    op.drop_index("ix_page_sessions_expires_at", table_name="page_sessions")
    op.drop_table("page_sessions")
    op.drop_table("previews")
