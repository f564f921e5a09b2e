"""Whose an API key is: who made it, until its holder takes it over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0021"
branch_labels = None
depends_on = None

SYSTEM = "system"


def upgrade() -> None:
    op.add_column("api_keys", sa.Column("owner", sa.String(80), nullable=False, server_default=""))
    keys = sa.table("api_keys", *(sa.column(name) for name in ("id", "subject", "created_at", "created_by", "owner")))
    connection = op.get_bind()
    owners: dict[str, str] = {}
    query = sa.select(keys.c.id, keys.c.subject, keys.c.created_by).order_by(keys.c.created_at, keys.c.id)
    for key_id, subject, maker in connection.execute(query).all():
        # Who made it with a key that somebody else had made is that somebody.
        owner = subject if maker == SYSTEM else owners.get(maker, maker)
        owners.setdefault(subject, owner)
        connection.execute(sa.update(keys).where(keys.c.id == key_id).values(owner=owner))
    op.create_index("ix_api_keys_owner", "api_keys", ["owner"])


def downgrade() -> None:
    op.drop_index("ix_api_keys_owner", table_name="api_keys")
    op.drop_column("api_keys", "owner")
