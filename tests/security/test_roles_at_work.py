"""The hot paths of each kind of process, each under its own role of a real PostgreSQL: its rights are enough."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from api.app import create_app
from docproc.flow import worker
from docproc.flow.accounts import api_keys, users
from docproc.flow.applications import applications, jobs, notice_job, notices, remarks
from docproc.flow.audit.proof import prove, stamp_head
from docproc.flow.core.access import ROLES as CALLERS
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context, open_context, utc_now
from docproc.flow.core.stages import Stages, Tools
from docproc.flow.counter import custody
from docproc.flow.jobs.engine import migrate_all
from docproc.flow.licences import issuing, licences, versions
from docproc.flow.licences import jobs as licence_jobs
from docproc.flow.licences.renewal import renew_due
from docproc.flow.messages import delivery, sms
from docproc.flow.review.decisions import decide, release
from docproc.flow.seals.usable import register_own
from docproc.flow.upkeep import retention
from docproc.flow.upkeep.locking import lock_all, rotate
from docproc.flow.wallet import wallet
from docproc.process_keys import KeyRole, ensure_all
from docproc.settings import Settings
from docproc.store.database_roles import ROLES, RoleName
from docproc.store.db import open_database
from docproc.store.messages import webhooks
from tests.api import test_access
from tests.distributed.deployment import as_role
from tests.flow import small_stages
from tests.flow.people import ADMIN, APPROVER, KIOSK, REVIEWER, SEALER, caller, hand_in, seen
from tests.servers.postgres import cluster

CLERK = caller("clerk-1", "clerk")
JOBS = {
    "look_at_page": jobs.look_at_page,
    "read_page": jobs.read_page,
    "check_application": jobs.check_application,
    "issue_licence": issuing.issue_licence,
    "deliver_event": delivery.deliver_event,
    "deliver_webhook": delivery.deliver_webhook,
    "send_sms": sms.send_sms,
    "seal_version": licence_jobs.seal_version,
    "publish_status": licence_jobs.publish_status,
    "seal_notice": notice_job.seal_notice,
}
WAITING = (
    "SELECT workflow_uuid, name, queue_name, workflow_input.inputs FROM dbos.workflow_status"
    " JOIN dbos.workflow_input USING (workflow_uuid) WHERE status = 'ENQUEUED' ORDER BY created_at, workflow_uuid"
)


@dataclass
class Service:
    """One process of each kind, all in this one, each with the keys and the database's role of its own."""

    owner: Context
    web: Context
    reader: Context
    sealer: Context
    stages: Stages
    done: set[str] = field(default_factory=set)

    def work(self) -> None:
        """Run what waits in the queues, each job as the worker that listens to its queue."""
        while waiting := self._waiting():
            for job_id, name, queue, inputs in waiting:
                self.done.add(job_id)
                Tools.install(self.sealer if queue == "seal" else self.reader, self.stages)
                run: Any = JOBS[name]
                run.__wrapped__(*json.loads(inputs)["positionalArgs"])

    def _waiting(self) -> list[Any]:
        with self.owner.database.read() as session:
            return [row for row in session.execute(sa.text(WAITING)).all() if row[0] not in self.done]

    def submitted(self) -> dict[str, Any]:
        number = hand_in(self.web)
        self.work()
        view: Any = applications.submit(self.web, KIOSK, number)
        return dict(view)

    def issued(self) -> tuple[str, str]:
        """An application and its licence."""
        view = self.submitted()
        view = dict(decide(self.web, REVIEWER, view["number"], "approve", seen(view)))
        release(self.web, SEALER, view["number"], view["version"])
        self.work()
        return view["number"], str(applications.view_application(self.web, KIOSK, view["number"])["licence"])


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("roles")
    passwords: dict[RoleName, str] = {role: secrets.token_hex(16) for role in ROLES}
    with cluster() as url:
        database = open_database(url)
        migrate_all(database, passwords)
        database.close()
        settings = Settings(data_dir=folder, database_url=url, rate_limit_per_minute=1_000_000, _env_file=None)
        ensure_all(settings.keys_folder)

        def opened(role: KeyRole) -> Context:
            return open_context(
                settings.model_copy(update={"database_url": as_role(url, role, passwords[role])}), role=role
            )

        made = Service(
            open_context(settings),
            opened("web"),
            opened("reader"),
            opened("sealer"),
            Stages(
                small_stages.read_file,
                small_stages.sealer(folder),
                own_seals=small_stages.own_seals,
                sign_status=small_stages.sign_status,
            ),
        )
        register_own(made.sealer, made.stages.own_seals)
        yield made
        for ctx in (made.web, made.reader, made.sealer, made.owner):
            ctx.close()


def later(ctx: Context, days: int) -> Context:
    return replace(ctx, clock=lambda: utc_now() + timedelta(days=days))


