"""Work that the version before queued and began is finished by this one: names in the database are a contract.

The rows are written here as that version wrote them, word for word. A job, step or queue that is renamed fails.
"""

from __future__ import annotations

import json

import sqlalchemy as sa

from docproc.flow.applications.applications import submit, view_application
from docproc.flow.core.context import Context
from docproc.flow.jobs.engine import QUEUE_OF
from docproc.flow.review.decisions import decide, release
from docproc.store.licences import licences
from tests.flow.people import KIOSK, REVIEWER, SEALER, Workers, hand_in, seen, until

QUEUES = {
    "look_at_page": "look",
    "read_page": "read",
    "check_application": "check",
    "issue_licence": "seal",
    "seal_version": "seal",
    "publish_status": "seal",
    "seal_notice": "seal",
    "deliver_event": "notify",
    "deliver_webhook": "notify",
    "send_sms": "notify",
}
BEGUN = sa.text(
    "UPDATE workflow_status SET status = 'PENDING', executor_id = 'w1', application_version = '1', "
    "recovery_attempts = 1, started_at_epoch_ms = created_at WHERE workflow_uuid = :job AND name = :name "
    "AND queue_name = :queue"
)
DONE = sa.text(
    "INSERT INTO operation_outputs (workflow_uuid, function_id, function_name, output, started_at_epoch_ms, "
    "completed_at_epoch_ms, serialization, application_name) "
    "VALUES (:job, :place, :step, :output, 0, 0, 'portable_json', 'docproc')"
)


def begin(ctx: Context, job: str, name: str, queue: str, steps: dict[str, object]) -> None:
    """Leave a queued job as worker ``w1`` left it when it was killed after these steps (name -> what it returned)."""
    with ctx.database.write() as session:
        session.execute(BEGUN, {"job": job, "name": name, "queue": queue})
        for place, (step, output) in enumerate(steps.items(), 1):
            values = {"job": job, "place": place, "step": step, "output": json.dumps(output)}
            session.execute(DONE, values)


def steps_of(ctx: Context, job: str) -> list[str]:
    query = sa.text("SELECT function_name FROM operation_outputs WHERE workflow_uuid = :job ORDER BY function_id")
    with ctx.database.read() as session:
        return list(session.scalars(query, {"job": job}))


def test_jobs_are_in_the_queues_in_which_the_version_before_put_them() -> None:
    assert QUEUE_OF == QUEUES


def test_a_reading_that_was_cut_short_after_drawing_goes_on_with_its_second_step(
    ctx: Context, workers: Workers
) -> None:
    number = hand_in(ctx)
    page = view_application(ctx, KIOSK, number)["pages"][0]["id"]
    begin(ctx, f"read:{page}", "read_page", "read", {"draw_and_store": None})
    workers.start("w1")
    until(lambda: view_application(ctx, KIOSK, number)["checked"], 60)
    assert view_application(ctx, KIOSK, number)["verdict"] == "pass"
    assert steps_of(ctx, f"read:{page}") == ["draw_and_store", "read_and_store"]
    assert ctx.jobs.given_up() == 0


def test_an_issue_that_was_cut_short_after_its_number_seals_under_that_number(ctx: Context) -> None:
    workers = Workers(ctx.settings, "tests.flow.dying_stages")
    try:
        workers.start("w1")
        number = hand_in(ctx)
        until(lambda: view_application(ctx, KIOSK, number)["checked"], 60)
        approved = decide(ctx, REVIEWER, number, "approve", seen(submit(ctx, KIOSK, number)))
        (ctx.settings.data_dir / "die-at").write_text("allocate:done")
        release(ctx, SEALER, number, approved["version"])
        until(lambda: workers.is_dead("w1"), 60)
        decision = approved["decisions"][0]["id"]
        with ctx.database.read() as session:
            licence = licences.licence_of_decision(session, decision)
        assert licence is not None and licence.sha256 is None
        job = f"issue:{decision}:1"
        begin(ctx, job, "issue_licence", "seal", {"allocate": licence.number})
        workers.start("w1")
        assert until(lambda: view_application(ctx, SEALER, number)["licence"], 60) == licence.number
        assert until(lambda: len(steps_of(ctx, job)) > 2) and steps_of(ctx, job)[-2:] == ["seal_and_keep", "register"]
        assert ctx.jobs.given_up() == 0
    finally:
        workers.stop_all()
