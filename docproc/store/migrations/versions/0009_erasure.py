"""Deletion under the matter's rules: what was erased when, and which bytes are still to be deleted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("erased_at", UtcTime(), nullable=True))
    op.add_column("pages", sa.Column("erased_at", UtcTime(), nullable=True))
    op.create_index("ix_applications_matter_updated_at", "applications", ["matter", "updated_at"])
    op.create_index("ix_pages_sha256", "pages", ["sha256"])
    op.create_table(
        "erasures",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_erasures"),
    )


def downgrade() -> None:
    op.drop_table("erasures")
    op.drop_index("ix_pages_sha256", table_name="pages")
    op.drop_index("ix_applications_matter_updated_at", table_name="applications")
    op.drop_column("pages", "erased_at")
    op.drop_column("applications", "erased_at")
