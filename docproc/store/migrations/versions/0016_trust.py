"""Other departments' roots, each recognised by two persons, and when each API key was last used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("seen_at", UtcTime(), nullable=True))
    op.create_index("ix_pages_uploaded_by_uploaded_at", "pages", ["uploaded_by", "uploaded_at"])
    op.create_table(
        "trust_changes",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("root_sha256", sa.String(64), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("body", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(80), nullable=False),
        sa.Column("proposed_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("closed_by", sa.String(80), nullable=True),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_trust_changes"),
    )
    op.create_index("ix_trust_changes_root_sha256", "trust_changes", ["root_sha256"])


def downgrade() -> None:
    op.drop_table("trust_changes")
    op.drop_index("ix_pages_uploaded_by_uploaded_at", table_name="pages")
    op.drop_column("api_keys", "seen_at")
