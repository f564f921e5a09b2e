"""The seal registry: list, propose, confirm."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who
from api.kit.dual_control import add_confirmation
from api.kit.problems import problems
from api.v1.schemas import seals as schemas
from docproc.flow.seals import registry
from docproc.flow.seals.new_seal import NewSeal

router = APIRouter(route_class=HeadFirst, prefix="/v1/seals", tags=["seals"])

Name = Annotated[str, Path(max_length=60, description="Name of the seal, as in the matter files")]


@router.get("", response_model=schemas.Registry, responses=problems(401, 403), summary="List seals")
def listing(ctx: Ctx, who: Who) -> registry.Registry:
    """With the changes that wait for a second person. Roles: approver, sealer, auditor."""
    return registry.list_seals(ctx, who)


@router.post(
    "",
    status_code=202,
    response_model=schemas.ChangeView,
    responses=problems(401, 403, 409, 422),
    summary="Propose a seal",
)
def add(body: schemas.NewSeal, ctx: Ctx, who: Who) -> registry.SealChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    given = body.model_dump(exclude={"reason", "diameter_mm", "licence_kinds"})
    new = NewSeal(**given, diameter=body.diameter_mm, licence_kinds=tuple(body.licence_kinds))
    return registry.propose_seal(ctx, who, new, body.reason)


@router.get(
    "/{name}/record", response_class=Response, responses=problems(401, 403, 404), summary="Seal object by GB/T 38540"
)
def record(name: Name, ctx: Ctx, who: Who) -> Response:
    """What the seal's maker signed, DER. Roles: approver, sealer, auditor."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.esl"'}
    return Response(registry.seal_record(ctx, who, name), media_type="application/octet-stream", headers=headers)


@router.post(
    "/{name}/changes",
    status_code=202,
    response_model=schemas.ChangeView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Propose to suspend or resume",
)
def change(name: Name, body: schemas.NewChange, ctx: Ctx, who: Who) -> registry.SealChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    return registry.propose_change(ctx, who, name, body.action, body.reason)


add_confirmation(router, registry.confirm_change, schemas.ChangeView, "approver, sealer", 401, 403, 404, 409)
