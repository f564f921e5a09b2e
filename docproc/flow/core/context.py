"""What every call of the service needs: database, blobs, jobs, settings, clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from docproc.domain import CHINA
from docproc.errors import SetupError, UnavailableError
from docproc.flow.core import in_force
from docproc.flow.jobs.engine import Jobs
from docproc.private_file import FOLDER_MODE, private_folder
from docproc.process_keys import KeyRole, ProcessKeys, ensure_all, find_key, known_keys
from docproc.secret_keys import SecretKeys, held_by
from docproc.settings import Settings
from docproc.store.blobs.blobs import Blobs, open_blobs
from docproc.store.db import Database, open_database
from docproc.store.upkeep import health

MAX_SKEW_SECONDS = 30.0
"""Clocks that NTP keeps are apart by milliseconds; the 900 s after which S3 servers refuse are too many for us."""

OURS = frozenset({"docproc.db", "blobs", "keys", "catalogue"})
"""What lies in a data folder; one of them shows that a folder is one."""


def utc_now() -> datetime:
    """The present time in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """Opened once in a process and handed to every call."""

    database: Database
    blobs: Blobs
    jobs: Jobs
    settings: Settings
    clock: Callable[[], datetime] = utc_now

    @property
    def keys(self) -> ProcessKeys:
        """What this process signs with, and whom it trusts."""
        return self.database.keys

    def today(self) -> date:
        """The present day in China."""
        return self.clock().astimezone(CHINA).date()

    def refresh(self) -> None:
        """Work by the matters that are in force now; cheap, to be called before each piece of work."""
        in_force.refresh(self.database, self.settings.data_dir, self.today())

    def check_clock(self) -> None:
        """Nothing that depends on the time is done by a clock that went wrong: a date would be wrong and look right.

        Raises:
            UnavailableError: this machine's clock is not the database's; the work waits until it is.
        """
        with self.database.read() as session:
            skew = health.clock_skew(session)
        if abs(skew) > MAX_SKEW_SECONDS:
            remedy = "run chrony or systemd-timesyncd on both machines"
            raise UnavailableError(f"this machine's clock is {skew:+.0f} s from the database's: {remedy}")

    def close(self) -> None:
        """Close all connections."""
        self.jobs.close()
        self.database.close()


def close_data(settings: Settings) -> None:
    """Close the data folder to others: the database, blobs and keys of the embedded service lie in it.

    A folder in which other things than ours lie keeps its mode; the files in it that are ours are private themselves.

    Raises:
        SetupError: it cannot be made.
    """
    folder = settings.data_dir
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        names = {path.name for path in folder.iterdir()}
        if not names or names & OURS:
            private_folder(folder)
    except OSError as error:
        raise SetupError(f"the data folder {folder} cannot be used: {error.strerror}; set DOCPROC_DATA_DIR") from error


def open_keys(settings: Settings, role: KeyRole) -> ProcessKeys:
    """The key of a process of a role, and the public keys that it trusts.

    On one machine without any server, keys in the data folder are made where there are none; a deployment makes them
    by a command, for each process gets the folder with its own key alone.

    Raises:
        SetupError: a key is damaged.
    """
    folder = settings.keys_folder
    if settings.is_embedded and not settings.process_keys:
        ensure_all(folder)
    return ProcessKeys(find_key(folder, role), known_keys(folder), folder, SecretKeys(folder, held_by(role)))


def open_context(settings: Settings, *, look: bool = True, role: KeyRole = "web", name: str = "docproc") -> Context:
    """Open the stores; the database must be migrated (:func:`docproc.flow.jobs.engine.migrate_all`).

    Args:
        settings: where they are.
        look: make sure that the blob store is there and keeps what it is given. Without, one that is away for now does
            not stop a process that can do other things meanwhile.
        role: whose key this process signs with, if it has that key; commands act for persons and take the web
            process's.
        name: what the database server lists this process as: ``docproc-ROLE`` for those that serve.

    Raises:
        SetupError: a store cannot be opened.
        UnavailableError: a store is out of reach.
    """
    close_data(settings)
    database = open_database(settings.database, keys=open_keys(settings, role), name=name)
    blobs = open_blobs(
        settings.blob_store,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key.get_secret_value(),
        secure=settings.s3_secure,
        encryption=settings.s3_encryption,
        public_url=settings.s3_public_url,
        look=look,
    )
    opened = Context(database, blobs, Jobs.connect(database), settings)
    opened.refresh()
    return opened
