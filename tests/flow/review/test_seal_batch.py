"""Many seals released at once: by the rules of a single one, with progress, and again after it was cut short."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from docproc.cli.main import app
from docproc.errors import AccessError
from docproc.flow.accounts.api_keys import create_key
from docproc.flow.core.context import Context
from docproc.flow.review.batch_release import batch_progress, release_batch
from docproc.flow.review.decisions import decide
from docproc.settings import Settings
from tests.flow.people import ADMIN, APPROVER, REVIEWER, SEALER, Workers, caller, hand_in, seen, submitted, until


def approved(ctx: Context, many: int) -> list[str]:
    views = [submitted(ctx) for _ in range(many)]
    for view in views:
        decide(ctx, APPROVER, view["number"], "approve", seen(view))
    return sorted(str(view["number"]) for view in views)


def issued(ctx: Context) -> list[tuple[str, int]]:
    """Applications with the number of licences that each has."""
    with ctx.database.read() as session:
        found = session.execute(sa.text("SELECT application, COUNT(*) FROM licences GROUP BY application ORDER BY 1"))
        return [(number, count) for number, count in found]


def test_a_batch_seals_each_approved_application_once_though_it_is_cut_short(ctx: Context, workers: Workers) -> None:
    workers.start("w1")
    numbers = approved(ctx, 4)
    hand_in(ctx)  # not approved: not touched

    def cut(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        release_batch(ctx, SEALER, progress=cut)
    workers.kill("w1")
    told: list[int] = []
    released = release_batch(ctx, SEALER, progress=told.append)
    assert set(released.numbers) <= set(numbers) and len(told) == len(released.numbers)
    assert released.refused == ()
    workers.start("w2")
    until(lambda: not batch_progress(ctx, numbers).pending)
    assert batch_progress(ctx, numbers).sealed == 4
    assert issued(ctx) == [(number, 1) for number in numbers]
    assert release_batch(ctx, SEALER).numbers == ()


def test_a_batch_keeps_the_duties_apart_and_the_matter(ctx: Context, workers: Workers) -> None:
    workers.start("w1")
    (number,) = approved(ctx, 1)
    with pytest.raises(AccessError):
        release_batch(ctx, REVIEWER)
    assert release_batch(ctx, SEALER, matter="food_licence").numbers == ()
    assert release_batch(ctx, caller("sealer-9", "sealer", org="elsewhere")).numbers == ()
    same = caller(APPROVER.subject, "approver", "sealer")
    refused = release_batch(ctx, same)
    assert refused.numbers == ()
    assert [item[0] for item in refused.refused] == [number]
    assert "同一人" in refused.refused[0][1]


def run(settings: Settings, key: str, *arguments: str) -> tuple[int, Any]:
    env = {"DOCPROC_DATA_DIR": str(settings.data_dir), "DOCPROC_KEY": key}
    done = CliRunner().invoke(app, ["seal", "batch", *arguments, "--json"], env=env, catch_exceptions=False)
    return done.exit_code, json.loads(done.stdout)


def test_the_command_waits_for_the_sealer_and_tells_what_failed(
    ctx: Context, settings: Settings, workers: Workers
) -> None:
    key = create_key(ctx, ADMIN, "li", "office", ["sealer"])["key"]
    workers.start("w1")
    approved(ctx, 1)
    (settings.data_dir / "seal-revoked").touch()
    status, answer = run(settings, key, "--wait", "60")
    assert (status, answer["sealed"], answer["pending"]) == (1, 0, 0)
    assert "撤销" in answer["problems"][0]["reason"]
    (settings.data_dir / "seal-revoked").unlink()
    status, answer = run(settings, key, "--wait", "60")
    assert (status, answer["applications"]) == (0, 0), "what failed is not tried again unasked"
    status, answer = run(settings, key, "--wait", "60", "--retry-failed")
    assert (status, answer["applications"], answer["sealed"], answer["problems"]) == (0, 1, 1, [])
