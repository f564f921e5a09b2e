"""A whole deployment on loopback: PostgreSQL, MinIO, a web process and workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from docproc.flow.accounts.api_keys import first_key
from docproc.flow.core.context import Context, open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.settings import Settings
from docproc.store.db import open_database
from tests.api.group import decision, view
from tests.flow.people import Workers, until
from tests.servers.clock import Clock
from tests.servers.disk import Disk, disk
from tests.servers.network import Network, network
from tests.servers.objects import restartable_minio
from tests.servers.postgres import restartable_cluster
from tests.servers.processes import HERE, Host, Server, free_port

SMALL, REAL = "tests.flow.small_stages", "docproc.flow.worker"
READER_QUEUES = "read,check,notify"
READERS, SEALER = ("reader-1", "reader-2"), "sealer"
WEB, POSTGRES, MINIO = "web", "postgres", "minio"
DISK_MIB = 1500


def client(base: str, key: str | None = None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=base, headers=headers, timeout=30)


def new_key(base: str, admin_key: str, subject: str, *roles: str, org: str = "office") -> str:
    with client(base, admin_key) as admin:
        answer = admin.post("/v1/keys", json={"subject": subject, "org": org, "roles": list(roles)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


def people(base: str, admin_key: str) -> dict[str, httpx.Client]:
    """A client with a key of its own for each kind of caller."""
    roles = ("kiosk", "reviewer", "sealer", "auditor")
    return {role: client(base, new_key(base, admin_key, f"{role}-1", role)) for role in roles} | {
        "nobody": client(base)
    }


@dataclass(frozen=True)
class Machine:
    """What can be disturbed beside the processes: cables, disks and clocks."""

    network: Network
    hosts: dict[str, Host]
    disks: dict[str, Disk]
    clocks: dict[str, Clock]


@dataclass
class Deployment:
    """A running deployment; what a test kills, :meth:`tend` starts again, as a supervisor would."""

    settings: Settings
    postgres: Server
    minio: Server
    web: Server
    workers: Workers
    admin_key: str
    base: str
    machine: Machine | None = None

    def client(self, key: str | None = None) -> httpx.Client:
        return client(self.base, key)

    def new_key(self, subject: str, *roles: str, org: str = "office") -> str:
        return new_key(self.base, self.admin_key, subject, *roles, org=org)

    def people(self) -> dict[str, httpx.Client]:
        return people(self.base, self.admin_key)

    def start_workers(self, wait: bool = True) -> None:
        for name in READERS:
            self.workers.start(name, READER_QUEUES, wait=wait)
        self.workers.start(SEALER, "seal", wait=wait)

    def kill_web(self) -> None:
        """Kill the process that answers; its parent starts another one on the same socket."""
        assert self.web.process is not None
        parent = self.web.process.pid
        for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def tend(self) -> None:
        """Start again every worker and server that ended by itself."""
        for server in (self.postgres, self.minio, self.web):
            if server.process is not None and server.process.poll() is not None:
                server.launch()  # what it needs may be away: the next look sees whether it is alive
        for name in [*READERS, SEALER]:
            if name in self.workers.running and self.workers.is_dead(name):
                self.workers.start(name, "seal" if name == SEALER else READER_QUEUES, wait=False)

    def context(self) -> Context:
        """The stores, to look at."""
        return open_context(self.settings)


@contextmanager
def deployment(folder: Path, module: str = SMALL, machine: Machine | None = None, **given: Any) -> Iterator[Deployment]:
    """Run everything but the workers; :meth:`Deployment.start_workers` starts those."""
    hosts = machine.hosts if machine else {}
    disks = {name: disk.folder for name, disk in machine.disks.items()} if machine else {}
    store = disks.get(MINIO, folder / "minio")
    store.mkdir(exist_ok=True)
    with (
        restartable_cluster(disks.get(POSTGRES), hosts.get(POSTGRES, HERE)) as (url, postgres),
        restartable_minio(store, hosts.get(MINIO, HERE)) as (s3, minio),
    ):
        here = hosts.get(WEB, HERE)
        settings = Settings(
            data_dir=folder,
            database_url=url,
            blobs=s3.url("papers"),
            s3_access_key=s3.access_key,
            s3_secret_key=s3.secret_key,
            s3_secure=False,
            host=here.address,
            port=free_port(),
            rate_limit_per_minute=100_000,
            _env_file=None,
            **given,
        )
        key = _prepare(settings)
        base = f"http://{here.address}:{settings.port}"
        env = environment(settings)
        clock = machine.clocks[WEB].env if machine else {}
        command = [sys.executable, "-m", "docproc.cli", "serve", "--web-only"]
        web = Server(command, lambda: _ready(base), folder / "web.log", {**env, **clock}, host=here)
        web.start()
        workers = Workers(settings, module, env)
        workers.hosts, workers.clocks = hosts, machine.clocks if machine else {}
        try:
            yield Deployment(settings, postgres, minio, web, workers, key, base, machine)
        finally:
            workers.stop_all()
            web.stop(signal.SIGTERM, 40)


@contextmanager
def a_machine(folder: Path) -> Iterator[Machine]:
    """Cables, disks and clocks for a deployment; no test where they cannot be had."""
    clocks = {name: Clock.right(folder / f"clock-{name}") for name in (WEB, *READERS, SEALER)}
    with ExitStack() as stack:
        net = stack.enter_context(network())
        hosts = {name: net.host() for name in (POSTGRES, MINIO, WEB, *READERS, SEALER)}
        disks = {name: stack.enter_context(disk(DISK_MIB)) for name in (POSTGRES, MINIO)}
        yield Machine(net, hosts, disks, clocks)


def environment(settings: Settings) -> dict[str, str]:
    """What a process of the deployment finds in its environment."""
    from api.serve import environment as made

    return {name: value for name, value in made(settings, with_secrets=True).items() if name.startswith("DOCPROC_")}


def _prepare(settings: Settings) -> str:
    database = open_database(settings.database)
    migrate_all(database)
    database.close()
    ctx = open_context(settings)
    key = first_key(ctx)
    ctx.close()
    assert key is not None
    return key


def _ready(base: str) -> bool:
    try:
        return httpx.get(base + "/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def issue(staff: dict[str, httpx.Client], number: str) -> str:
    """From a checked application to its licence."""
    assert staff["kiosk"].post(f"/v1/applications/{number}/submit").status_code == 200
    approved = staff["reviewer"].post(
        f"/v1/applications/{number}/decisions", json=decision(view(staff["reviewer"], number))
    )
    assert approved.status_code == 201, approved.text
    body = {"version": approved.json()["version"]}
    assert staff["sealer"].post(f"/v1/applications/{number}/release", json=body).status_code == 200
    return str(until(lambda: view(staff["kiosk"], number)["licence"], 60))
