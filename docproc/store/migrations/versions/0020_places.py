"""A file's place in the reading queue, so that its submitter's next file is placed after it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WAITING = sa.text("state = 'queued' AND removed_at IS NULL")


def upgrade() -> None:
    op.add_column("pages", sa.Column("place", sa.Integer(), nullable=True))
    op.create_index("ix_pages_place", "pages", ["place"], sqlite_where=WAITING, postgresql_where=WAITING)


def downgrade() -> None:
    op.drop_index("ix_pages_place", table_name="pages")
    op.drop_column("pages", "place")
