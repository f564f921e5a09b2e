"""A service on a fresh database of either kind, as for the tests of the flow, and a running one with its people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from docproc.flow.core.context import Context
from docproc.settings import Settings
from docproc.store.db import create_database
from tests.api.conftest import people, server
from tests.api.pages.conftest import browser
from tests.flow.conftest import ctx, office, opened, settings

__all__ = ["browser", "ctx", "office", "people", "server", "settings"]


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    """A service without workers on SQLite, and one on PostgreSQL."""
    url = ""
    if request.param == "postgresql":
        url = create_database(request.getfixturevalue("postgres_url"), f"security_{uuid4().hex[:12]}")
    yield from opened(Settings(data_dir=tmp_path, database_url=url, _env_file=None))
