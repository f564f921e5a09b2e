"""All tables, one module for each noun. No name is that of a DBOS table in the same SQLite file (such as ``queues``).

Every module is imported here, so that importing one table also loads the targets of its foreign keys, and Alembic
sees the complete schema.
"""

from __future__ import annotations

from docproc.store.tables import (
    accounts,
    applications,
    audit,
    counter,
    idempotency,
    licences,
    matters,
    messages,
    review,
    running_numbers,
    seals,
    upkeep,
    wallet,
)

__all__ = [
    "accounts",
    "applications",
    "audit",
    "counter",
    "idempotency",
    "licences",
    "matters",
    "messages",
    "review",
    "running_numbers",
    "seals",
    "upkeep",
    "wallet",
]
