"""综合窗口: a clerk scans on behalf of an applicant, and papers come and go over the counter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, cast, get_args

import zxingcpp
from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from api.kit.bodies.files import CounterScans, Papers, fields
from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller, official_may
from api.kit.parsing.paid import paid
from api.kit.qr import qr_svg
from api.kit.render import is_fragment, page
from api.pages.kiosk.case_view import build
from api.pages.kiosk.naming import Chosen, said_of
from api.pages.office.review import Number, PageId
from api.v1.counter import ReceiptNumber, receipt_response
from docproc.errors import AccessError, BusyError, ConflictError, DocprocError, InputError, NotFoundError
from docproc.flow.applications import applications, assigning
from docproc.flow.applications.views import PaperResult
from docproc.flow.core import context
from docproc.flow.core.access import Caller
from docproc.flow.counter import custody, paper_check
from docproc.flow.counter.custody import Compared, Original
from docproc.flow.review import workbench
from docproc.matter.load import find_matter, load_catalogue
from docproc.matter.opening import opens

router = APIRouter(route_class=HeadFirst, prefix="/office/counter")
MOST_LISTED = 200
Name = Annotated[str, Form(max_length=80)]


@router.get("")
def start(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Begin for an applicant, or go on with one."""
    return _start(request, ctx, caller)


@router.post("", dependencies=[Csrf])
def begin(ctx: Ctx, caller: AsCaller, matter: Annotated[str, Form(max_length=60)]) -> Response:
    """Open an application on behalf of somebody."""
    number = applications.create_application(ctx, caller, matter, "counter")["number"]
    return RedirectResponse(f"/office/counter/{number}", 303)


@router.get("/find")
def find(request: Request, ctx: Ctx, caller: AsCaller, code: Annotated[str, Query(max_length=200)] = "") -> Response:
    """Go to what a hand scanner read."""
    try:
        return RedirectResponse(f"/office/counter/{custody.find_case(ctx, caller, code)}", 303)
    except NotFoundError as error:
        return _start(request, ctx, caller, error)


