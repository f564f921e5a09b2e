"""Fewer indexes to update for each page, and the indexes that figures over a period need."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'queued' AND removed_at IS NULL")


def upgrade() -> None:
    op.create_index(
        "ix_pages_waiting", "pages", ["uploaded_by", "uploaded_at"], sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_index("ix_pages_uploaded_at", "pages", ["uploaded_at"])
    op.create_index("ix_decisions_decided_at", "decisions", ["decided_at"])
    for column in ("view_sha256", "thumb_sha256"):  # before bytes are erased, everything that names them is looked for
        op.create_index(f"ix_previews_{column}", "previews", [column])
    op.drop_index("ix_pages_state", "pages")  # every page that was ever read stood in it
    op.drop_index("ix_audit_log_subject", "audit_log")
    op.drop_index("ix_audit_log_subject_seq", "audit_log")
    for column in ("subject", "actor"):  # which begin with a text, whatever language the database sorts by
        ops = {column: "varchar_pattern_ops"}
        op.create_index(f"ix_audit_log_{column}_seq", "audit_log", [column, "seq"], postgresql_ops=ops)
    op.drop_index("ix_applications_org", "applications")  # longer ones begin with the same column
    op.drop_index("ix_applications_created_by", "applications")


def downgrade() -> None:
    op.create_index("ix_applications_created_by", "applications", ["created_by"])
    op.create_index("ix_applications_org", "applications", ["org"])
    op.drop_index("ix_audit_log_actor_seq", "audit_log")
    op.drop_index("ix_audit_log_subject_seq", "audit_log")
    op.create_index("ix_audit_log_subject_seq", "audit_log", ["subject", "seq"])
    op.create_index("ix_audit_log_subject", "audit_log", ["subject"])
    op.create_index("ix_pages_state", "pages", ["state"])
    op.drop_index("ix_previews_thumb_sha256", "previews")
    op.drop_index("ix_previews_view_sha256", "previews")
    op.drop_index("ix_decisions_decided_at", "decisions")
    op.drop_index("ix_pages_uploaded_at", "pages")
    op.drop_index("ix_pages_waiting", "pages")
