"""综合窗口: originals, paper against scans, hand-over of the result."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from starlette.concurrency import run_in_threadpool

from api.kit.bodies.files import FILES_BODY, Papers
from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who, may
from api.kit.problems import problems
from api.v1.applications.applications import Number
from api.v1.schemas import counter as schemas
from docproc.flow.counter import custody, paper_check
from docproc.flow.counter.custody import Compared, CustodyStep, Original
from docproc.flow.counter.paper_check import PapersCheck

router = APIRouter(route_class=HeadFirst, prefix="/v1/applications/{number}", tags=["counter"])
ReceiptNumber = Annotated[str, Path(max_length=80)]
_PROBLEMS = problems(401, 403, 404, 409, 422)


@router.post(
    "/originals", status_code=201, response_model=schemas.CustodyStep, responses=_PROBLEMS, summary="Receive originals"
)
def receive(number: Number, body: schemas.Originals, ctx: Ctx, who: Who) -> CustodyStep:
    """Record which papers are deposited at the counter; the answer names their receipt. Role: clerk."""
    items = [Original(item.material, item.copies) for item in body.items]
    return custody.receive_originals(ctx, who, number, items, body.note)


@router.get(
    "/originals/{receipt}.pdf", response_class=Response, responses=problems(401, 403, 404), summary="Print a receipt"
)
def receipt(number: Number, receipt: ReceiptNumber, ctx: Ctx, who: Who) -> Response:
    """收件凭证 as PDF, with a barcode (Code 128) of its number."""
    return receipt_response(receipt, custody.receipt_pdf(ctx, who, number, receipt))


@router.post(
    "/originals/{receipt}/return", response_model=schemas.CustodyStep, responses=_PROBLEMS, summary="Return originals"
)
def give_back(number: Number, receipt: ReceiptNumber, body: schemas.Receiver, ctx: Ctx, who: Who) -> CustodyStep:
    """Once for each receipt."""
    return custody.return_originals(ctx, who, number, receipt, body.to)


@router.post(
    "/papers",
    response_model=schemas.PapersCheck,
    dependencies=[may("counter")],
    responses=problems(401, 403, 404, 409, 413, 415, 422, 503),
    summary="Look for differences between paper and scans",
    openapi_extra=FILES_BODY,
)
async def check_papers(number: Number, ctx: Ctx, who: Who, uploads: Papers) -> PapersCheck:
    """Fresh scans of the paper, sheets in any order: each is found among the application's pages and laid over it.

    What the paper is found to be, a clerk says afterwards. The fresh scans are not kept. Role: clerk.
    """
    return await run_in_threadpool(paper_check.check_papers, ctx, who, number, [data for _, data in uploads])


@router.post(
    "/comparisons",
    status_code=201,
    response_model=schemas.CustodyStep,
    responses=_PROBLEMS,
    summary="Hold paper against the scans",
)
def compare(number: Number, body: schemas.Comparison, ctx: Ctx, who: Who) -> CustodyStep:
    """For paper that arrives later. A form whose QR code is not that of the scan is never a match."""
    found = [Compared(item.page_id, item.index, item.result, item.scanned, item.note) for item in body.pages]
    return custody.compare(ctx, who, number, found)


@router.post(
    "/handover",
    status_code=201,
    response_model=schemas.CustodyStep,
    responses=_PROBLEMS,
    summary="Hand the result over",
)
def hand_over(number: Number, body: schemas.Pickup, ctx: Ctx, who: Who) -> CustodyStep:
    """To who knows the pick-up code, once; after five wrong codes none is taken for twelve hours."""
    return custody.hand_over(ctx, who, number, body.code, body.to)


@router.get(
    "/custody",
    response_model=list[schemas.CustodyStep],
    responses=problems(401, 403, 404),
    summary="Way of the papers",
    name="custody",
)
def way_of_papers(number: Number, ctx: Ctx, who: Who) -> list[CustodyStep]:
    """Every step over the counter, the oldest first."""
    return custody.chain_of_custody(ctx, who, number)


def receipt_response(receipt: str, data: bytes) -> Response:
    """A receipt to print."""
    headers = {"Content-Disposition": f'inline; filename="{receipt}.pdf"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/pdf", headers=headers)
