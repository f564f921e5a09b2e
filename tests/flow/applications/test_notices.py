"""一次性告知书: sealed after the decision, tried again while the TSA is down, never in the way of the correction."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from docproc.errors import AccessError, ConflictError, NotFoundError
from docproc.flow.applications.applications import submit, view_application
from docproc.flow.applications.notices import notice_by_code, notice_file, seal_again
from docproc.flow.applications.progress import follow
from docproc.flow.audit import proof
from docproc.flow.core.context import Context
from docproc.flow.licences.verification import StoredRegister
from docproc.flow.review.decisions import decide
from docproc.flow.upkeep.retention import sweep
from docproc.store.applications import applications
from tests.flow.people import (
    KIOSK,
    OTHER_REVIEWER,
    REVIEWER,
    SEALER,
    Workers,
    caller,
    receipt_code,
    seen,
    submitted,
    until,
)

REASON = "1. 租赁合同：缺少出租人签字（民法典第七百零七条）"


def returned(ctx: Context) -> str:
    view = submitted(ctx)
    decide(ctx, REVIEWER, view["number"], "return", seen(view), reason=REASON, basis="行政许可法第三十二条")
    return str(view["number"])


def state(ctx: Context, number: str) -> str:
    return str(view_application(ctx, KIOSK, number)["notice"]["state"])


def test_a_notice_is_sealed_once_the_tsa_is_back_and_the_applicant_waits_for_nothing(
    ctx: Context, workers: Workers
) -> None:
    down = Path(ctx.settings.data_dir) / "tsa-down"
    down.touch()
    workers.start("w1")
    number = returned(ctx)
    until(lambda: state(ctx, number) == "waiting")
    code = receipt_code(ctx, number)
    assert follow(ctx, code)["reason"] == REASON, "told without the seal"
    for ask in (lambda: notice_file(ctx, KIOSK, number), lambda: notice_by_code(ctx, code)):
        with pytest.raises(NotFoundError):
            ask()
    submit(ctx, KIOSK, number)
    down.unlink()
    until(lambda: state(ctx, number) == "sealed")
    sealed = notice_by_code(ctx, code)
    assert sealed == notice_file(ctx, REVIEWER, number) and REASON in sealed.decode(errors="ignore")
    known = StoredRegister(ctx).by_sha256(hashlib.sha256(sealed).hexdigest())
    assert known is not None and (known.number, known.status) == (f"{number}-BZ1", "valid")
    assert StoredRegister(ctx).by_number(f"{number}-BZ1") == known
    with pytest.raises(NotFoundError):
        notice_file(ctx, caller("kiosk-9", "kiosk"), number)
    view = view_application(ctx, REVIEWER, number)
    decide(ctx, OTHER_REVIEWER, number, "return", seen(view), reason="2. 另一处")
    until(lambda: view_application(ctx, KIOSK, number)["notice"]["number"] == f"{number}-BZ2")
    until(lambda: state(ctx, number) == "sealed")
    assert proof.prove(ctx, None).problems == []


def test_a_notice_that_failed_is_sealed_when_somebody_asks_again(ctx: Context, workers: Workers) -> None:
    revoked = Path(ctx.settings.data_dir) / "seal-revoked"
    revoked.touch()
    workers.start("w1")
    number = returned(ctx)
    until(lambda: state(ctx, number) == "failed")
    assert view_application(ctx, KIOSK, number)["notice"]["note"] == "印章证书已撤销"
    revoked.unlink()
    with pytest.raises(AccessError):
        seal_again(ctx, SEALER, number)
    assert seal_again(ctx, REVIEWER, number)["state"] == "queued"
    until(lambda: state(ctx, number) == "sealed")
    with pytest.raises(ConflictError):
        seal_again(ctx, REVIEWER, number)


def test_a_notice_goes_with_the_application_that_is_erased_by_rule(ctx: Context, workers: Workers) -> None:
    workers.start("w1")
    number = returned(ctx)
    until(lambda: state(ctx, number) == "sealed")
    digest = hashlib.sha256(notice_file(ctx, KIOSK, number)).hexdigest()
    with ctx.database.write() as session:
        row = applications.find_application(session, number)
        row.updated_at = row.updated_at.replace(year=2000)
    assert sweep(ctx).applications == 1
    assert state(ctx, number) == "erased" and StoredRegister(ctx).by_sha256(digest) is None
    assert proof.prove(ctx, None).problems == []
