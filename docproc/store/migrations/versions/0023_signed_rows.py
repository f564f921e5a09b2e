"""Signatures on accounts, on what people order and decide, and on what is sealed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0024"
branch_labels = None
depends_on = None

SIGNED = (
    "applications",
    "decisions",
    "opinions",
    "notices",
    "licences",
    "licence_events",
    "licence_versions",
    "users",
    "user_sessions",
    "api_keys",
    "page_sessions",
    "seals",
    "seal_changes",
    "trust_changes",
    "catalogue_changes",
)
FURTHER = {
    "decisions": "release_signed",
    "seal_changes": "closing_signed",
    "trust_changes": "closing_signed",
    "catalogue_changes": "closing_signed",
}


def upgrade() -> None:
    for table in SIGNED:
        op.add_column(table, _column("signed"))
    for table, name in FURTHER.items():
        op.add_column(table, _column(name))


def downgrade() -> None:
    for table, name in FURTHER.items():
        op.drop_column(table, name)
    for table in SIGNED:
        op.drop_column(table, "signed")


def _column(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.JSON().with_variant(JSONB(), "postgresql"), nullable=True)
