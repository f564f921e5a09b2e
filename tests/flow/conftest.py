"""A service on a fresh SQLite database with worker processes that run small stages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from docproc.flow.core.context import Context, open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.process_keys import ensure_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.flow.people import Workers

DATABASE = "docproc.db"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, max_queue=50, _env_file=None)


@pytest.fixture
def ctx(settings: Settings) -> Iterator[Context]:
    """A service without workers, for one test."""
    yield from opened(settings)


@pytest.fixture
def workers(settings: Settings) -> Iterator[Workers]:
    """Workers of ``ctx``; the test starts and kills them."""
    running = Workers(settings)
    yield running
    running.stop_all()


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """A service with one running worker, for all tests that leave it as it is."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("office"), _env_file=None)
    for context in opened(settings):
        running = Workers(settings)
        running.start("w1")
        yield context
        assert running.stop("w1") == 0


def opened(settings: Settings) -> Iterator[Context]:
    """A service on an empty database: of PostgreSQL where the settings say so, otherwise a file in the data folder."""
    if settings.database_url:
        ensure_all(settings.keys_folder)  # as a deployment does by a command
        _migrate(settings)
    else:
        (settings.data_dir / DATABASE).write_bytes(_migrated())
    context = open_context(settings)
    yield context
    context.close()


@cache
def _migrated() -> bytes:
    """An SQLite database of the newest schema with nothing in it, as a file; migrating costs more than most tests."""
    with TemporaryDirectory() as folder:
        _migrate(Settings(data_dir=Path(folder), _env_file=None))
        return (Path(folder) / DATABASE).read_bytes()


def _migrate(settings: Settings) -> None:
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
