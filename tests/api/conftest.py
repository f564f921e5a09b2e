"""One server group for all tests that do not break it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.group import ROLES, Group, group


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with group(
        tmp_path_factory.mktemp("server") / "var",
        DOCPROC_RATE_LIMIT_PER_MINUTE="2000",
        DOCPROC_PARSE_SECONDS_PER_MINUTE="5000",
    ) as running:
        yield running


@pytest.fixture(scope="session")
def people(server: Group) -> Iterator[dict[str, httpx.Client]]:
    """A client for each role, named by the role, plus ``reviewer2``, ``stranger`` (other office) and ``nobody``."""
    clients = {role: server.client(server.new_key(f"{role}-1", role)) for role in ROLES}
    clients["admin"] = server.client(server.admin_key)
    clients["reviewer2"] = server.client(server.new_key("reviewer-2", "reviewer"))
    clients["stranger"] = server.client(server.new_key("reviewer-9", "reviewer", "clerk", org="elsewhere"))
    clients["nobody"] = server.client()
    yield clients
    for client in clients.values():
        client.close()
