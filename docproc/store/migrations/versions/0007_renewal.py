"""When the archive time-stamp of each sealed file expires."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("licence_files", sa.Column("good_until", UtcTime(), nullable=True))
    op.create_index("ix_licence_files_good_until", "licence_files", ["good_until"])


def downgrade() -> None:
    op.drop_index("ix_licence_files_good_until", table_name="licence_files")
    op.drop_column("licence_files", "good_until")
