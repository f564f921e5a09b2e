"""Officials who sign in at an OpenID Connect provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from docproc.store.db import UtcTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("identity_sha256", sa.String(64), nullable=True))
    op.create_index("ix_users_identity_sha256", "users", ["identity_sha256"], unique=True)
    op.create_table(
        "oidc_logins",
        sa.Column("state_sha256", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        sa.Column("expires_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_sha256", name="pk_oidc_logins"),
    )
    op.create_index("ix_oidc_logins_expires_at", "oidc_logins", ["expires_at"])


def downgrade() -> None:
    op.drop_table("oidc_logins")
    op.drop_index("ix_users_identity_sha256", table_name="users")
    op.drop_column("users", "identity_sha256")
