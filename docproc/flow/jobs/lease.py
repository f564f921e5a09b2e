"""One living process for each worker name, and proof that another one is dead.

A worker holds a lock on its name for as long as it lives: a file lock beside an
SQLite database, a session advisory lock in PostgreSQL. Both vanish with the
process, however it ends. Whoever gets the lock of a name that jobs run under
knows that this worker is dead and may put its jobs back.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from docproc.errors import SetupError
from docproc.store.db import Database


class Lease(Protocol):
    """A name that is ours."""

    def is_held(self) -> bool:
        """Whether it is still ours; when not, stop working at once."""

    def release(self) -> None:
        """Give the name up."""


def acquire(database: Database, name: str, wait_seconds: float = 5.0) -> Lease:
    """Take a worker's name; waits a little, for others hold a dead worker's name while they take over its jobs.

    Raises:
        SetupError: a living worker has it.
    """
    until = time.monotonic() + wait_seconds
    while (lease := _try_lock(database, name)) is None and time.monotonic() < until:
        time.sleep(0.2)
    if lease is None:
        raise SetupError(f"a worker named {name!r} is running: stop it, or give this one another --name")
    return lease


@contextmanager
def dead(database: Database, names: Iterable[str]) -> Iterator[list[str]]:
    """Those of the names whose workers are dead; nobody can start under them inside the block."""
    leases = {name: lease for name in names if (lease := _try_lock(database, name)) is not None}
    try:
        yield sorted(leases)
    finally:
        for lease in leases.values():
            lease.release()


@dataclass(frozen=True, slots=True)
class FileLease:
    """A locked file; the kernel unlocks it when the process ends."""

    handle: int
    path: Path

    def is_held(self) -> bool:
        """Whether the lock file is still the one that was locked."""
        try:
            return os.fstat(self.handle).st_ino == self.path.stat().st_ino
        except OSError:
            return False

    def release(self) -> None:
        """Unlock."""
        os.close(self.handle)


@dataclass(frozen=True, slots=True)
class PostgresLease:
    """An advisory lock of one database session, kept open for nothing else."""

    connection: sa.Connection
    key: int

    def is_held(self) -> bool:
        """Whether the session still lives; the lock lives as long."""
        try:
            return bool(self.connection.exec_driver_sql("SELECT 1").scalar_one() == 1)
        except sa.exc.SQLAlchemyError:
            return False

    def release(self) -> None:
        """Unlock and close the session."""
        try:
            self.connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": self.key})
        except sa.exc.SQLAlchemyError:
            self.connection.invalidate()
        finally:
            self.connection.close()


def _try_lock(database: Database, name: str) -> Lease | None:
    return _lock_file(database, name) if database.is_sqlite else _lock_session(database, name)


def _lock_file(database: Database, name: str) -> FileLease | None:
    folder = Path(str(database.engine.url.database)).parent / "leases"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return FileLease(handle, path)


def _lock_session(database: Database, name: str) -> PostgresLease | None:
    key = int.from_bytes(hashlib.sha256(f"docproc worker {name}".encode()).digest()[:8], "big", signed=True)
    connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    if connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar_one():
        return PostgresLease(connection, key)
    connection.close()
    return None
