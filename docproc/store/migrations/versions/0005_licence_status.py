"""Legal basis of a change of status, new versions of licences, signed status lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime
from docproc.store.tables.base import BigId, Json

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("licence_events", sa.Column("basis", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "licence_versions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("licence", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(length=10), nullable=False),
        sa.Column("body", Json, nullable=False),
        sa.Column("ordered_by", sa.String(length=80), nullable=False),
        sa.Column("ordered_at", UtcTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["licence"], ["licences.number"], name="fk_licence_versions_licence_licences"),
        sa.PrimaryKeyConstraint("id", name="pk_licence_versions"),
        sa.UniqueConstraint("licence", "version", name="uq_licence_versions_version"),
    )
    op.create_table(
        "status_lists",
        sa.Column("sequence", BigId, nullable=False),
        sa.Column("issued_at", UtcTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_status_lists"),
    )


def downgrade() -> None:
    op.drop_table("status_lists")
    op.drop_table("licence_versions")
    op.drop_column("licence_events", "basis")
