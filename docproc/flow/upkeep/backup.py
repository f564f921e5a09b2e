"""Backup and restore: database and blobs at one consistent point.

The database is copied first, at one moment. A blob is always stored before the
row that names it and never changed, so all that this copy names is there, and
copying blobs afterwards misses nothing. Blobs that an earlier backup in the same
folder has are not copied again.

The private keys of the processes are in no database and in no backup unless they are asked for; then a passphrase locks
them. A log that they signed is restored only where they, or at least their public halves, come from elsewhere too.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import InputError, NotFoundError, SetupError
from docproc.flow.audit.heads import lost, remembered
from docproc.flow.audit.proof import Proof, prove
from docproc.flow.core.context import Context, open_context
from docproc.flow.upkeep import key_files
from docproc.flow.upkeep.key_files import KeyFile
from docproc.matter.load import find_matter
from docproc.private_file import private_database, write_private
from docproc.process_keys import ROLES, find_key, known_keys, role_of
from docproc.secret_keys import PURPOSES
from docproc.settings import Settings
from docproc.store.audit import audit, inventory
from docproc.store.blobs.blobs import FileBlobs
from docproc.store.db import Database, open_database
from docproc.store.upkeep.relocking import count_by_key

MANIFEST, BLOBS = "backup.json", "blobs"
PUBLIC, LOCKED = "public-keys", "process-keys.json"
NO_PRIVATE = (
    "no {0} key is here: bring it to the machine of the {0} process, or make a new one there with "
    "`docproc process-key make {0}` and give its ID.pub to all others; what the old one signed stays good"
)
NO_SECRET = (
    "secrets are locked with {0}, which is not here: add the lines of your copies of accounts.secret and "
    "webhooks.secret to those in the folder of the process keys; without them make an administrator with "
    "`docproc user add`, who gives the officials new secrets, and have webhooks added again"
)
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
    keys: tuple[str, ...] = ()
    """Keys that signed lines of the log: a restore needs their public halves."""
    locked: tuple[str, ...] = ()
    """Roles whose private key is in it, locked by a passphrase."""
    secrets: tuple[str, ...] = ()
    """Keys that lock secrets in the database: without them officials and webhooks need new secrets."""


def back_up(
    ctx: Context,
    folder: Path,
    progress: Callable[[int], None] = lambda done: None,
    *,
    passphrase: str | None = None,
) -> Backup:
    """Copy database and blobs into a folder, fresh or of an earlier backup; the service may run meanwhile.

    Args:
        ctx: the stores.
        folder: of the backup.
        progress: called with the number of blobs looked at.
        passphrase: locks the private keys that this user may read; ``None``: they stay out.

    Raises:
        SetupError: ``pg_dump`` is missing or fails.
        InputError: the passphrase is too short.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = _copy_keys(ctx, folder, passphrase)
    kind = ctx.database.engine.dialect.name
    made_at = ctx.clock().isoformat()
    with ctx.database.read() as session:
        last, signers = audit.last(session), audit.signers(session)
        locks = sorted({key for purpose in PURPOSES for key in count_by_key(session, purpose)} - {""})
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
    line, head = (last.seq, last.sha256) if last else (0, audit.FIRST)
    made = Backup(kind, made_at, line, head, blobs, copied, tuple(signers), held, tuple(locks))
    (folder / MANIFEST).write_text(json.dumps(asdict(made), indent=2) + "\n")
    return made


