"""Bring up what compose.yaml describes on this machine: its own commands, environments, order and healthchecks."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.servers.containers import ROOT, Container, Image, Words, read_image
from tests.servers.network import network
from tests.servers.postgres import DEBIAN, restartable_cluster
from tests.servers.processes import Host, Server, find_program

START_SECONDS, GRACE = 150.0, "10s"
"""What a service may take to be healthy here; what an engine lets it take to end where the file says nothing."""


@dataclass
class Stack:
    """The services of a compose file, each in a network of its own."""

    folder: Path
    services: dict[str, dict[str, Any]]
    hosts: dict[str, Host]
    images: dict[str, Image]
    running: dict[str, Server] = field(default_factory=dict)
    """In the order in which they came up."""

    def up(self, *names: str) -> None:
        """Start services, each once those that it depends on are as it wants them, and wait until all are healthy."""
        for name in names:
            self.start(name)
        for name in names:
            self.wait_healthy(name)

    def start(self, name: str) -> None:
        """Start a service after those that it depends on."""
        if name in self.running:
            return
        self.prepare(name)
        self.running[name] = Server(self.container(name).run(), lambda: True, self.log(name))
        self.running[name].start()

    def prepare(self, name: str) -> None:
        """Bring what a service depends on into the state that it wants."""
        for other, how in self.services[name].get("depends_on", {}).items():
            if how["condition"] == "service_completed_successfully":
                self.run(other)
            else:
                assert how["condition"] == "service_healthy"
                self.up(other)

    def run(self, name: str) -> None:
        """Run a service to its end, once."""
        if (self.folder / f"{name}.done").exists():
            return
        self.prepare(name)
        with self.log(name).open("ab") as log:
            done = subprocess.run(self.container(name).run(), stdout=log, stderr=log, timeout=60, check=False)
        assert done.returncode == 0, self.log(name).read_text()[-2000:]
        (self.folder / f"{name}.done").touch()

    def stop(self, name: str) -> int:
        """End a service as an engine does, within the time that it may take; gives its exit status."""
        server = self.running.pop(name)
        assert server.process is not None
        server.process.send_signal(signal.SIGTERM)
        return server.process.wait(float(self.services[name].get("stop_grace_period", GRACE).removesuffix("s")))

    def container(self, name: str) -> Container:
        service = self.services[name]
        image = self.images[service.get("image", name)]
        box = self.folder / "boxes" / name
        box.mkdir(parents=True, exist_ok=True)
        owner = int(image.user.split(":")[0])
        places = {target: (self.volume(f"{name}-own", owner), False) for target in image.volumes}
        for line in service.get("volumes", []):
            source, target, *how = line.split(":")
            within = [
                f"{places[place][0].name}/{target[len(place) + 1 :]}"
                for place in places
                if target.startswith(f"{place}/")
            ]
            for folder in within:
                self.volume(folder, owner)  # the image has it, so a new volume has it
            places[target] = (self.volume(source, owner), how == ["ro"])
        command = service.get("command", image.command)
        return Container(image, self.hosts[name], box, command, service["environment"], places, self.folder / "hosts")

    def wait_healthy(self, name: str) -> None:
        """Ask a service's own healthcheck until it is passed."""
        server, end = self.running[name], time.monotonic() + START_SECONDS
        test, env = self.check(name), {**os.environ, "PATH": f"{DEBIAN[0]}:{os.environ['PATH']}"}
        while subprocess.run(test, env=env, capture_output=True, timeout=30, check=False).returncode:
            ended = server.process is None or server.process.poll() is not None
            assert not ended and time.monotonic() < end, f"{name}: {server.log.read_text(errors='replace')[-2000:]}"
            time.sleep(0.3)

    def check(self, name: str) -> Words:
        """The healthcheck as run beside the service: its own, or its image's."""
        own, server = self.services[name].get("healthcheck", {}), self.running[name]
        assert not own.get("disable"), f"nobody sees whether {name} is well"
        assert server.process is not None
        if name == "postgres":
            return self.hosts[name].command(own["test"][1:])
        container = self.container(name)
        test = own["test"][1:] if own else container.image.healthcheck
        assert test, f"{name} has no healthcheck"
        return container.inside(server.process.pid, test)

    def volume(self, name: str, owner: int) -> Path:
        """A named volume; a new one belongs to the user of the image, as the image's own folder does."""
        made = self.folder / "volumes" / name
        if not made.exists():
            made.mkdir(parents=True)
            os.chown(made, owner, owner)
        return made

    def first_key(self) -> str:
        """The first administrator's key, as whoever operates the machine finds it."""
        found = self.folder / "volumes" / "web-key" / "first-secrets.toml"
        assert found.stat().st_mode & 0o777 == 0o600
        key = str(tomllib.loads(found.read_text())["api_key"])
        assert key not in self.log("web").read_text()
        return key

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


def read_services(folder: Path) -> dict[str, dict[str, Any]]:
    """The services of compose.yaml, with the passwords that scripts/compose-env makes."""
    (folder / "scripts").mkdir()
    script = shutil.copy2(ROOT / "scripts" / "compose-env", folder / "scripts")
    subprocess.run([script, "--dev"], check=True, capture_output=True)
    assert (folder / ".env").stat().st_mode & 0o077 == 0
    known = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())

    def fill(found: re.Match[str]) -> str:
        name, how, rest = found.groups()
        return known[name] if how == ":?" else known.get(name, rest)

    text = re.sub(r"\$\{(\w+)(:[?-])([^}]*)\}", fill, (ROOT / "compose.yaml").read_text())
    services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return services


@contextmanager
def composed(folder: Path) -> Iterator[Stack]:
    """The deployment of compose.yaml with its PostgreSQL running; :meth:`Stack.up` brings up the others."""
    find_program("minio", "scripts/servers minio")
    services = read_services(folder)
    with ExitStack() as stack:
        net = stack.enter_context(network())
        hosts = {name: net.host() for name in services}
        (folder / "hosts").write_text("".join(f"{host.address} {name}\n" for name, host in hosts.items()))
        images = {
            "docproc": read_image(ROOT / "Dockerfile", folder / "docproc", ".venv", "models/weights", "models/fonts"),
            "minio": read_image(ROOT / "deploy/minio/Dockerfile", folder / "minio", ".tools"),
        }
        made = Stack(folder, services, hosts, images)
        password = services["postgres"]["environment"]["POSTGRES_PASSWORD"]
        where = hosts["postgres"]
        _, postgres = stack.enter_context(restartable_cluster(host=where, password=password, port=5432))
        made.running["postgres"] = postgres
        try:
            yield made
        finally:
            for server in reversed([server for name, server in made.running.items() if name != "postgres"]):
                server.stop(signal.SIGTERM, 40)
