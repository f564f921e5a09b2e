"""One deployment with small stages for all tests that leave it as it is."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.distributed.deployment import Deployment, deployment


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("deployed"), max_queue=40, log_json=True) as running:
        running.start_workers()
        yield running


@pytest.fixture(scope="session")
def staff(deployed: Deployment) -> Iterator[dict[str, httpx.Client]]:
    people = deployed.people()
    yield people
    for client in people.values():
        client.close()
