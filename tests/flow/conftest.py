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
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    opened = open_context(settings)
    yield opened
    opened.close()


@pytest.fixture
def workers(settings: Settings) -> Iterator[Workers]:
    running = Workers(settings)
    yield running
    running.stop_all()
