"""The trust list for programs: whose seals are recognised beside our own, each change by two persons."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who
from api.kit.dual_control import add_confirmation
from api.kit.problems import problems
from api.v1.schemas import trust_list as schemas
from docproc.flow.seals import trust_list

router = APIRouter(route_class=HeadFirst, prefix="/v1/trust", tags=["seals"])

Root = Annotated[str, Path(max_length=64, description="SHA-256 of the root, hexadecimal")]


@router.get("", response_model=schemas.TrustView, responses=problems(401, 403), summary="Trust list")
def listing(ctx: Ctx, who: Who) -> trust_list.TrustView:
    """With the changes that wait for a second person. Roles: approver, sealer, auditor."""
    return trust_list.list_roots(ctx, who)


@router.post(
    "",
    status_code=202,
    response_model=schemas.TrustChange,
    responses=problems(401, 403, 409, 422),
    summary="Propose a root",
)
def add(body: schemas.NewRoot, ctx: Ctx, who: Who) -> trust_list.TrustChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    new = trust_list.NewRoot(
        body.certificates.encode(), body.name, tuple(body.authorities), tuple(body.use), body.valid_from, body.valid_to
    )
    return trust_list.propose_root(ctx, who, new, body.reason)


@router.post(
    "/{root}/removal",
    status_code=202,
    response_model=schemas.TrustChange,
    responses=problems(401, 403, 404, 409, 422),
    summary="Propose to remove a root",
)
def remove(root: Root, body: schemas.Removal, ctx: Ctx, who: Who) -> trust_list.TrustChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    return trust_list.propose_removal(ctx, who, root, body.reason)


add_confirmation(router, trust_list.confirm_change, schemas.TrustChange, "approver, sealer", 401, 403, 404, 409)
