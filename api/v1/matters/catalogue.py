"""Matters and editions for programs: files submitted, checked, and put in force by a second person from a day on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from api.kit.bodies.files import FILES_BODY, MatterFiles
from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who, may
from api.kit.dual_control import ChangeId, add_confirmation
from api.kit.problems import problems
from api.v1.schemas import matters as schemas
from docproc.errors import CatalogueError, InputError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.matters import catalogue

router = APIRouter(route_class=HeadFirst, prefix="/v1/catalogue", tags=["administration"])

Name = Annotated[str, Path(max_length=60)]
StartsOn = Annotated[date | None, Query(description="First day in force; default, and where it is over: today")]


class MatterFileError(InputError):
    """A file that was submitted breaks the catalogue's rules; the problem's title names file, line and remedy."""

    code = "catalogue"
    message_zh = "事项文件有误，请按指出的文件和行号修改后重新提交"


@contextmanager
def _judged() -> Iterator[None]:
    try:
        yield
    except CatalogueError as error:
        raise MatterFileError(str(error)) from error


@router.post(
    "/check",
    response_model=schemas.Checked,
    dependencies=[may("manage_matters")],
    responses=problems(401, 403, 413, 422),
    summary="Check matter files",
    openapi_extra=FILES_BODY,
)
async def check(ctx: Ctx, who: Who, files: MatterFiles, starts_on: StartsOn = None) -> catalogue.CheckedFiles:
    """Matter files, layouts or a zip of them, checked as they would be in force; nothing is kept. Role: admin.

    The problem of a wrong file names file, line and remedy.
    """
    with _judged():
        found = await run_in_threadpool(catalogue.examine, ctx, who, files, starts_on or ctx.today())
    return catalogue.checked_view(found)


@router.get(
    "/changes", response_model=list[schemas.CatalogueChange], responses=problems(401, 403), summary="Changes of matters"
)
def changes(ctx: Ctx, who: Who) -> list[catalogue.CatalogueChange]:
    """Those that wait first. Roles: admin, approver."""
    return catalogue.list_changes(ctx, who)


@router.post(
    "/changes",
    status_code=202,
    response_model=schemas.CatalogueChange,
    dependencies=[may("manage_matters")],
    responses=problems(401, 403, 409, 413, 422),
    summary="Propose a change",
    openapi_extra=FILES_BODY,
)
async def propose(
    ctx: Ctx, who: Who, files: MatterFiles, reason: Annotated[str, Query(max_length=500)], starts_on: StartsOn = None
) -> catalogue.CatalogueChange:
    """Takes effect from `starts_on` once another person confirms it. Role: admin."""
    with _judged():
        return await run_in_threadpool(catalogue.propose, ctx, who, files, starts_on or ctx.today(), reason)


@router.get(
    "/changes/{change_id}",
    response_model=schemas.ComparedChange,
    responses=problems(401, 403, 404),
    summary="One change",
)
def change(change_id: ChangeId, ctx: Ctx, who: Who) -> catalogue.ComparedChange:
    """Beside what is in force. Roles: admin, approver."""
    return catalogue.change(ctx, who, change_id)


def _close(ctx: Context, caller: Caller, change_id: str, *, refuse: bool) -> catalogue.CatalogueChange:
    with _judged():
        return catalogue.confirm(ctx, caller, change_id, refuse=refuse)


add_confirmation(router, _close, schemas.CatalogueChange, "admin, approver", 401, 403, 404, 409, 422)


@router.get(
    "/changes/{change_id}/forms/{matter}/{material}.pdf",
    response_class=Response,
    responses=problems(401, 403, 404, 409, 422),
    summary="Preview a form",
)
def preview(
    change_id: ChangeId,
    matter: Name,
    material: Name,
    ctx: Ctx,
    who: Who,
    edition: Annotated[str, Query(max_length=20)],
) -> Response:
    """A form as the change would have it. Roles: admin, approver."""
    data = catalogue.preview(ctx, who, change_id, matter, material, edition)
    return Response(data, media_type="application/pdf", headers={"Cache-Control": "no-store"})


@router.get(
    "/{matter}.toml", response_class=Response, responses=problems(401, 403, 422), summary="A matter file in force"
)
def source(matter: Name, ctx: Ctx, who: Who) -> Response:
    """To change and submit again. Roles: admin, approver."""
    headers = {"Content-Disposition": f'attachment; filename="{matter}.toml"'}
    return Response(catalogue.source(ctx, who, f"{matter}.toml"), media_type="text/plain", headers=headers)
