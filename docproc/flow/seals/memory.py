"""What a sealer remembers beside the database: what it sealed, and the newest that it was told of a thing.

Rows can be taken away or put back as they were, signatures and all. So each sealer keeps a file of its own: what an
approval led to is sealed once, and a signed word on a thing does not count any more once a newer one was seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock

from docproc.canonical import JsonObject
from docproc.errors import SealError, SetupError
from docproc.private_file import private_database
from docproc.settings import Settings

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sealed (what TEXT PRIMARY KEY, number TEXT NOT NULL, done INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS newest (what TEXT PRIMARY KEY, at TEXT NOT NULL, said TEXT NOT NULL);
"""
SEALED_BEFORE = "此前已据此制发过 {number}，不能再次签章，请联系管理员"
OLDER = "数据库中的记录比本机已见过的旧，不能签章，请联系管理员"


class Memory:
    """The file of a sealer; several processes of one machine share it."""

    def __init__(self, path: Path) -> None:
        """Use a file, which is made where there is none."""
        self._path, self._lock = path, Lock()
        self._file: sqlite3.Connection | None = None

    def claim(self, pairs: Mapping[str, str]) -> None:
        """Note before sealing that things lead to documents: what leads to them, and their numbers.

        Raises:
            SealError: one of them led to another document, or to this one and that was given out.
        """
        with self._open() as file:
            rows = []
            for what, number in pairs.items():
                file.execute("INSERT OR IGNORE INTO sealed (what, number) VALUES (?, ?)", (what, number))
                found = file.execute("SELECT number, done FROM sealed WHERE what = ?", (what,)).fetchone()
                rows.append((what, number, *found))
        for what, number, kept, done in rows:
            if kept != number or done:
                problem = f"{what} was sealed as {kept} before; now it would be {number}"
                raise SealError(problem, message_zh=SEALED_BEFORE.format(number=kept), code="sealed_before")

    def finish(self, *what: str) -> None:
        """Note that what was sealed is given out: it is never sealed again."""
        with self._open() as file:
            file.executemany("UPDATE sealed SET done = 1 WHERE what = ?", [(item,) for item in what])

    def note(self, what: str, at: datetime, said: str = "") -> None:
        """Take note of a signed word on a thing.

        Raises:
            SealError: a newer one was seen before.
        """
        moment = at.astimezone(UTC).isoformat(timespec="microseconds")
        with self._open() as file:
            file.execute(
                "INSERT INTO newest VALUES (?, ?, ?) ON CONFLICT (what) DO UPDATE SET at = excluded.at, "
                "said = excluded.said WHERE excluded.at > newest.at",
                (what, moment, said),
            )
            kept = file.execute("SELECT at FROM newest WHERE what = ?", (what,)).fetchone()[0]
        if kept > moment:
            raise SealError(f"{what} is as it was at {moment}, but was changed at {kept}", message_zh=OLDER)

    def noted(self, prefix: str) -> JsonObject:
        """The newest word on all things whose name begins so, by name."""
        with self._open() as file:
            rows = file.execute("SELECT what, said FROM newest WHERE substr(what, 1, ?) = ?", (len(prefix), prefix))
            return dict(rows.fetchall())

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction, by the one connection of this process: opening the file costs more than all the rest."""
        with self._lock:
            try:
                if self._file is None:
                    self._file = self._opened()
                with self._file as file:
                    file.execute("BEGIN IMMEDIATE")
                    yield file
            except (OSError, sqlite3.Error) as error:
                self._file = None
                raise SetupError(f"the sealer's memory {self._path} cannot be used: {error}") from error

    def _opened(self) -> sqlite3.Connection:
        private_database(self._path)
        file = sqlite3.connect(self._path, timeout=30, isolation_level=None, check_same_thread=False)
        file.execute("PRAGMA journal_mode=WAL")
        file.execute("PRAGMA synchronous=NORMAL")  # a power cut may lose the last word, nothing before it
        file.executescript(_SCHEMA)
        return file


def memory_of(settings: Settings) -> Memory:
    """The memory of the sealer on this machine: a file beside its key, which other machines do not share."""
    return _memory(settings.keys_folder / "sealed.db")


@cache
def _memory(path: Path) -> Memory:
    return Memory(path)
