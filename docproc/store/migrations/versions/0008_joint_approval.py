"""Opinions of departments in a joint approval, which work in parallel."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "opinions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("application", sa.String(60), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("org", sa.String(80), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("given_by", sa.String(80), nullable=False),
        sa.Column("given_at", UtcTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("seen_sha256", sa.String(64), nullable=False),
        sa.Column("set_aside", JSON, nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_opinions_application_applications"),
        sa.PrimaryKeyConstraint("id", name="pk_opinions"),
        sa.UniqueConstraint("application", "seq", name="uq_opinions_seq"),
    )
    op.create_index("ix_applications_matter_number", "applications", ["matter", "number"])
    op.drop_table("claims")  # claims last for minutes: none needs to be carried over
    _claims(with_desk=True)


def downgrade() -> None:
    op.drop_table("claims")
    _claims(with_desk=False)
    op.drop_index("ix_applications_matter_number", table_name="applications")
    op.drop_table("opinions")


def _claims(*, with_desk: bool) -> None:
    desk = [sa.Column("desk", sa.String(80), nullable=False)] if with_desk else []
    key = ["application", "desk"] if with_desk else ["application"]
    op.create_table(
        "claims",
        sa.Column("application", sa.String(60), nullable=False),
        *desk,
        sa.Column("claimed_by", sa.String(80), nullable=False),
        sa.Column("claimed_at", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(["application"], ["applications.number"], name="fk_claims_application_applications"),
        sa.PrimaryKeyConstraint(*key, name="pk_claims"),
    )
    op.create_index("ix_claims_claimed_by", "claims", ["claimed_by"])