def test_papers_become_a_licence_that_is_suspended_corrected_shared_and_renewed(service: Service) -> None:
    number, licence = service.issued()
    grounds = "核查中（样例）", "行政许可法第六十九条"
    for action in ("suspend", "restore"):
        licences.change_licence(service.web, APPROVER, licence, action, *grounds)
    versions.new_version(service.web, APPROVER, licence, "reissue", {}, *grounds)
    service.work()
    assert licences.licence_by_number(service.web, licence)["status"] == "valid"
    assert versions.status_list(service.web)
    with service.owner.database.read() as session:
        holder = session.execute(sa.text("SELECT holder_code FROM licence_holders")).scalar_one()
    enterprise = Caller("k", "enterprise-1", holder, frozenset({"enterprise"}))
    shared = wallet.share(service.web, enterprise, licence, "投标（样例）", 7)
    assert wallet.shared(service.web, shared["code"])
    wallet.revoke_share(service.web, enterprise, shared["code"])
    renew_due(service.sealer, lambda data, at: data + b"%", margin_days=100_000)
    licences.change_licence(service.web, APPROVER, licence, "revoke", *grounds)
    service.work()
    assert applications.view_application(service.web, KIOSK, number)["status"] == "issued"
    assert prove(service.owner, None).problems == []


def test_an_application_is_returned_with_a_sealed_notice_corrected_remarked_and_erased(service: Service) -> None:
    view = service.submitted()
    number = view["number"]
    decide(
        service.web, REVIEWER, number, "return", seen(view), reason="1. 缺少出租人签字", basis="行政许可法第三十二条"
    )
    service.work()
    assert notices.notice_file(service.web, REVIEWER, number)
    view = dict(applications.view_application(service.web, KIOSK, number))
    page = view["pages"][0]
    reading = page["readings"][0]
    name = reading["fields"][0]["name"]
    place = (number, page["id"], reading["index"], name)
    remarks.remark(service.web, KIOSK, *place, said="不对")
    remarks.take_back(service.web, KIOSK, *place)
    applications.correct_field(service.web, CLERK, *place, "女", kind="misread")
    applications.remove_page(service.web, KIOSK, number, page["id"])
    service.work()
    applications.withdraw(service.web, KIOSK, number)
    swept = retention.sweep(later(service.reader, 5000))
    assert swept.applications and swept.files
    draft = hand_in(service.web)
    service.work()
    assert retention.sweep(later(service.web, 5000), ADMIN).applications
    assert applications.view_application(service.owner, KIOSK, draft)["status"] == "withdrawn"


def test_originals_pass_over_the_counter(service: Service) -> None:
    number = service.submitted()["number"]
    receipt = custody.receive_originals(service.web, CLERK, number, [custody.Original("idcard", 1)])
    custody.return_originals(service.web, CLERK, number, str(receipt["receipt"]), "本人")
    assert custody.chain_of_custody(service.web, CLERK, number)


def test_events_reach_webhooks_that_a_reader_signs_for(service: Service) -> None:
    with service.web.database.write() as session:
        webhooks.add_webhook(session, "office", "https://127.0.0.1:9/", by="x", at=service.web.clock())
    service.submitted()
    with service.owner.database.read() as session:
        told = session.execute(sa.text("SELECT DISTINCT error FROM webhook_deliveries")).scalars().all()
    assert told and not [text for text in told if "secret" in text]


def test_workers_look_after_one_another_and_tidy_up(service: Service) -> None:
    for ctx, reads in ((service.reader, True), (service.sealer, False)):
        worker.close_given_up(ctx, reads=reads)
        worker.take_over(ctx, "somebody")
        worker._tidy(ctx, None, None, reads=reads, closes=not reads)
    stamp_head(service.sealer, lambda digest: b"a token of " + digest)


def test_accounts_are_made_used_and_shut(service: Service) -> None:
    made = users.add_user(service.web, None, "wang", "", "office", ["reviewer"])
    users.renew_secrets(service.web, None, made.id)
    users.set_enabled(service.web, ADMIN, made.id, False)
    key = api_keys.create_key(service.web, None, "kiosk-7", "office", ["kiosk"])
    assert api_keys.authenticate(service.web, str(key["key"]))
    api_keys.revoke_key(service.web, ADMIN, key["id"])
    rotate(service.web, "accounts", forget=True)
    assert not [item.left for item in lock_all(service.web) if item.left]


def test_every_route_works_under_the_role_of_the_web_process(service: Service, tmp_path: Path) -> None:
    """The routes of the access table, each called by every role that it opens to: none fails for a right."""
    app = create_app(
        service.web.settings.model_copy(update={"data_dir": tmp_path, "process_keys": str(service.web.keys.folder)})
    )
    failed = []
    with TestClient(app, raise_server_exceptions=False):
        people = {role: test_access._client(app, app.state.context, role) for role in CALLERS}
        for client in people.values():
            test_access._with_forms(client)
        number = hand_in(service.web)
        for row in sorted(test_access.TABLE["route"], key=lambda row: bool(row.get("last"))):
            for who in row["roles"]:
                if (status := test_access._call(people[who], row, number)) >= 500:
                    failed.append(f"{row['call']} {who}: {status}")
    assert not failed, "\n".join(failed)
