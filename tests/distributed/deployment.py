"""A whole deployment on loopback: PostgreSQL, MinIO, a web process and workers, each a process of its own."""

from __future__ import annotations

import os
import re
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyotp
import sqlalchemy as sa

from docproc.flow.accounts.api_keys import create_key, first_key
from docproc.flow.core.context import Context, open_context
from docproc.flow.jobs.engine import migrate_all
from docproc.process_keys import ensure_all
from docproc.settings import Settings
from docproc.store.database_roles import ROLES, RoleName, server_name
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
CALLERS = ("kiosk", "reviewer", "sealer", "auditor")


def client(base: str, key: str | None = None) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=base, headers=headers, timeout=30)


def people(base: str, admin_key: str) -> dict[str, httpx.Client]:
    """A client with a key of its own for each kind of caller, got by nothing but what the service offers outside."""
    with client(base, admin_key) as admin:
        return {role: client(base, _key(admin, f"{role}-1", role)) for role in CALLERS} | {"nobody": client(base)}


def _key(admin: httpx.Client, subject: str, role: str) -> str:
    """A key that an administrator makes; an official takes theirs over, for it would count as the administrator's."""
    answer = admin.post("/v1/keys", json={"subject": subject, "org": "office", "roles": [role]})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    if role == "kiosk":
        return str(made["key"])
    new = {"name": subject, "org": "office", "roles": [role]}
    made_user = admin.post("/v1/users", json=new).json()
    with httpx.Client(base_url=admin.base_url, headers={"Accept": "text/html"}, timeout=30) as browser:
        browser.follow_redirects = True
        chosen = f"样例密码不给真人用 {subject}"
        _sign_in(browser, made_user, made_user["password"], 0)
        change = {"old": made_user["password"], "new": chosen, "again": chosen}
        browser.post("/office/password", data={"csrf": _word(browser, "/office/password"), **change})
        _sign_in(browser, made_user, chosen, 1)
        page = browser.post(f"/office/mine/{made['id']}", data={"csrf": _word(browser, "/office/mine")}).text
    found = re.search(r"dp_[0-9a-f]{12}_[0-9a-f]{64}", page)
    assert found, page
    return found[0]


def _sign_in(browser: httpx.Client, user: dict[str, str], password: str, ahead: int) -> None:
    totp = pyotp.parse_uri(user["totp_uri"])
    assert isinstance(totp, pyotp.TOTP)
    code = totp.at(int(time.time()) + 30 * ahead)
    given = {"name": user["name"], "password": password, "code": code}
    assert browser.post("/office/login", data={"csrf": _word(browser, "/office/login"), **given}).status_code == 200


def _word(browser: httpx.Client, path: str) -> str:
    """The word that guards the forms of a page."""
    found = re.search(r'name="csrf" value="([^"]+)"', browser.get(path).text)
    assert found, path
    return found[1]


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
    measured: str
    """Where the web process tells its measurements."""
    machine: Machine | None = None

    def client(self, key: str | None = None) -> httpx.Client:
        return client(self.base, key)

    def new_key(self, subject: str, *roles: str, org: str = "office") -> str:
        """A key of a person's own, as the operator of the machine makes it."""
        ctx = self.context()
        made = create_key(ctx, None, subject, org, roles)
        ctx.close()
        return str(made["key"])

    def people(self) -> dict[str, httpx.Client]:
        """A client with a key of its own for each kind of caller."""
        return {role: self.client(self.new_key(f"{role}-1", role)) for role in CALLERS} | {"nobody": self.client()}

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
            parse_seconds_per_minute=100_000,
            allow_dev_pki=True,
            _env_file=None,
            **given,
        )
        ensure_all(settings.keys_folder)
        passwords = {role: secrets.token_hex(16) for role in ROLES}
        key = _prepare(settings, passwords)
        base = f"http://{here.address}:{settings.port}"
        env = environment(settings)
        own = {role: {"DOCPROC_DATABASE_URL": as_role(url, role, password)} for role, password in passwords.items()}
        clock = machine.clocks[WEB].env if machine else {}
        command = [sys.executable, "-m", "docproc.cli", "serve", "--web-only"]
        port = free_port()
        told = {**own["web"], "DOCPROC_METRICS_PORT": str(port)}
        web = Server(command, lambda: _ready(base), folder / "web.log", {**env, **clock, **told}, host=here)
        web.start()
        workers = Workers(settings, module, env)
        workers.own = {**dict.fromkeys(READERS, own["reader"]), SEALER: own["sealer"]}
        workers.hosts, workers.clocks = hosts, machine.clocks if machine else {}
        try:
            yield Deployment(
                settings, postgres, minio, web, workers, key, base, f"http://{here.address}:{port}/metrics", machine
            )
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


def as_role(url: str, role: RoleName, password: str) -> str:
    """The database's address for processes of a role."""
    mine = sa.make_url(url).set(username=server_name(role), password=password)
    return mine.render_as_string(hide_password=False)


def _prepare(settings: Settings, passwords: dict[RoleName, str]) -> str:
    database = open_database(settings.database)
    migrate_all(database, passwords)
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
