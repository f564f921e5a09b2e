"""What a correction by hand is, what of an approval rests on changed values, and citizens' remarks on what was read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0025"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Corrections made before say nothing of their kind, and none is made up for them.
    op.add_column("corrections", sa.Column("kind", sa.String(10), nullable=False, server_default=""))
    op.add_column(
        "decisions",
        sa.Column("changed", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False, server_default="[]"),
    )
    op.create_table(
        "remarks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("page_id", sa.String(32), nullable=False),
        sa.Column("page_index", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(80), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("remarked_by", sa.String(80), nullable=False),
        sa.Column("remarked_at", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["page_id", "page_index"],
            ["readings.page_id", "readings.page_index"],
            name="fk_remarks_reading",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("page_id", "page_index", "field", name="uq_remarks_field"),
        sa.PrimaryKeyConstraint("id", name="pk_remarks"),
    )


def downgrade() -> None:
    op.drop_table("remarks")
    op.drop_column("decisions", "changed")
    op.drop_column("corrections", "kind")
