"""A service in which applications stand at every point of their way, and a sealer that a test drives by hand.

What is genuine is sealed before a test begins, so that whatever is sealed later was forged, or asked for by the test.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from docproc.domain import Licence
from docproc.errors import DocprocError
from docproc.flow.applications import notice_job
from docproc.flow.applications.applications import view_application
from docproc.flow.core.context import Context, open_context
from docproc.flow.core.stages import Stages, Tools
from docproc.flow.licences import issuing, jobs
from docproc.flow.licences.licences import change_licence
from docproc.flow.licences.versions import new_version
from docproc.flow.review.decisions import decide, release
from docproc.settings import Settings
from tests.flow.people import APPROVER, SEALER, Workers, insurance_papers, seen, submitted
from tests.flow.small_stages import own_seals, read_file, sign_status

GROUNDS = {"reason": "样例理由", "basis": "样例法第一条"}


@dataclass
class World:
    """The stores as a web process and as a sealer have them, and the numbers of the applications."""

    web: Context
    sealer: Context
    numbers: dict[str, str]
    sealed: list[Licence]
    """What was sealed, one entry each time."""

    def sql(self, statement: str, **values: object) -> None:
        """What somebody does who can write the database."""
        with self.web.database.engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        with self.web.database.write() as session:
            assert session.execute(sa.text(statement), values).rowcount != 0, "it must change something"

    def one(self, statement: str, **values: object) -> str:
        with self.web.database.read() as session:
            return str(session.execute(sa.text(statement), values).scalar_one())

    def approval(self, name: str) -> str:
        """The id of the newest decision on an application."""
        query = "SELECT id FROM decisions WHERE application = :n ORDER BY on_version DESC LIMIT 1"
        return self.one(query, n=self.numbers[name])

    def licence(self, name: str) -> str:
        return self.one("SELECT number FROM licences WHERE application = :n", n=self.numbers[name])

    def release(self, name: str) -> None:
        """What a sealer's official does with an approval."""
        number = self.numbers[name]
        release(self.web, SEALER, number, view_application(self.web, SEALER, number)["version"])

    def run_everything(self) -> int:
        """Run every job of the sealer that rows and ids allow, as its queue would; returns how often it sealed."""
        before = len(self.sealed)
        Tools.install(self.sealer, self.stages())
        with self.sealer.database.read() as session:
            decisions = list(session.scalars(sa.text("SELECT id FROM decisions")))
            notices = list(session.scalars(sa.text("SELECT decision FROM notices")))
            versions = list(session.scalars(sa.text("SELECT id FROM licence_versions")))
        for item in decisions:
            with suppress(DocprocError):  # what the engine would try again, and give up
                number = issuing.allocate(item)
                if number:
                    self._finish(number, issuing.seal_and_keep(number), issuing.register)
        for item in notices:
            with suppress(DocprocError):
                self._finish(item, notice_job.seal_and_keep_notice(item), notice_job.register_notice)
        for item in versions:
            with suppress(DocprocError):
                self._finish(item, jobs.seal_and_keep_version(item), jobs.register_version)
        return len(self.sealed) - before

    def _finish(self, what: str, outcome: dict[str, str], register: object) -> None:
        if outcome["state"] == "sealed":
            register(what, outcome["sha256"], outcome.get("proof", ""))  # type: ignore[operator]

    def stages(self) -> Stages:
        def seal_licence(licence: Licence, registered: object, at: object) -> bytes:
            self.sealed.append(licence)
            return f"%PDF-1.7 {len(self.sealed)} {licence.number}".encode()

        return Stages(read_file, seal_licence, own_seals=own_seals, sign_status=sign_status)


def build(settings: Settings) -> dict[str, str]:
    """Bring applications to every point of their way; returns their numbers by what they are."""
    web, workers, numbers = open_context(settings), Workers(settings), {}
    workers.start("w1", "read,check")
    try:
        for name in ("approved", "waiting", "rejected", "returned", "licensed", "revoked", "corrected"):
            view = submitted(web)
            numbers[name] = str(view["number"])
            action = {"waiting": "", "rejected": "reject", "returned": "return"}.get(name, "approve")
            if action:
                decide(web, APPROVER, view["number"], action, seen(view), **({} if action == "approve" else GROUNDS))
        numbers["joint"] = str(submitted(web, papers=insurance_papers(), matter="social_insurance")["number"])
    finally:
        workers.stop_all()
    world = World(web, open_context(settings, role="sealer"), numbers, [])
    for name in ("licensed", "revoked", "corrected"):
        world.release(name)
    assert world.run_everything() == 4, "three licences and a notice"
    change_licence(web, APPROVER, world.licence("revoked"), "revoke", **GROUNDS)
    new_version(web, APPROVER, world.licence("corrected"), "reissue", {}, **GROUNDS)
    assert world.run_everything() == 1, "the new version"
    web.close()
    world.sealer.close()
    return numbers


@contextmanager
def copied(folder: Path, numbers: dict[str, str], target: Path) -> Iterator[World]:
    """A copy of what was built, for one attempt."""
    shutil.copytree(folder, target, dirs_exist_ok=True)
    settings = Settings(data_dir=target, _env_file=None)
    web, sealer = open_context(settings), open_context(settings, role="sealer")
    try:
        yield World(web, sealer, dict(numbers), [])
    finally:
        web.close()
        sealer.close()
