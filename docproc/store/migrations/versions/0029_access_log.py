"""A log of every reading of content, closed in batches by lines of the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

OPEN = sa.text("batch IS NULL")


def upgrade() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("given_at", UtcTime(), nullable=False),
        *(
            sa.Column(name, sa.String(length), nullable=False)
            for name, length in (
                ("actor", 80),
                ("credential", 16),
                ("roles", 120),
                ("org", 80),
                ("kind", 20),
                ("subject", 80),
                ("item", 80),
                ("purpose", 20),
                ("stated", 200),
                ("address", 64),
            )
        ),
        sa.Column("batch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("signed", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_access_log"),
    )
    for name in ("subject", "actor", "batch"):
        op.create_index(f"ix_access_log_{name}_id", "access_log", [name, "id"])
    op.create_index("ix_access_log_open", "access_log", ["id"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_table("access_log")
