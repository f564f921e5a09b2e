"""Room for secrets that are locked with a key outside the database; the first start of a web process locks them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0029"
branch_labels = None
depends_on = None

WIDER = (
    ("users", "totp_secret", 64, 200),
    ("webhooks", "secret", 80, 200),
    ("oidc_logins", "nonce", 64, 200),
    ("oidc_logins", "verifier", 128, 300),
)


def upgrade() -> None:
    for table, column, _, length in WIDER:
        _resize(table, column, length)


def downgrade() -> None:
    for table, column, length, _ in WIDER:
        _resize(table, column, length)


def _resize(table: str, column: str, length: int) -> None:
    """Change a column's length; PostgreSQL refuses a shorter one where locked secrets are in it."""
    if op.get_bind().dialect.name != "sqlite":
        op.alter_column(table, column, type_=sa.String(length))
        return
    # Other tables refer to this one, so it cannot be dropped and made anew, as Alembic does on SQLite.
    op.add_column(table, sa.Column("resized", sa.String(length), nullable=False, server_default=""))
    op.execute(sa.text(f"UPDATE {table} SET resized = {column}"))
    op.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))
    op.execute(sa.text(f"ALTER TABLE {table} RENAME COLUMN resized TO {column}"))
