"""Text messages: what was sent for which event, and the provider's receipts; no phone number is stored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sms",
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("org", sa.String(80), nullable=False),
        sa.Column("application", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("session", sa.String(40), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("serial", sa.String(80), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["outbox.id"], name="fk_sms_event_id_outbox"),
        sa.PrimaryKeyConstraint("event_id", name="pk_sms"),
        sa.UniqueConstraint("session", name="uq_sms_session"),
    )
    for column in ("org", "application", "serial"):
        op.create_index(f"ix_sms_{column}", "sms", [column])
    op.create_table(
        "sms_receipts",
        sa.Column("serial", sa.String(80), nullable=False),
        sa.Column("session", sa.String(80), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(80), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name="pk_sms_receipts"),
    )
    op.create_index("ix_sms_receipts_session", "sms_receipts", ["session"])
    op.create_index("ix_outbox_topic_subject", "outbox", ["topic", "subject"])


def downgrade() -> None:
    op.drop_index("ix_outbox_topic_subject", table_name="outbox")
    op.drop_table("sms_receipts")
    op.drop_table("sms")
