"""The kiosk while a citizen works on an application: scanning, what is wrong, submission."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.kit.bodies.files import KioskScans
from api.kit.bodies.route import HeadFirst
from api.kit.bodies.spool import SpooledFile
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.qr import qr_svg
from api.kit.render import is_fragment, page
from api.kit.seats import AtWork
from api.pages.kiosk import read_back
from api.pages.kiosk.case_view import Case, build
from api.pages.kiosk.naming import Chosen, said_of
from api.v1.applications.applications import webp
from api.v1.matters.matters import MaterialId, Sheets, form_pdf
from api.v1.review import notice_pdf
from docproc.errors import InputError
from docproc.flow.accounts import seats
from docproc.flow.applications import applications, assigning, notices
from docproc.flow.applications.forms import Known, form_of_papers, known_of_papers
from docproc.flow.core import context
from docproc.lifecycle import OPEN_FOR_PAGES
from docproc.matter.load import find_matter

router = APIRouter(route_class=HeadFirst, prefix="/kiosk/case")
PageId = Annotated[str, Path(max_length=32)]
Back = Annotated[Literal["case", "review"], Form()]


def _case(ctx: context.Context, at_work: tuple[seats.Seat, str]) -> Case:
    view = applications.view_application(ctx, at_work[0].caller, at_work[1])
    return build(view, find_matter(view["matter"]))


def _known(ctx: context.Context, at_work: tuple[seats.Seat, str], case: Case) -> dict[str, list[Known]]:
    """For each form that is not there yet what the papers that are there say of it."""
    forms = [p.material.id for p in case.papers if p.material.kind == "form" and not p.have]
    found = {form: known_of_papers(ctx, at_work[0].caller, at_work[1], form) for form in forms if case.settled}
    return {form: known for form, known in found.items() if known}


@router.get("")
def case(request: Request, ctx: Ctx, at_work: AtWork) -> Response:
    """Scan, and see the list of papers fill itself."""
    found = _case(ctx, at_work)
    if found.view["status"] not in OPEN_FOR_PAGES:
        return RedirectResponse("/kiosk/case/done", 303)
    return page(request, "kiosk/case.html", case=found, known=_known(ctx, at_work, found))


@router.get("/status")
def status(request: Request, ctx: Ctx, at_work: AtWork) -> Response:
    """The part of the page that changes; asked for again until every file is read."""
    found = _case(ctx, at_work)
    return page(request, "kiosk/case_status.html", case=found, known=_known(ctx, at_work, found))


@router.get("/review")
def review(request: Request, ctx: Ctx, at_work: AtWork, pictures: Annotated[bool, Query()] = False) -> Response:
    """预审: everything that is missing or wrong, at once, each in its place."""
    found = _case(ctx, at_work)
    if found.view["status"] not in OPEN_FOR_PAGES:
        return RedirectResponse("/kiosk/case/done", 303)
    template = "kiosk/review_answer.html" if is_fragment(request) else "kiosk/review.html"
    return page(request, template, case=found, sheets=read_back.sheets(found.view, found.matter), pictures=pictures)


@router.post("/pages", dependencies=[Csrf])
async def upload(request: Request, ctx: Ctx, at_work: AtWork, files: KioskScans) -> Response:
    """Take files in; with ``replaces``, in place of one that was not good enough."""
    form = await request.form()
    replaces, material = str(form.get("replaces", "")), str(form.get("material", "")) or None
    back = "review" if form.get("back") == "review" else "case"
    if not files:
        raise InputError("no file was sent", message_zh="没有收到文件，请重新选择")
    await run_in_threadpool(_take, ctx, at_work, files, replaces, material)
    if is_fragment(request):
        return Response(status_code=204)
    return RedirectResponse("/kiosk/case/review" if back == "review" else "/kiosk/case", 303)


def _take(
    ctx: context.Context,
    at_work: tuple[seats.Seat, str],
    files: list[SpooledFile],
    replaces: str,
    material: str | None,
) -> None:
    here, number = at_work
    added = [
        applications.add_page(ctx, here.caller, number, file, filename=file.name, material=material)["id"]
        for file in files
    ]
    if replaces and replaces not in added:
        applications.remove_page(ctx, here.caller, number, replaces)


@router.post("/pages/{page_id}/remove", dependencies=[Csrf])
def remove(ctx: Ctx, at_work: AtWork, page_id: PageId, back: Back = "case") -> Response:
    """Take a file back."""
    applications.remove_page(ctx, at_work[0].caller, at_work[1], page_id)
    return RedirectResponse("/kiosk/case/review" if back == "review" else "/kiosk/case", 303)


@router.post("/pages/{page_id}/{index}/material", dependencies=[Csrf])
def name_page(
    ctx: Ctx,
    at_work: AtWork,
    page_id: PageId,
    index: Annotated[int, Path(ge=0, le=10_000)],
    said: Chosen,
    back: Back = "case",
) -> Response:
    """Say what a page is that was not recognised, or not as what it is."""
    assigning.assign_page(ctx, at_work[0].caller, at_work[1], page_id, index, said_of(said))
    return RedirectResponse("/kiosk/case/review" if back == "review" else "/kiosk/case", 303)


@router.get("/pages/{page_id}/{index}.webp")
def picture(
    ctx: Ctx,
    at_work: AtWork,
    page_id: PageId,
    index: Annotated[int, Path(ge=0, le=10_000)],
    size: Annotated[Literal["view", "thumb"], Query()] = "view",
) -> Response:
    """A page for the screen."""
    return webp(applications.page_preview(ctx, at_work[0].caller, at_work[1], page_id, index, thumb=size == "thumb"))


@router.get("/forms/{material}.pdf")
def known_form(ctx: Ctx, at_work: AtWork, material: MaterialId, sheets: Sheets = 1) -> Response:
    """A form with what the papers that were scanned before it say."""
    data = form_of_papers(ctx, at_work[0].caller, at_work[1], material, sheets)
    return form_pdf("application", material, data)


@router.get("/notice.pdf")
def notice(ctx: Ctx, at_work: AtWork) -> Response:
    """The sealed 一次性告知书 of an application that was returned."""
    return notice_pdf(at_work[1], notices.notice_file(ctx, at_work[0].caller, at_work[1]))


@router.post("/submit", dependencies=[Csrf])
def submit(ctx: Ctx, at_work: AtWork) -> Response:
    """Submit."""
    applications.submit(ctx, at_work[0].caller, at_work[1])
    return RedirectResponse("/kiosk/case/done", 303)


@router.get("/done")
def done(request: Request, ctx: Ctx, at_work: AtWork) -> Response:
    """The number, and how to follow it on the phone."""
    view = applications.view_application(ctx, at_work[0].caller, at_work[1])
    if view["status"] in OPEN_FOR_PAGES:
        return RedirectResponse("/kiosk/case", 303)
    address = f"{ctx.settings.public_url.rstrip('/')}/p/{view['follow_code']}"
    matter = find_matter(view["matter"])
    return page(request, "kiosk/done.html", view=view, matter=matter, address=address, qr=qr_svg(address))
