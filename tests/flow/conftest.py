"""A service on a fresh SQLite database with worker processes that run small stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from docproc.flow.context import Context, open_context
from docproc.flow.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.flow.people import Workers


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
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    context = open_context(settings)
    yield context
    context.close()
