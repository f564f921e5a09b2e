"""Real servers as fixtures; one of each for a test run (for a worker, where tests run in parallel)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.objects import S3Server, minio_server, versity_server
from tests.servers.postgres import cluster


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of an empty PostgreSQL database; shared, so a test makes a schema or database of its own."""
    with cluster() as url:
        yield url


@pytest.fixture(scope="session")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A MinIO server; shared, so a test makes a bucket of its own."""
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.fixture(scope="session")
def versitygw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A second maker's S3 server; shared, so a test makes a bucket of its own."""
    with versity_server(tmp_path_factory.mktemp("versitygw")) as server:
        yield server
