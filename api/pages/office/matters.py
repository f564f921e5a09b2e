"""Matters and editions: what is in force, files submitted and checked, and the second person's word."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from api.kit.bodies.files import MatterFiles
from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx
from api.kit.official import AsCaller, official_may
from api.kit.render import HEADERS, page
from docproc.errors import AccessError, CatalogueError, DocprocError, InputError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.matters import catalogue
from docproc.matter.load import load_catalogue
from docproc.matter.opening import why_closed

router = APIRouter(route_class=HeadFirst, prefix="/office/matters")
Id = Annotated[str, Path(max_length=16)]
Name = Annotated[str, Path(max_length=60)]


@router.get("")
def listing(request: Request, ctx: Ctx, caller: AsCaller) -> Response:
    """The catalogue in force, and changes of it."""
    return _shown(request, ctx, caller)


@router.post("", dependencies=[official_may("manage_matters"), Csrf])
async def hand_in(request: Request, ctx: Ctx, caller: AsCaller, files: MatterFiles) -> Response:
    """Check files, and with ``propose`` keep them for a second person."""
    form, sent = await request.form(), [(name, data) for name, data in files if name]
    return await run_in_threadpool(_handed_in, request, ctx, caller, sent, form)


@router.get("/changes/{change_id}")
def change(request: Request, ctx: Ctx, caller: AsCaller, change_id: Id) -> Response:
    """What a change says, beside what is in force."""
    found = catalogue.change(ctx, caller, change_id)
    return page(request, "office/matter_change.html", change=found, said=None)


@router.post("/changes/{change_id}", dependencies=[Csrf])
def confirm(request: Request, ctx: Ctx, caller: AsCaller, change_id: Id, to: Annotated[bool, Form()]) -> Response:
    """Put a change in force, or refuse it."""
    try:
        catalogue.confirm(ctx, caller, change_id, refuse=not to)
    except DocprocError as error:
        if isinstance(error, AccessError) and error.code != "same_person":
            raise
        found, said = catalogue.change(ctx, caller, change_id), error.message_zh
        if isinstance(error, CatalogueError):
            said = str(error)
        return page(request, "office/matter_change.html", 409, change=found, said=said)
    return RedirectResponse("/office/matters", 303)


@router.get("/changes/{change_id}/{matter}/{material}.pdf")
def preview(
    ctx: Ctx,
    caller: AsCaller,
    change_id: Id,
    matter: Name,
    material: Name,
    edition: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """A form as the change would have it."""
    return Response(
        catalogue.preview(ctx, caller, change_id, matter, material, edition),
        media_type="application/pdf",
        headers={"Cache-Control": "no-store"},
    )


@router.get("/{matter}.toml")
def source(ctx: Ctx, caller: AsCaller, matter: Name) -> Response:
    """The matter file in force, to change and submit again."""
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{matter}.toml"'}
    return Response(catalogue.source(ctx, caller, f"{matter}.toml"), media_type="text/plain", headers=headers)


def _handed_in(
    request: Request, ctx: Context, caller: Caller, sent: list[tuple[str, bytes]], form: FormData
) -> Response:
    try:
        day = date.fromisoformat(str(form.get("starts_on") or ctx.today().isoformat()))
    except ValueError:
        raise InputError("starts_on is no date", message_zh="日期格式不正确") from None
    try:
        if form.get("do") == "propose":
            catalogue.propose(ctx, caller, sent, day, str(form.get("reason", "")))
            return RedirectResponse("/office/matters", 303)
        return _shown(request, ctx, caller, linted=catalogue.examine(ctx, caller, sent, day).matters)
    except CatalogueError as error:
        return _shown(request, ctx, caller, 422, fault=error)
    except DocprocError as error:
        return _shown(request, ctx, caller, 422, said=error.message_zh)


def _shown(request: Request, ctx: Context, caller: Caller, status: int = 200, **more: Any) -> Response:
    changes = catalogue.list_changes(ctx, caller)
    values = {"linted": None, "fault": None, "said": None, "today": ctx.today().isoformat(), **more}
    matters = load_catalogue().values()
    reasons = {matter.id: why_closed(matter, ctx.today()) for matter in matters}
    values["closed"] = {key: reason.message_zh for key, reason in reasons.items() if reason is not None}
    return page(request, "office/matters.html", status, matters=matters, changes=changes, caller=caller, **values)
