"""Tries at secrets counted by name and address, and pick-up codes of which only a hash is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime

revision = "0030"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sign_in_tries",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("name_sha256", sa.String(64), nullable=False),
        sa.Column("spent", sa.Double(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_sign_in_tries"),
    )
    op.create_index("ix_sign_in_tries_name_sha256", "sign_in_tries", ["name_sha256"])
    op.create_index("ix_sign_in_tries_expires_at", "sign_in_tries", ["expires_at"])
    op.create_table(
        "pickup_codes",
        sa.Column("application", sa.String(60), nullable=False),
        sa.Column("hash", sa.String(200), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application"], ["applications.number"], name="fk_pickup_codes_application_applications"
        ),
        sa.PrimaryKeyConstraint("application", name="pk_pickup_codes"),
    )


def downgrade() -> None:
    op.drop_table("pickup_codes")
    op.drop_table("sign_in_tries")
