"""What was seen of a page's quality before it was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("previews", sa.Column("first_word", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("previews", "first_word")
