"""Until when a kiosk's key sees what it opened; the end of a key, and the networks from which it may be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from docproc.store.db import UtcTime

revision = "0028"
down_revision = "0030"
branch_labels = None
depends_on = None

GO_ON = timedelta(days=7)
"""For so long a key goes on with drafts that it had opened before; whatever was handed in needs the receipt's code."""


def upgrade() -> None:
    op.add_column("applications", sa.Column("kiosk_until", UtcTime(), nullable=True))
    applications = sa.table(
        "applications", sa.column("status"), sa.column("channel"), sa.column("kiosk_until", UtcTime())
    )
    opened = applications.c.status == "draft", applications.c.channel.in_(("api", "batch"))
    op.execute(sa.update(applications).where(*opened).values(kiosk_until=datetime.now(UTC) + GO_ON))
    op.add_column("api_keys", sa.Column("expires_at", UtcTime(), nullable=True))
    op.add_column(
        "api_keys",
        sa.Column("networks", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False, server_default="[]"),
    )


def downgrade() -> None:
    op.drop_column("api_keys", "networks")
    op.drop_column("api_keys", "expires_at")
    op.drop_column("applications", "kiosk_until")
