"""A worker that is killed while it reads: what it read is answered in seconds, once, by a process that stood ready."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from docproc.flow.core.context import open_context
from tests.api.group import Group, group, open_application, settings_of, upload_all, view
from tests.flow.people import until
from tests.flow.small_stages import paper
from tests.servers.processes import free_port

READY, STOOD_IN = "spare worker is ready", "a spare process stands in"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    with group(
        tmp_path_factory.mktemp("killed") / "var", DOCPROC_SPARE_READERS="1", DOCPROC_LOG_LEVEL="INFO"
    ) as running:
        yield running


def process(server: Group, name: str) -> int:
    """The process that was started under a name."""
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if name in Path(f"/proc/{child}/cmdline").read_text().split("\0"):
                return int(child)
    raise LookupError(name)


def log(server: Group) -> str:
    return (server.folder / "log").read_text()


def kill_while_reading(server: Group, kiosk: httpx.Client, name: str) -> float:
    """Kill the reader in the middle of a page; seconds until it is answered, those of its reading left out."""
    number, sleep = open_application(kiosk), 2
    upload_all(kiosk, number, [paper([], sleep=sleep, mark=time.monotonic())])
    ctx = open_context(settings_of(server.env))
    until(lambda: "embedded-read-1" in ctx.jobs.busy_workers())
    ctx.close()
    os.kill(process(server, name), signal.SIGKILL)
    killed = time.monotonic()
    until(lambda: view(kiosk, number)["checked"], 60)
    assert [page["state"] for page in view(kiosk, number)["pages"]] == ["failed"]  # read, and found empty
    return time.monotonic() - killed - sleep


def test_a_spare_answers_for_a_killed_reader_and_the_next_one_is_made(server: Group) -> None:
    with server.client(server.new_key("kiosk-1", "kiosk")) as kiosk:
        until(lambda: READY in log(server), 120)
        took = kill_while_reading(server, kiosk, "embedded-read-1")
        print(f"answered {took:.1f} s after the reader was killed")
        assert log(server).count(STOOD_IN) == 1
        assert took < 15, "5 s on a machine that has nothing else to do"
        until(lambda: log(server).count(READY) == 2, 120)
        took = kill_while_reading(server, kiosk, "spare")
        print(f"and {took:.1f} s when the one that stood in was killed")
        assert log(server).count(STOOD_IN) == 2


def test_without_a_spare_it_is_started_again(tmp_path: Path) -> None:
    with group(tmp_path / "var") as alone:
        with alone.client(alone.new_key("kiosk-1", "kiosk")) as kiosk:
            kill_while_reading(alone, kiosk, "embedded-read-1")
        assert STOOD_IN not in log(alone) and "starting again in" in log(alone)


def test_who_stands_in_for_any_reader_is_measured_at_the_port_of_that_one(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "DOCPROC_SPARE_READERS": "1",
        "DOCPROC_READ_WORKERS": "2",
        "DOCPROC_METRICS_PORT": str(port),
        "DOCPROC_LOG_LEVEL": "INFO",
    }
    with group(tmp_path / "var", **settings) as two:
        until(lambda: READY in log(two), 120)
        assert is_ready(port + 2)
        os.kill(process(two, "embedded-read-2"), signal.SIGKILL)
        until(lambda: STOOD_IN in log(two), 60)
        until(lambda: is_ready(port + 2), 60)
        assert is_ready(port + 1) and "starting again" not in log(two)


def is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False
