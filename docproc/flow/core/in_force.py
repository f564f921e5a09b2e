"""The matters in force: those that ship, with what the office put over them laid out as a folder for each process.

Every process looks whether something changed before it serves a request or runs a step, at most once a second; so a
change takes effect everywhere without a restart, on the day that it names.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import tempfile
import time
from datetime import date
from pathlib import Path
from threading import Lock

import sqlalchemy as sa

from docproc.errors import CatalogueError, SetupError, UnavailableError
from docproc.matter.load import MATTERS_DIR, put_in_force
from docproc.store.db import Database
from docproc.store.matters import catalogue

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
_lock = Lock()
_seen: tuple[str, tuple[str, ...]] = ("", ())
"""Database and changes whose folder is in force in this process."""
_looked = 0.0


def refresh(database: Database, data_dir: Path, today: date, *, now: bool = False) -> None:
    """Put in force here what is in force; the database being out of reach changes nothing.

    Args:
        database: where changes are kept.
        data_dir: folder in which the matters are laid out.
        today: in China.
        now: look even when that was done within the last second.
    """
    global _seen, _looked
    url = str(database.engine.url)
    with _lock:
        if not now and url == _seen[0] and time.monotonic() - _looked < LOOK_SECONDS:
            return
        _looked = time.monotonic()
        try:
            with database.read() as session:
                ids = catalogue.confirmed_ids(session, today)
                if (url, ids) == _seen:
                    return
                files = catalogue.files_of(session, ids)
            put_in_force(lay_out(data_dir, files) if files else MATTERS_DIR)
            _seen = (url, ids)
        except (UnavailableError, SetupError, sa.exc.SQLAlchemyError) as error:
            log.warning("the matters in force cannot be looked up: %s", type(error).__name__)
        except CatalogueError as error:
            log.error("the matters in force stay as they were: %s", error)


def lay_out(data_dir: Path, files: dict[str, str]) -> Path:
    """The folder that holds the matters that ship with these files over them; its name is a hash of its content."""
    shipped = {path.name: path.read_text("utf-8") for path in sorted(MATTERS_DIR.glob("*.toml"))}
    whole = {**shipped, **files}
    digest = hashlib.sha256()
    for name, text in sorted(whole.items()):
        digest.update(f"{name}\0{text}\0".encode())
    folder = data_dir.resolve() / "catalogue" / digest.hexdigest()[:24]
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    for name, text in whole.items():
        path = fresh / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    fresh.chmod(0o755)
    try:
        fresh.rename(folder)
    except OSError:  # another process was first, with the same content
        shutil.rmtree(fresh)
    return folder
