"""The kiosk before and after an application: signing in, choosing a matter, its guide, going on, leaving."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.front.address import client_address
from api.kit.front.cookies import read_cookie, take_cookie
from api.kit.front.credentials import guess, guessing
from api.kit.render import page
from api.kit.seats import LEAVING, Kiosk, find_seat, sign_in, sign_out
from api.v1.matters.matters import MaterialId, MatterId, Sheets, form_pdf
from docproc.errors import DocprocError, NotFoundError
from docproc.flow.accounts import seats
from docproc.flow.applications import applications, forms
from docproc.flow.core.context import Context
from docproc.flow.kiosks import kiosks
from docproc.matter.load import find_matter, load_catalogue
from docproc.matter.opening import opens, why_closed

router = APIRouter(route_class=HeadFirst, prefix="/kiosk")
Word = Annotated[str, Form(max_length=200)]


@router.get("")
def start(request: Request, ctx: Ctx) -> Response:
    """Choose a matter; or, on a browser that is no kiosk yet, enter its key."""
    here = find_seat(request, ctx, "kiosk")
    if here is None:
        return page(request, "kiosk/device.html", said=None)
    if here.application is not None:
        return RedirectResponse("/kiosk/case", 303)
    matters = [m for m in load_catalogue().values() if opens(m, ctx.today(), here.caller.org)]
    response = page(request, "kiosk/start.html", matters=matters)
    if read_cookie(request, LEAVING):
        take_cookie(request, response, LEAVING, path="/kiosk")
    return response


@router.post("/device", dependencies=[Csrf])
def device(request: Request, ctx: Ctx, key: Word) -> Response:
    """Make this browser a kiosk."""
    return sign_in(request, ctx, "kiosk", key, "kiosk/device.html")


@router.post("/device/end", dependencies=[Csrf])
def end(request: Request, here: Kiosk, ctx: Ctx, key: Word) -> Response:
    """Make it an ordinary browser again; its keeper shows the key, so that no visitor can do this."""
    seats.sign_in(ctx, key, "kiosk", client_address(request))
    seats.leave(ctx, here)
    return sign_out(request, ctx, here, "kiosk")


@router.get("/matters/{matter}")
def guide(request: Request, matter: str, ctx: Ctx, here: Kiosk) -> Response:
    """办事指南."""
    return _guide(request, ctx, here, matter)


@router.get("/matters/{matter}/forms/{material}.pdf")
def known_form(
    request: Request,
    ctx: Ctx,
    here: Kiosk,
    matter: MatterId,
    material: MaterialId,
    licence: Annotated[str, Query(max_length=200)] = "",
    sheets: Sheets = 1,
) -> Response:
    """A form with what the visitor's licence says in it."""
    try:
        with guessing(request, licence):
            return form_pdf(matter, material, forms.form_by_licence(ctx, matter, material, licence, sheets))
    except NotFoundError as error:
        return _guide(request, ctx, here, matter, error)


@router.post("/matters/{matter}/forms/{material}.pdf", dependencies=[Csrf])
def form_by_receipt(
    request: Request, ctx: Ctx, here: Kiosk, matter: MatterId, material: MaterialId, code: Word, number: Word
) -> Response:
    """A form with what an earlier application of the visitor said; the code is posted, for addresses are logged."""
    try:
        with guessing(request, code):
            return form_pdf(matter, material, forms.form_by_follow(ctx, here.caller, matter, material, code, number))
    except NotFoundError as error:
        return _guide(request, ctx, here, matter, error)


def _guide(
    request: Request, ctx: Context, here: seats.Seat, matter: str, error: NotFoundError | None = None
) -> Response:
    spec, today = find_matter(matter), ctx.today()
    closed = why_closed(spec, today, here.caller.org)
    values = {
        "matter": spec,
        "laws": [*spec.basis_in_force(today), *(item for item in spec.common_basis if item.in_force(today))],
        "closed": closed.message_zh if closed is not None else None,
        "said": error.message_zh if error is not None else None,
    }
    return page(request, "kiosk/guide.html", 200 if error is None else 404, **values)


@router.post("/open", dependencies=[Csrf])
def open_case(here: Kiosk, ctx: Ctx, matter: Word) -> Response:
    """Begin an application."""
    made = applications.create_application(ctx, here.caller, matter, "kiosk")
    seats.hold(ctx, here, made["number"])
    return RedirectResponse("/kiosk/case", 303)


@router.get("/resume")
def resume_form(request: Request, here: Kiosk) -> Response:
    """Go on with an application that was returned."""
    return page(request, "kiosk/resume.html", said=None)


@router.post("/resume", dependencies=[Csrf])
def resume(request: Request, here: Kiosk, ctx: Ctx, code: Word) -> Response:
    """Go on by the code on the receipt."""
    tried = guess(request, code)
    try:
        seats.resume(ctx, here, code)
    except DocprocError as error:
        tried.wrong()
        return page(request, "kiosk/resume.html", 422, said=error.message_zh)
    tried.good()
    return RedirectResponse("/kiosk/case", 303)


@router.post("/leave", dependencies=[Csrf])
def leave(request: Request, here: Kiosk, ctx: Ctx) -> Response:
    """Forget the citizen: at the service and, where the browser does as it is told, all that it kept of the pages."""
    seats.leave(ctx, here)
    response = RedirectResponse("/kiosk", 303, {"Clear-Site-Data": '"cache", "storage"'})
    take_cookie(request, response, LEAVING, path="/kiosk")
    return response


@router.post("/line", dependencies=[Csrf], status_code=204)
def line(
    here: Kiosk,
    ctx: Ctx,
    waiting: Annotated[int, Form(ge=0, le=10_000)],
    oldest_seconds: Annotated[int, Form(ge=0, le=366 * 86400)] = 0,
) -> Response:
    """What waits for the line here; reported by the page when it changes and each minute while something waits."""
    kiosks.report_line(ctx, here.caller, waiting, oldest_seconds)
    return Response(status_code=204)


@router.get("/offline")
def offline(request: Request) -> Response:
    """What the browser shows in place of a page while the line is down; it says nothing of anybody."""
    return page(request, "kiosk/offline.html")
