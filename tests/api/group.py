"""A real server group on a loopback port, and clients of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from docproc.flow.accounts.api_keys import create_key
from docproc.flow.core.context import open_context
from docproc.settings import Settings
from tests.flow.people import receipt_code, trader_papers, until

ROLES = ("kiosk", "clerk", "reviewer", "approver", "sealer", "auditor")


@dataclass
class Group:
    """A running service."""

    folder: Path
    env: dict[str, str]
    process: subprocess.Popen[str]
    base: str
    admin_key: str

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.base, headers=headers, timeout=30)

    def new_key(self, subject: str, *roles: str, org: str = "office") -> str:
        """A key of a person's own, as the operator of the machine makes it."""
        ctx = open_context(settings_of(self.env))
        made = create_key(ctx, None, subject, org, roles)
        ctx.close()
        return str(made["key"])

    def receipt_code(self, number: str) -> str:
        """The code on an applicant's receipt."""
        ctx = open_context(settings_of(self.env))
        code = receipt_code(ctx, number)
        ctx.close()
        return code

    def stop(self) -> None:
        """End the group in order, or by force when it does not end."""
        self.process.terminate()
        if self.process.stdout is not None:
            self.process.stdout.close()
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill every process of the group at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def settings_of(env: dict[str, str]) -> Settings:
    """The settings of a process with this environment."""
    return Settings(
        _env_file=None,
        **{  # type: ignore[arg-type]
            name.removeprefix("DOCPROC_").lower(): value for name, value in env.items() if name.startswith("DOCPROC_")
        },
    )


def spawn(folder: Path, worker_module: str, **settings: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    plain = {"DOCPROC_DATA_DIR": str(folder), "DOCPROC_PORT": "0", "DOCPROC_SPARE_READERS": "0"}
    env = {**os.environ, **plain, **settings}
    code = f"import sys; from api.serve import serve; from docproc.settings import Settings; sys.exit(serve(Settings(), {worker_module!r}))"  # noqa: E501
    folder.mkdir(exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code], env=env, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    return process, env


def wait_ready(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Base address and, on a fresh database, the first administrator's key."""
    key, base = "", ""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("first administrator's secrets: "):
            key = tomllib.loads(Path(line.partition(": ")[2].strip()).read_text())["api_key"]
        if line.startswith("docproc listens on"):
            base = line.split()[-1]
            break
    assert base, "the server did not start"
    until(lambda: _answers(base), 240)
    return base, key


def _answers(base: str) -> bool:
    try:
        return httpx.get(base + "/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        time.sleep(0.1)
        return False


@contextmanager
def group(folder: Path, worker_module: str = "tests.flow.small_stages", **settings: str) -> Iterator[Group]:
    process, env = spawn(folder, worker_module, **settings)
    running = Group(folder, env, process, "", "")
    try:
        running.base, running.admin_key = wait_ready(process)
        yield running
    finally:
        running.stop()


def upload_all(client: httpx.Client, number: str, papers: list[bytes] | None = None) -> None:
    for place, data in enumerate(papers if papers is not None else trader_papers()):
        answer = client.post(f"/v1/applications/{number}/pages?filename={place}.png", content=data)
        assert answer.status_code == 201, answer.text


def open_application(client: httpx.Client) -> str:
    answer = client.post("/v1/applications", json={"matter": "sole_trader", "channel": "kiosk"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


def view(client: httpx.Client, number: str) -> dict[str, Any]:
    answer = client.get(f"/v1/applications/{number}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def checked(client: httpx.Client, number: str) -> dict[str, Any]:
    return dict(until(lambda: (v := view(client, number))["checked"] and v))


def decision(seen: dict[str, Any], action: str = "approve", **more: Any) -> dict[str, Any]:
    return {"action": action, "version": seen["version"], "content_sha256": seen["content_sha256"], **more}
