"""Backup and restore: database and blobs at one consistent point.

The database is copied first, at one moment. A blob is always stored before the
row that names it and never changed, so all that this copy names is there, and
copying blobs afterwards misses nothing. Blobs that an earlier backup in the same
folder has are not copied again.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import InputError, NotFoundError, SetupError
from docproc.flow.audit.proof import Proof, prove
from docproc.flow.core.context import Context, open_context
from docproc.matter.load import find_matter
from docproc.settings import Settings
from docproc.store.audit import audit, inventory
from docproc.store.blobs.blobs import FileBlobs
from docproc.store.db import Database, open_database

MANIFEST, BLOBS = "backup.json", "blobs"
FILES = {"sqlite": "database.db", "postgresql": "database.dump"}


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds; the file ``backup.json`` in its folder."""

    database: str
    """``sqlite`` or ``postgresql``."""
    made_at: str
    line: int
    """Last line of the audit log."""
    head: str
    """Its hash: note it elsewhere too."""
    blobs: int
    copied: int
    """Blobs that an earlier backup did not have."""


def back_up(ctx: Context, folder: Path, progress: Callable[[int], None] = lambda done: None) -> Backup:
    """Copy database and blobs into a folder, fresh or of an earlier backup; the service may run meanwhile.

    Raises:
        SetupError: ``pg_dump`` is missing or fails.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kind = ctx.database.engine.dialect.name
    made_at = ctx.clock().isoformat()
    with ctx.database.read() as session:
        last = audit.last(session)
    fresh = folder / f".new-{FILES[kind]}"
    (_dump_sqlite if ctx.database.is_sqlite else _dump_postgres)(ctx.database, fresh)
    store = FileBlobs(folder / BLOBS)
    blobs = copied = 0
    with ctx.database.snapshot() as session:  # later than the copy, which names no more than this
        for key, _ in _named(session):
            blobs += 1
            if not store.exists(key):
                store.put(ctx.blobs.get(key))
                copied += 1
            progress(blobs)
    fresh.replace(folder / FILES[kind])
    made = Backup(kind, made_at, last.seq if last else 0, last.sha256 if last else audit.FIRST, blobs, copied)
    (folder / MANIFEST).write_text(json.dumps(asdict(made), indent=2) + "\n")
    return made


def restore(settings: Settings, folder: Path, progress: Callable[[int], None] = lambda done: None) -> Proof:
    """Bring an empty database and blob store to the point of a backup, and prove it.

    Raises:
        InputError: the folder holds no backup for this kind of database.
        SetupError: the database is not empty, or ``pg_restore`` is missing or fails.
    """
    try:
        made = Backup(**json.loads((folder / MANIFEST).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{folder} holds no backup: {error}") from error
    with closing(open_database(settings.database)) as database:
        _fill(database, made, folder)
    ctx = open_context(settings)
    store = FileBlobs(folder / BLOBS)
    with ctx.database.read() as session:
        for done, (key, matter) in enumerate(_named(session), 1):
            keep = 365 * find_matter(matter).licence.retention_years if matter else 0
            try:
                ctx.blobs.put(store.get(key), keep_days=keep)
            except NotFoundError:
                continue  # erased by rule while the backup was made, or lost: the proof names it
            progress(done)
    proof = prove(ctx, None, known=(made.line, made.head) if made.line else None)
    ctx.close()
    return proof


def _fill(database: Database, made: Backup, folder: Path) -> None:
    kind = database.engine.dialect.name
    if made.database != kind:
        raise InputError(f"the backup is of {made.database}: set DOCPROC_DATABASE_URL to such a database, not {kind}")
    if sa.inspect(database.engine).get_table_names():
        raise SetupError("the database is not empty: name a fresh one in DOCPROC_DATABASE_URL")
    file = folder / FILES[kind]
    if database.is_sqlite:
        database.close()
        shutil.copyfile(file, str(database.engine.url.database))
    else:
        _run(["pg_restore", "--no-owner", "--exit-on-error", "--dbname", _libpq(database), str(file)], database)


def _named(session: Session) -> Iterator[tuple[str, str]]:
    """Every blob that the database names, and the matter by which it is kept; empty: not under retention."""
    yield from inventory.kept_by_matter(session)
    for key, _ in inventory.pictures(session):
        yield key, ""
    for line in audit.of_action(session, "audit.stamped"):
        yield line.detail["token"], ""


def _dump_sqlite(database: Database, target: Path) -> None:
    target.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(str(database.engine.url.database))) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _dump_postgres(database: Database, target: Path) -> None:
    _run(["pg_dump", "--format=custom", "--no-owner", "--file", str(target), _libpq(database)], database)


def _run(command: list[str], database: Database) -> None:
    """Run one of PostgreSQL's programs; the password goes through the environment, which others cannot read."""
    program = shutil.which(command[0])
    if program is None:
        raise SetupError(f"{command[0]} is missing: apt-get install postgresql-client")
    env = {**os.environ, "PGPASSWORD": database.engine.url.password or ""}
    done = subprocess.run([program, *command[1:]], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")


def _libpq(database: Database) -> str:
    url = database.engine.url.set(drivername="postgresql")._replace(password=None)
    address, mark, query = url.render_as_string(hide_password=False).partition("?")
    return address + mark + query.replace("+", "%20")  # libpq takes a plus sign for itself, not for a space
