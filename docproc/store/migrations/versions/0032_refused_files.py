"""Files whose opening cost more than it may: decided once, and not paid for again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime

revision = "0032"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refused_files",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("limits", sa.String(16), nullable=False),
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("message_zh", sa.Text(), nullable=False),
        sa.Column("cpu_s", sa.Double(), nullable=False),
        sa.Column("refused_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", "limits", name="pk_refused_files"),
    )
    op.create_index("ix_refused_files_refused_at", "refused_files", ["refused_at"])


def downgrade() -> None:
    op.drop_index("ix_refused_files_refused_at", table_name="refused_files")
    op.drop_table("refused_files")
