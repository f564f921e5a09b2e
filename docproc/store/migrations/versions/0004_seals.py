"""The seal registry and its changes, each made by two persons."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime
from docproc.store.tables.base import Json

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "seals",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("owner_code", sa.String(length=18), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("filing_number", sa.String(length=60), nullable=False),
        sa.Column("certificates", Json, nullable=False),
        sa.Column("certificate_sha256", sa.String(length=64), nullable=False),
        sa.Column("diameter", sa.Float(), nullable=False),
        sa.Column("art", sa.LargeBinary(), nullable=False),
        sa.Column("art_sha256", sa.String(length=64), nullable=False),
        sa.Column("licence_kinds", Json, nullable=False),
        sa.Column("valid_from", UtcTime(), nullable=False),
        sa.Column("valid_to", UtcTime(), nullable=False),
        sa.Column("suspended", sa.Boolean(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("registered_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_seals"),
    )
    op.create_table(
        "seal_changes",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("seal", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=80), nullable=False),
        sa.Column("proposed_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("closed_by", sa.String(length=80), nullable=True),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_seal_changes"),
    )
    op.create_index("ix_seal_changes_seal", "seal_changes", ["seal"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_seal_changes_seal", table_name="seal_changes")
    op.drop_table("seal_changes")
    op.drop_table("seals")
