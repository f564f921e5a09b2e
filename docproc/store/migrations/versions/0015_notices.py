"""Sealed notices of what an applicant has to correct."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("decision", sa.String(32), nullable=False),
        sa.Column("application", sa.String(60), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("body", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("sealed_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_notices_application_applications"),
        sa.ForeignKeyConstraint(["decision"], ["decisions.id"], name="fk_notices_decision_decisions"),
        sa.PrimaryKeyConstraint("decision", name="pk_notices"),
        sa.UniqueConstraint("number", name="uq_notices_number"),
    )
    op.create_index("ix_notices_application", "notices", ["application"])
    op.create_index("ix_notices_sha256", "notices", ["sha256"])


def downgrade() -> None:
    op.drop_table("notices")
