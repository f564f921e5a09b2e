"""A signature on each line of the audit log; lines from before have an empty one, and new ones must bring theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("audit_log", sa.Column("signature", sa.String(130), nullable=False, server_default=""))
    # Without a default a process of the version before fails when it adds a line, and does not break the signed chain.
    with op.batch_alter_table("audit_log") as table:
        table.alter_column("signature", server_default=None)


def downgrade() -> None:
    op.drop_column("audit_log", "signature")
