"""All tables, one module a noun. None is named like a table of DBOS in the same SQLite file (``queues``, for one).

Every module is imported here: who imports one table has the targets of its foreign keys, and Alembic the whole schema.
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
