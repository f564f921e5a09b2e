"""compose.yaml comes up as it stands: its commands, environments, order, healthchecks, main path and end."""

from __future__ import annotations

from pathlib import Path

from tests.api.real_case import make_licence
from tests.distributed.deployment import people
from tests.servers.compose import composed

SERVICES = {"postgres", "minio", "web", "reader-1", "reader-2", "sealer"}


def test_the_services_come_up_make_a_licence_and_end_in_time(tmp_path: Path) -> None:
    with composed(tmp_path) as stack:
        stack.run("dev-keys")
        wanted = [
            name for name, item in stack.services.items() if item.get("restart") != "no" and "profiles" not in item
        ]
        stack.up(*wanted)
        assert set(stack.running) == SERVICES == set(wanted)
        key = stack.first_key()
        callers = people(f"http://{stack.hosts['web'].address}:8000", key)
        _, pdf = make_licence(callers)
        good = callers["nobody"].post("/v1/licences/verify", content=pdf).json()
        assert good["ok"] and good["indication"] == "TOTAL-PASSED" and good["issued"] == "as-issued", good
        for client in callers.values():
            client.close()
        for name in [name for name in reversed(stack.running) if name != "postgres"]:
            assert stack.stop(name) == 0, stack.log(name).read_text()[-2000:]
