"""Callers, papers and worker processes for tests of the flow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from docproc.flow.applications.applications import add_page, create_application, submit, view_application
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.review.decisions import Seen
from docproc.settings import Settings
from docproc.store.wallet import shares
from tests.cases import INSURANCE, TRADER, pages
from tests.flow.small_stages import paper
from tests.servers.clock import Clock
from tests.servers.processes import HERE, Host

ALL_QUEUES = "read,check,seal,notify"


def receipt_code(ctx: Context, number: str) -> str:
    """The code on an applicant's receipt."""
    with ctx.database.write() as session:
        return shares.follow_code(session, number)


def caller(subject: str, *roles: str, org: str = "office") -> Caller:
    return Caller(f"key-{subject}"[:16], subject, org, frozenset(roles))


KIOSK = caller("kiosk-1", "kiosk")
CLERK = caller("clerk-1", "clerk")
REVIEWER = caller("reviewer-1", "reviewer")
OTHER_REVIEWER = caller("reviewer-2", "reviewer")
APPROVER = caller("approver-1", "approver")
SEALER = caller("sealer-1", "sealer")
AUDITOR = caller("auditor-1", "auditor", org="supervision")
ADMIN = caller("admin-1", "admin")


def trader_papers(**extra: Any) -> list[bytes]:
    """The papers of a sole trader against whom nothing stands, one file a page."""
    return [paper([reading], **extra) for reading in pages("sole_trader", TRADER)]


def insurance_papers(values: dict[str, dict[str, str | None]] = INSURANCE) -> list[bytes]:
    """The papers of a joint approval, one file a page."""
    return [paper([reading]) for reading in pages("social_insurance", values)]


def hand_in(ctx: Context, who: Caller = KIOSK, papers: list[bytes] | None = None, matter: str = "sole_trader") -> str:
    """Open an application and upload its papers; returns its number."""
    number = str(create_application(ctx, who, matter, "kiosk")["number"])
    for place, data in enumerate(papers if papers is not None else trader_papers()):
        add_page(ctx, who, number, data, filename=f"{place}.png")
    return number


def submitted(
    ctx: Context, who: Caller = KIOSK, papers: list[bytes] | None = None, matter: str = "sole_trader"
) -> dict[str, Any]:
    """The view of an application that was read, checked and submitted; needs a running worker."""
    number = hand_in(ctx, who, papers, matter)
    until(lambda: view_application(ctx, who, number)["checked"])
    return submit(ctx, who, number)


def seen(view: dict[str, Any]) -> Seen:
    return Seen(view["version"], view["content_sha256"])


def until(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait for a condition; fails when it does not come true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return value


class Workers:
    """Worker processes of one service."""

    def __init__(
        self, settings: Settings, module: str = "tests.flow.small_stages", env: dict[str, str] | None = None
    ) -> None:
        self.settings, self.module = settings, module
        self.env = env or {
            "DOCPROC_DATA_DIR": str(settings.data_dir),
            "DOCPROC_DATABASE_URL": settings.database_url,
        }
        self.own: dict[str, dict[str, str]] = {}
        """Variables of single workers, by name: each has the database's address of its own role."""
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.hosts: dict[str, Host] = {}
        """Where workers run that do not run here."""
        self.clocks: dict[str, Clock] = {}
        """Clocks of workers that have one of their own."""

    def start(self, name: str, queues: str = ALL_QUEUES, wait: bool = True) -> subprocess.Popen[bytes]:
        ready = self.settings.data_dir / f"ready-{name}"
        ready.unlink(missing_ok=True)
        clock = self.clocks[name].env if name in self.clocks else {}
        env = {**os.environ, **self.env, **self.own.get(name, {}), **clock}
        command = [sys.executable, "-m", self.module, name, queues]
        log = (self.settings.data_dir / f"log-{name}").open("ab")
        process = subprocess.Popen(self.hosts.get(name, HERE).command(command), env=env, stderr=log)
        log.close()
        self.running[name] = process
        if wait:
            until(lambda: ready.exists() or process.poll() is not None)
        return process

    def is_dead(self, name: str) -> bool:
        return self.running[name].poll() is not None

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> int:
        process = self.running.pop(name)
        process.terminate()
        return process.wait(timeout=120)

    def stop_all(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
