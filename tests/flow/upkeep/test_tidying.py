"""Finished jobs do not pile up for ever, and those that still have work to do are never dropped."""

from __future__ import annotations

from datetime import timedelta

from docproc.flow.applications.applications import view_application
from docproc.flow.core.context import Context, utc_now
from tests.flow.people import KIOSK, Workers, hand_in, until


def test_only_jobs_that_did_their_work_are_dropped(ctx: Context, workers: Workers) -> None:
    number = hand_in(ctx)
    assert ctx.jobs.forget_done(utc_now() + timedelta(days=1)) == 0  # they only wait
    workers.start("w1")
    until(lambda: view_application(ctx, KIOSK, number)["checked"])
    assert ctx.jobs.forget_done(utc_now() - timedelta(days=1)) == 0  # too fresh
    before = view_application(ctx, KIOSK, number)
    until(lambda: not any(part.jobs for part in ctx.jobs.waiting()))
    assert ctx.jobs.forget_done(utc_now() + timedelta(days=1)) > 0
    assert ctx.jobs.forget_done(utc_now() + timedelta(days=1)) == 0
    assert view_application(ctx, KIOSK, number) == before
