"""Columns whose secrets are locked with a key outside the database (:mod:`docproc.secret_keys`).

Other secrets are stored as hashes: API keys, passwords, tokens of sessions. What is listed here is computed with, or
sent, as it is. A locked value is bound to table, column and primary key of its row.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from docproc.secret_keys import Purpose, SecretKeys
from docproc.store.tables.accounts import OidcLoginRow, UserRow
from docproc.store.tables.base import Base
from docproc.store.tables.messages import WebhookRow


@dataclass(frozen=True, slots=True)
class LockedColumn:
    """A column of secrets."""

    table: type[Base]
    name: str
    purpose: Purpose


LOCKED = (
    LockedColumn(UserRow, "totp_secret", "accounts"),
    LockedColumn(OidcLoginRow, "nonce", "accounts"),
    LockedColumn(OidcLoginRow, "verifier", "accounts"),
    LockedColumn(WebhookRow, "secret", "webhooks"),
)


def lock(keys: SecretKeys, row: Base, name: str, secret: str) -> None:
    """Put a secret into a row whose primary key is set.

    Raises:
        SetupError: this process does not have the keys.
    """
    setattr(row, name, keys.lock(_column(row, name).purpose, _place(row, name), secret))


def unlock(keys: SecretKeys, row: Base, name: str) -> str:
    """The secret in a row.

    Raises:
        LockedError: it was changed, or put there from another row.
        SetupError: this process does not have its key.
    """
    return keys.unlock(_column(row, name).purpose, _place(row, name), getattr(row, name))


def _column(row: Base, name: str) -> LockedColumn:
    return next(item for item in LOCKED if item.table is type(row) and item.name == name)


def _place(row: Base, name: str) -> str:
    key = sa.inspect(type(row)).primary_key_from_instance(row)
    return f"{row.__tablename__}.{name}:{','.join(map(str, key))}"
