"""How much waits in each queue, and for how long, of people and of batches apart."""

from __future__ import annotations

import time

from docproc.flow.context import Context
from docproc.flow.service import add_page, create_application
from tests.flow.people import KIOSK, hand_in
from tests.flow.small_stages import paper


def test_what_waits_is_told_by_queue_and_lane_with_its_age(ctx: Context) -> None:
    assert {(part.jobs, part.age_seconds) for part in ctx.jobs.waiting()} == {(0, 0.0)}
    hand_in(ctx, papers=[paper([], mark="1"), paper([], mark="2")])
    batch = str(create_application(ctx, KIOSK, "sole_trader", "batch")["number"])
    add_page(ctx, KIOSK, batch, paper([], mark="3"), filename="3.png")
    with ctx.database.write() as session:
        ctx.jobs.enqueue(session, "deliver_event", "later", 1, delay=3600)
    time.sleep(0.05)
    found = {(part.queue, part.lane): part for part in ctx.jobs.waiting()}
    assert {key: part.jobs for key, part in found.items() if part.jobs} == {
        ("read", "person"): 2,
        ("read", "batch"): 1,
        ("notify", "person"): 1,
    }
    assert 0.05 <= found["read", "batch"].age_seconds <= found["read", "person"].age_seconds < 60
    assert found["notify", "person"].age_seconds == 0  # its time has not come
    assert {queue for queue, _ in found} == {"read", "check", "seal", "notify"}
