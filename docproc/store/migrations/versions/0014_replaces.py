"""The page that an upload replaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("uploads", sa.Column("replaces", sa.String(32), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("uploads", "replaces")
