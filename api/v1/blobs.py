"""Links to files for a short time, and the files behind those that the service answers itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.kit.bodies.going_out import stored
from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Public, Who
from api.kit.problems import problems
from api.v1.applications.applications import Number as Application
from api.v1.applications.applications import PageId
from api.v1.licences import Number as Licence
from api.v1.schemas import blobs as schemas
from docproc.flow.blobs import links
from docproc.store.blobs.links import Link, attachment

router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["files"])
Key = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file")]


@router.post(
    "/applications/{number}/pages/{page_id}/link",
    status_code=201,
    response_model=schemas.FileLink,
    responses=problems(401, 403, 404),
    summary="Make a link to an uploaded file",
)
def page_link(number: Application, page_id: PageId, ctx: Ctx, who: Who) -> links.FileLink:
    """For who may download it; each link is logged. It lives `DOCPROC_LINK_SECONDS`."""
    return links.page_link(ctx, who, number, page_id)


@router.post(
    "/licences/{number}/link",
    status_code=201,
    response_model=schemas.FileLink,
    responses=problems(401, 403, 404),
    summary="Make a link to a sealed PDF",
)
def licence_link(number: Licence, ctx: Ctx, who: Who) -> links.FileLink:
    """For officials of the organisation that issued it; each link is logged."""
    return links.licence_link(ctx, who, number)


@router.post(
    "/wallet/{number}/link",
    status_code=201,
    response_model=schemas.FileLink,
    responses=problems(401, 403, 404),
    summary="Make a link to an own licence",
)
def wallet_link(number: Licence, ctx: Ctx, who: Who) -> links.FileLink:
    """Role: enterprise. Each link is logged."""
    return links.wallet_link(ctx, who, number)


@router.get(
    "/files/{key}",
    response_class=Response,
    dependencies=[Public],
    responses=problems(404, 422, 429),
    summary="Follow a link",
)
def follow(
    key: Key,
    ctx: Ctx,
    name: Annotated[str, Query(max_length=200)],
    kind: Annotated[str, Query(alias="type", max_length=100)],
    expires: Annotated[int, Query(ge=0, le=2**40)],
    signature: Annotated[str, Query(max_length=64)],
) -> Response:
    """The bytes, compared with their hash. Needs no key: the link is the permission. Wrong or over: 404."""
    data = links.linked_file(ctx, Link(key, name, kind, expires), signature)
    headers = {"Content-Disposition": attachment(name), "Cache-Control": "private, no-store"}
    headers["X-Content-Type-Options"] = "nosniff"
    return stored(data, kind, headers)
