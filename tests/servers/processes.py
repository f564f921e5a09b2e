"""Start a real server for a test, wait until it answers, and stop it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pytest

TOOLS = Path(__file__).resolve().parents[2] / ".tools"
"""Where ``scripts/servers`` and ``scripts/validators`` put what they build."""
START_SECONDS = 300.0


def find_program(name: str, command: str, *folders: Path) -> Path:
    """The program, or no test: a failure where ``CI=true``, elsewhere a skip that names the command to run."""
    for folder in (TOOLS / "bin", *folders):
        if (folder / name).exists():
            return folder / name
    if found := shutil.which(name):
        return Path(found)
    absent(name, command)


def absent(what: str, command: str) -> NoReturn:
    """End the test that needs ``what``: fail where ``CI=true``, otherwise skip and name the command to run."""
    message = f"{what} is missing: run {command}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Host:
    """Where a process runs; by itself this machine, on loopback."""

    address: str = "127.0.0.1"
    namespace: str = ""
    cable: str = ""
    """The end of its cable at the bridge (``tests.servers.network``)."""

    def command(self, command: Sequence[str | Path], user: str | None = None) -> list[str]:
        """The command as it is run there; it keeps its process id."""
        words = [str(part) for part in command]
        if not self.namespace:
            return words
        account = pwd.getpwnam(user) if user else None
        change = [f"--setuid={account.pw_uid}", f"--setgid={account.pw_gid}"] if account else []
        return ["nsenter", f"--net=/run/netns/{self.namespace}", *change, "--", *words]


HERE = Host()


@dataclass
class Server:
    """A program that a test starts, stops, kills and starts again."""

    command: Sequence[str | Path]
    ready: Callable[[], bool]
    log: Path
    """File for all that the server prints; its end is shown when a start fails."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables added to those of this process."""
    user: str | None = None
    """Account to run as; ``None``: this one."""
    host: Host = HERE
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: the server ended or did not become ready in time.
        """
        process = self.launch()
        try:
            _wait(process, self.ready, self.log)
        except BaseException:
            self.stop()
            raise

    def launch(self) -> subprocess.Popen[bytes]:
        """Start it and do not wait."""
        user = None if self.host.namespace else self.user
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.host.command(self.command, self.user),
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.env},
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )
        return self.process

    def stop(self, number: int = signal.SIGTERM, seconds: float = 20) -> None:
        """End it with a signal, and with SIGKILL when that does not help."""
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None


@contextmanager
def running(
    command: Sequence[str | Path],
    ready: Callable[[], bool],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    host: Host = HERE,
) -> Iterator[Server]:
    """Run a server until the block ends; arguments and errors as of :class:`Server`."""
    server = Server(command, ready, log, env or {}, user, host)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > end:
            said = log.read_bytes()[-2000:].decode("utf-8", "replace")
            raise RuntimeError(f"{process.args!r} did not start (exit {process.poll()}):\n{said}")
        time.sleep(0.1)
