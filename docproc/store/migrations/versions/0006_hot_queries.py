"""Indexes for queries that would otherwise scan entire tables once there are many applications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SEALING = sa.text("seal_state IN ('queued', 'waiting')")


def upgrade() -> None:
    op.create_index(
        "ix_applications_sealing", "applications", ["updated_at"], sqlite_where=SEALING, postgresql_where=SEALING
    )
    op.create_index("ix_applications_org_number", "applications", ["org", "number"])
    op.create_index("ix_applications_org_status_number", "applications", ["org", "status", "number"])
    op.create_index("ix_applications_created_by_number", "applications", ["created_by", "number"])
    op.create_index("ix_outbox_org_id", "outbox", ["org", "id"])
    op.create_index("ix_audit_log_subject_seq", "audit_log", ["subject", "seq"])


def downgrade() -> None:
    op.drop_index("ix_audit_log_subject_seq", "audit_log")
    op.drop_index("ix_outbox_org_id", "outbox")
    op.drop_index("ix_applications_created_by_number", "applications")
    op.drop_index("ix_applications_org_status_number", "applications")
    op.drop_index("ix_applications_org_number", "applications")
    op.drop_index("ix_applications_sealing", "applications")
