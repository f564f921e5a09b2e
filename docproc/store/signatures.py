"""Signatures on rows: what a process wrote can be told from what was written into the database past it.

A row is signed over its columns and over what else was said with it, such as who acted in which role. Columns that
only note use (when something was seen last) are left out by the table (:class:`docproc.store.tables.base.Signed`).
A row that does not bear the signature of a known key over what it says now is no row to act on.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc import process_keys
from docproc.canonical import JsonObject
from docproc.errors import SetupError
from docproc.process_keys import KeyRole, SignatureError
from docproc.store.db import keys_of
from docproc.store.tables.base import Signed

WEB: tuple[KeyRole, ...] = ("web",)
SEALER: tuple[KeyRole, ...] = ("sealer",)
log = logging.getLogger(__name__)
_known: dict[tuple[str, str], frozenset[str]] = {}
_NO_KEY = (
    "this process has no key to sign with: run this where the key of the web process is (DOCPROC_PROCESS_KEYS), "
    "or make one there with `docproc process-key make web`"
)


def sign_row(session: Session, row: Signed, *, part: str = "signed", **said: object) -> None:
    """Sign a row as it is, with this process's key; the columns must all be set.

    Args:
        session: a transaction.
        row: what is signed.
        part: column that takes the signature.
        said: what is signed with it, as JSON values.

    Raises:
        SetupError: this process has no key.
    """
    key = keys_of(session).own
    if key is None:
        raise SetupError(_NO_KEY)
    columns = sorted(_columns(row, part))
    statement = _statement(row, columns, said)
    signature = process_keys.sign(key, _kind(row, part), statement)
    setattr(row, part, {"columns": columns, "said": said, "signature": signature})


def check_row(session: Session, row: Signed, *, part: str = "signed", roles: Collection[KeyRole] = WEB) -> JsonObject:
    """What was said with a row that a process of one of the roles signed as it is now.

    Raises:
        SignatureError: nobody did.
    """
    kept = getattr(row, part)
    name = f"{row.__tablename__} {sa.inspect(row).identity or ''}"
    if not isinstance(kept, dict):
        raise SignatureError(f"{name}: {part} is missing")
    try:
        columns, said, signature = kept["columns"], kept["said"], kept["signature"]
        role = next((item for item in roles if item == process_keys.role_of(signature)), None)
        if role is None:
            raise SignatureError(f"{name}: signed by {signature.partition('.')[0]!r}")
        new = _columns(row, part) - set(columns)
        if any(getattr(row, column) for column in new) or set(columns) - _columns(row, part):
            raise SignatureError(f"{name}: {sorted(new)} are not covered by its signature")
        statement = _statement(row, columns, said)
    except (KeyError, TypeError, AttributeError) as error:
        raise SignatureError(f"{name}: its signature is damaged") from error
    process_keys.check(keys_of(session).known, role, _kind(row, part), statement, signature)
    found: JsonObject = said
    return found


def is_signed(session: Session, row: Signed, *, part: str = "signed", roles: Collection[KeyRole] = WEB) -> bool:
    """Whether :func:`check_row` finds a row in order; one that is not is named in the log."""
    try:
        check_row(session, row, part=part, roles=roles)
    except SignatureError as error:
        log.error("not believed: %s", error)
        return False
    return True


def _kind(row: Signed, part: str) -> str:
    return f"row:{row.__tablename__}:{part}"


def _columns(row: Signed, part: str) -> set[str]:
    """Names of the attributes that a signature covers."""
    return set(_covered(type(row), part))


def _covered(table: type[Signed], part: str) -> frozenset[str]:
    found = _known.get((table.__tablename__, part))
    if found is None:
        found = _known[table.__tablename__, part] = _look_up(table, part)
    return found


def _look_up(table: type[Signed], part: str) -> frozenset[str]:
    named = table.COVERS.get(part)
    if named is not None:
        return frozenset(named)
    left_out = table.UNSIGNED if part == "signed" else frozenset()
    return frozenset(item.key for item in sa.inspect(table).column_attrs) - left_out - {part}


def _statement(row: Signed, columns: list[str], said: object) -> JsonObject:
    return {"row": {column: _plain(getattr(row, column)) for column in columns}, "said": said}


def _plain(value: object) -> object:
    """A column's value as JSON, the same on every database."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return value
