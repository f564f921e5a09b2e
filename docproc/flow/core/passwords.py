"""Passwords as Argon2id hashes: a few at once, never inside a unit of work.

One hash takes 64 MiB and most of a tenth of a second on purpose, so :data:`AT_ONCE` are computed together and
:data:`WAITING` more wait; who comes then is sent away for a moment. A thread that computes holds no transaction:
SQLite has one writer, and nobody else could write meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from docproc.errors import BusyError

LONGEST_PASSWORD = 200
AT_ONCE, WAITING = 2, 6
_hasher = PasswordHasher()
_line, _work = BoundedSemaphore(AT_ONCE + WAITING), BoundedSemaphore(AT_ONCE)


def hash_password(password: str) -> str:
    """The hash to keep; raises as :func:`verifies`."""
    with _turn():
        return _hasher.hash(password)


def verifies(kept: str | None, password: str) -> bool:
    """Whether a password is the one behind a hash; takes equally long where there is no hash, or none that is one.

    Raises:
        BusyError: too many are being computed.
    """
    if len(password) > LONGEST_PASSWORD:
        return False
    is_hash = kept is not None and kept.startswith("$argon2")
    with _turn():
        try:
            return _hasher.verify(kept if is_hash and kept is not None else _nobody(), password) and is_hash
        except (VerificationError, InvalidHashError):
            return False


@contextmanager
def _turn() -> Iterator[None]:
    if not _line.acquire(blocking=False):
        raise BusyError("too many sign-ins at once", message_zh="登录人数较多，请稍后再试")
    try:
        with _work:
            yield
    finally:
        _line.release()


@cache
def _nobody() -> str:
    """A hash that nothing verifies against."""
    return _hasher.hash(secrets.token_urlsafe(32))
