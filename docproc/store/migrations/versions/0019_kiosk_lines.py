"""Files waiting to be uploaded at each kiosk, as it last reported."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("line_waiting", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("api_keys", sa.Column("line_since", UtcTime(), nullable=True))
    op.add_column("api_keys", sa.Column("line_told_at", UtcTime(), nullable=True))


def downgrade() -> None:
    for name in ("line_told_at", "line_since", "line_waiting"):
        op.drop_column("api_keys", name)