def restore(
    settings: Settings,
    folder: Path,
    progress: Callable[[int], None] = lambda done: None,
    *,
    passphrase: str | None = None,
    without_keys: bool = False,
) -> Proof:
    """Bring an empty database and blob store to the point of a backup, and prove it.

    Args:
        settings: where to; the folder of the process keys is that of a web process.
        folder: of the backup.
        progress: called with the number of blobs put back.
        passphrase: opens the keys in the backup, which are put into the folder of the process keys.
        without_keys: believe the public keys in the backup, where no key of the deployment is left.

    Raises:
        InputError: the folder holds no backup for this kind of database, or the passphrase is wrong.
        SetupError: the database is not empty, keys are missing, or ``pg_restore`` is missing or fails.
    """
    made = _read_manifest(folder)
    notes = _bring_keys(settings, made, folder, passphrase, without_keys=without_keys)
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
    proof.notes += [*notes, *_unopened(ctx, made), *_gone_back(ctx)]
    ctx.close()
    return proof


def _read_manifest(folder: Path) -> Backup:
    try:
        raw = json.loads((folder / MANIFEST).read_text())
        return Backup(**{**raw, **{name: tuple(raw.get(name, ())) for name in ("keys", "locked", "secrets")}})
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{folder} holds no backup: {error}") from error


def _copy_keys(ctx: Context, folder: Path, passphrase: str | None) -> tuple[str, ...]:
    """Public halves always, private keys where they are asked for; returns the roles of those."""
    keys = key_files.collect(ctx.settings.keys_folder)
    public = folder / PUBLIC
    public.mkdir(exist_ok=True)
    for name, data in keys.public.items():
        (public / name).write_bytes(data)
    if passphrase is None:
        (folder / LOCKED).unlink(missing_ok=True)
        return ()
    write_private(folder / LOCKED, key_files.lock(keys, passphrase))
    return tuple(name.removesuffix(".key") for name in keys.private if name.endswith(".key"))


def _bring_keys(
    settings: Settings, made: Backup, folder: Path, passphrase: str | None, *, without_keys: bool
) -> list[str]:
    """Have the keys at hand that signed the log; returns what is left to do."""
    target = settings.keys_folder
    if passphrase is not None:
        try:
            locked = (folder / LOCKED).read_bytes()
        except OSError as error:
            raise InputError(f"{folder} holds no keys: they were not backed up with `--with-keys`") from error
        key_files.install(key_files.unlock(locked, passphrase), target)
    missing = sorted(set(made.keys) - set(known_keys(target).keys))
    if missing and not without_keys:
        ways = "put them there, open those of the backup with --with-keys, or go on with --without-keys"
        raise SetupError(f"the audit log is signed by {', '.join(missing)}, and {target} does not know them: {ways}")
    if missing:
        public = {path.name: path.read_bytes() for path in (folder / PUBLIC).glob("*.pub")}
        key_files.install(KeyFile({}, public), target)
    had = [role for role in ROLES if any(role_of(key) == role for key in made.keys)]
    lost = [role for role in had if find_key(target, role) is None]
    notes = [f"nobody vouches for the public keys of the backup: compare {key} with what you noted" for key in missing]
    if settings.is_embedded and not settings.process_keys:
        return [*notes, *(f"a new {role} key is made as the service starts" for role in lost)]
    return [*notes, *(NO_PRIVATE.format(role) for role in lost)]


def _unopened(ctx: Context, made: Backup) -> list[str]:
    """Keys for secrets that are not on this machine."""
    here: set[str] = set()
    for purpose in PURPOSES:
        with suppress(SetupError):
            here |= {key.id for key in ctx.keys.secrets.ring(purpose)}
    missing = sorted(set(made.secrets) - here)
    return [NO_SECRET.format(", ".join(missing))] if missing else []


def _gone_back(ctx: Context) -> list[str]:
    """Processes of this machine that know later lines than were restored."""
    with ctx.database.read() as session:
        behind = any(lost(session, item) for item in remembered(ctx))
    told = "the sealer of this machine knows later lines: `docproc audit accept-restore --reason …`"
    return [told] if behind else []


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
    private_database(target)
    with (
        closing(sqlite3.connect(str(database.engine.url.database))) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")


def _dump_postgres(database: Database, target: Path) -> None:
    write_private(target, b"")  # pg_dump writes into it and leaves its mode
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
