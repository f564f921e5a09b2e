"""综合窗口: a clerk scans on behalf of an applicant and prints the receipt."""

from __future__ import annotations

from typing import Annotated

import zxingcpp
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from api.deps import Ctx
from api.pages.case_view import build
from api.pages.csrf import Csrf
from api.pages.official import AsCaller
from api.pages.qr import qr_svg
from api.pages.render import is_fragment, page
from api.pages.review import Number, PageId
from docproc.errors import DocprocError, InputError
from docproc.flow import service
from docproc.flow.access import Caller
from docproc.matter import find_matter, load_catalogue

router = APIRouter(prefix="/office/counter")
MOST_FILES = 40
MOST_LISTED = 200


@router.get("")
def start(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """Begin for an applicant, or go on with one."""
    caller.require("create")
    found = service.list_applications(ctx, caller, limit=MOST_LISTED)
    mine = [view for view in reversed(found) if view["channel"] == "counter"]
    matters = [m for m in load_catalogue().values() if m.status == "active"]
    return page(request, "office/counter.html", mine=mine, matters=matters, find_matter=find_matter)


@router.post("", dependencies=[Csrf])
def begin(ctx: Ctx, caller: AsCaller, matter: Annotated[str, Form(max_length=60)]) -> Response:
    """Open an application on behalf of somebody."""
    number = service.create_application(ctx, caller, matter, "counter")["number"]
    return RedirectResponse(f"/office/counter/{number}", 303)


@router.get("/{number}")
def case(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Papers and what is wrong; the changing part alone when htmx asks."""
    return _case(request, ctx, caller, number)


@router.post("/{number}/pages", dependencies=[Csrf])
async def upload(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Take scans in."""
    caller.require("upload")  # before the body is read
    async with request.form(max_files=MOST_FILES, max_fields=8) as form:
        files = [
            (await item.read(), item.filename or "")
            for item in form.getlist("file")
            if isinstance(item, UploadFile) and item.filename
        ]
    if not files:
        raise InputError("no file was sent", message_zh="没有收到文件，请重新选择")
    for data, name in files:
        await run_in_threadpool(service.add_page, ctx, caller, number, data, filename=name)
    return RedirectResponse(f"/office/counter/{number}", 303)


@router.post("/{number}/pages/{page_id}/remove", dependencies=[Csrf])
def remove(ctx: Ctx, caller: AsCaller, number: Number, page_id: PageId) -> Response:
    """Take a scan back."""
    service.remove_page(ctx, caller, number, page_id)
    return RedirectResponse(f"/office/counter/{number}", 303)


@router.post("/{number}/submit", dependencies=[Csrf])
def submit(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """Hand in, then print the receipt."""
    try:
        service.submit(ctx, caller, number)
    except DocprocError as error:
        return _case(request, ctx, caller, number, error)
    return RedirectResponse(f"/office/counter/{number}/receipt", 303)


@router.get("/{number}/receipt")
def receipt(request: Request, ctx: Ctx, caller: AsCaller, number: Number) -> Response:
    """收件回执 to print: what was handed in, a barcode of the number, a QR code to follow it."""
    caller.require("create")
    view = service.view_application(ctx, caller, number)
    if view["submitted_at"] is None:
        return RedirectResponse(f"/office/counter/{number}", 303)
    matter = find_matter(view["matter"])
    address = f"{ctx.settings.public_url.rstrip('/')}/p/{view['follow_code']}"
    return page(
        request, "office/receipt.html", case=build(view, matter), view=view, matter=matter, bars=bars(number),
        qr=qr_svg(address), address=address,
    )  # fmt: skip


def bars(text: str) -> Markup:
    """A Code 128 barcode (ISO/IEC 15417) as an SVG element; the number is printed below it by the page."""
    svg = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128).to_svg(add_hrt=False)
    return Markup(svg[svg.index("<svg") :])  # holds squares and no text of ours


def _case(
    request: Request, ctx: service.Context, caller: Caller, number: str, error: DocprocError | None = None
) -> Response:
    caller.require("create")
    view = service.view_application(ctx, caller, number)
    case = build(view, find_matter(view["matter"]))
    template = "office/counter_status.html" if is_fragment(request) else "office/counter_case.html"
    said = error.message_zh if error is not None else None
    return page(request, template, 409 if error is not None else 200, case=case, view=view, said=said)