@router.get("/{number}")
def case(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Papers and what is wrong; the changing part alone when htmx asks."""
    return _case(request, ctx, caller, number)


@router.post("/{number}/pages", dependencies=[official_may("upload"), Csrf])
async def upload(ctx: Ctx, caller: AsCaller, number: Number, files: CounterScans) -> Response:
    """Take scans in."""
    if not files:
        raise InputError("no file was sent", message_zh="没有收到文件，请重新选择")
    for file in files:
        await run_in_threadpool(applications.add_page, ctx, caller, number, file, filename=file.name)
    return RedirectResponse(f"/office/counter/{number}", 303)


@router.post("/{number}/pages/{page_id}/remove", dependencies=[Csrf])
def remove(ctx: Ctx, caller: AsCaller, number: Number, page_id: PageId) -> Response:
    """Take a scan back."""
    applications.remove_page(ctx, caller, number, page_id)
    return RedirectResponse(f"/office/counter/{number}", 303)


@router.post("/{number}/pages/{page_id}/{index}/material", dependencies=[Csrf])
def name_page(
    ctx: Ctx,
    caller: AsCaller,
    number: Number,
    page_id: PageId,
    index: Annotated[int, Path(ge=0, le=10_000)],
    said: Chosen,
) -> Response:
    """Say what a page is that was not recognised, or not as what it is."""
    caller.require("upload")
    assigning.assign_page(ctx, caller, number, page_id, index, said_of(said))
    return RedirectResponse(f"/office/counter/{number}", 303)


@router.post("/{number}/submit", dependencies=[Csrf])
def submit(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Submit, then print the receipt."""
    try:
        applications.submit(ctx, caller, number)
    except DocprocError as error:
        return _case(request, ctx, caller, number, error)
    return RedirectResponse(f"/office/counter/{number}/receipt", 303)


@router.get("/{number}/receipt")
def receipt(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """收件回执 to print: what was submitted, a barcode of the number, a QR code to follow it."""
    caller.require("create")
    view = applications.view_application(ctx, caller, number)
    if view["submitted_at"] is None:
        return RedirectResponse(f"/office/counter/{number}", 303)
    matter = find_matter(view["matter"])
    address = custody.receipt_address(ctx, caller, number)
    case = build(view, matter)
    return page(
        request,
        "office/receipt.html",
        case=case,
        view=view,
        matter=matter,
        bars=bars(number),
        qr=qr_svg(address),
        address=address,
    )


@router.post("/{number}/originals", dependencies=[fields(300), Csrf])
async def receive(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Record the originals that are deposited here."""
    form = await request.form()
    try:
        items = [Original(str(key), int(str(form.get(f"copies-{key}", "1")) or 1)) for key in form.getlist("material")]
    except ValueError as error:
        raise InputError("copies is a number", message_zh="份数请填数字") from error
    note = str(form.get("note", ""))[:500]

    def work() -> object:
        return custody.receive_originals(ctx, caller, number, items, note)

    return await run_in_threadpool(_done, request, ctx, caller, number, work)


@router.get("/{number}/originals/{receipt}.pdf")
def receipt_pdf(ctx: Ctx, caller: AsCaller, number: Number, receipt: ReceiptNumber) -> Response:
    """Their receipt, to print."""
    return receipt_response(receipt, custody.receipt_pdf(ctx, caller, number, receipt))


@router.post("/{number}/originals/{receipt}/return", dependencies=[Csrf])
def give_back(
    request: Request, ctx: Ctx, caller: AsCaller, number: Number, receipt: ReceiptNumber, to: Name = ""
) -> Response:
    """Give them back."""
    return _done(request, ctx, caller, number, lambda: custody.return_originals(ctx, caller, number, receipt, to))


@router.post("/{number}/papers/begin", dependencies=[Csrf])
def begin_comparing(ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Show the scans to compare paper with; the audit log keeps who asked."""
    caller.require("counter")
    workbench.show_all(ctx, caller, number)
    return RedirectResponse(f"/office/counter/{number}/papers", 303)


@router.get("/{number}/papers")
def papers(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Scans, one beside the other's paper."""
    return _papers(request, ctx, caller, number)


@router.post("/{number}/papers/check", dependencies=[official_may("counter"), Csrf])
async def check_papers(request: Request, ctx: Ctx, caller: AsCaller, number: Number, papers: Papers) -> Response:
    """Look for differences by machine."""
    files = [data for _, data in papers]

    try:
        checked = await paid(request, "papers", caller, paper_check.check_papers, ctx, caller, number, files)
    except (InputError, BusyError) as error:
        return await run_in_threadpool(_papers, request, ctx, caller, number, error)
    return await run_in_threadpool(partial(_papers, checked=checked), request, ctx, caller, number)


@router.post("/{number}/papers", dependencies=[fields(2000), Csrf])
async def compare(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Record what was found."""
    form = await request.form()
    found = []
    for key in form.getlist("page"):
        page_id, _, index = str(key).partition(".")
        result = str(form.get(f"result-{key}", ""))
        if not index.isdecimal() or len(index) > 6 or result not in get_args(PaperResult):
            raise InputError("the form is not one of ours", message_zh="请逐页选择核对结果")
        scanned, note = (str(form.get(f"{name}-{key}", ""))[:500] for name in ("scanned", "note"))
        found.append(Compared(page_id, int(index), cast(PaperResult, result), scanned, note))

    def work() -> Response:
        try:
            custody.compare(ctx, caller, number, found)
        except InputError as error:
            return _papers(request, ctx, caller, number, error)
        return RedirectResponse(f"/office/counter/{number}", 303)

    return await run_in_threadpool(work)


@router.post("/{number}/handover", dependencies=[Csrf])
def hand_over(request: Request, ctx: Ctx, caller: AsCaller, number: Number, code: Name = "", to: Name = "") -> Response:
    """Hand the licence over."""
    return _done(request, ctx, caller, number, lambda: custody.hand_over(ctx, caller, number, code, to))


def bars(text: str) -> Markup:
    """A Code 128 barcode (ISO/IEC 15417) as an SVG element; the number is printed below it by the page."""
    svg = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_svg(add_hrt=False)
    return Markup(svg[svg.index("<svg") :])  # holds squares and no text of ours


def _start(request: Request, ctx: context.Context, caller: Caller, error: DocprocError | None = None) -> Response:
    caller.require("create")
    found = applications.list_applications(ctx, caller, limit=MOST_LISTED)
    mine = [view for view in reversed(found) if view["channel"] == "counter"]
    matters = [m for m in load_catalogue().values() if opens(m, ctx.today(), caller.org)]
    return page(
        request,
        "office/counter.html",
        404 if error is not None else 200,
        mine=mine,
        matters=matters,
        find_matter=find_matter,
        said=error.message_zh if error is not None else None,
    )


def _done(request: Request, ctx: context.Context, caller: Caller, number: str, work: Callable[[], object]) -> Response:
    """Do one thing with the papers; what forbids it stands above the page."""
    try:
        work()
    except (InputError, ConflictError, AccessError) as error:
        if isinstance(error, AccessError) and "pickup" not in error.code:
            raise
        return _case(request, ctx, caller, number, error)
    return RedirectResponse(f"/office/counter/{number}", 303)


def _papers(
    request: Request,
    ctx: context.Context,
    caller: Caller,
    number: str,
    error: DocprocError | None = None,
    checked: paper_check.PapersCheck | None = None,
) -> Response:
    """The pages, each with what the machine found: just now with pictures, or last time."""
    caller.require("counter")
    view = applications.view_application(ctx, caller, number)
    case = build(view, find_matter(view["matter"]))
    said = error.message_zh if error is not None else None
    status = 200 if error is None else 503 if isinstance(error, BusyError) else 422
    steps = custody.chain_of_custody(ctx, caller, number)
    checks = [step["detail"]["pages"] for step in steps if step["kind"] == "checked"]
    checks += [checked["sheets"]] if checked else []
    found = {f"{page_id}.{index}": item for (page_id, index), item in paper_check.checked_so_far(checks).items()}
    left = checked["left"] if checked else []
    shows = workbench.sight(ctx, caller, number).asked
    told = {"case": case, "view": view, "said": said, "shows": shows, "found": found, "left": left}
    return page(request, "office/counter_papers.html", status, **told)


def _case(
    request: Request, ctx: context.Context, caller: Caller, number: str, error: DocprocError | None = None
) -> Response:
    caller.require("create")
    view = applications.view_application(ctx, caller, number)
    case = build(view, find_matter(view["matter"]))
    template = "office/counter_status.html" if is_fragment(request) else "office/counter_case.html"
    said = error.message_zh if error is not None else None
    status = 200 if error is None else 422 if isinstance(error, InputError) else 409
    steps = custody.chain_of_custody(ctx, caller, number)
    return page(request, template, status, case=case, view=view, said=said, steps=steps)
