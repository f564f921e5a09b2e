"""Custody of paper documents at the counter: originals, comparison with the scans, delivery of the result."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "custody",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("application", sa.String(60), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("receipt", sa.String(80), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("happened_at", UtcTime(), nullable=False),
        sa.Column("detail", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_custody_application_applications"),
        sa.PrimaryKeyConstraint("id", name="pk_custody"),
    )
    op.create_index("ix_custody_application", "custody", ["application"])
    unsealed = sa.text("state IN ('queued', 'waiting')")
    op.create_index("ix_notices_unsealed", "notices", ["created_at"], sqlite_where=unsealed, postgresql_where=unsealed)


def downgrade() -> None:
    op.drop_index("ix_notices_unsealed", table_name="notices")
    op.drop_table("custody")
