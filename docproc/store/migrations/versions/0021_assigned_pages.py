"""Pages whose material a person named, findings that a person must settle, and papers confirmed by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0021"
down_revision = "0025"
branch_labels = None
depends_on = None

LIST = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "page_assignments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("page_id", sa.String(32), nullable=False),
        sa.Column("page_index", sa.Integer(), nullable=False),
        sa.Column("material", sa.String(60), nullable=True),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("assigned_by", sa.String(80), nullable=False),
        sa.Column("assigned_at", UtcTime(), nullable=False),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["page_id"], ["pages.id"], name="fk_page_assignments_page_id_pages"),
        sa.PrimaryKeyConstraint("id", name="pk_page_assignments"),
    )
    op.create_index("ix_page_assignments_page_id", "page_assignments", ["page_id"])
    op.add_column("findings", sa.Column("look", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in ("decisions", "opinions"):
        op.add_column(table, sa.Column("confirmed", LIST, nullable=False, server_default="[]"))


def downgrade() -> None:
    for table in ("opinions", "decisions"):
        op.drop_column(table, "confirmed")
    op.drop_column("findings", "look")
    op.drop_index("ix_page_assignments_page_id", table_name="page_assignments")
    op.drop_table("page_assignments")
