"""The seal registry: list, propose, confirm."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, Field

from api.kit.deps import Ctx, Who
from api.kit.problems import problems
from api.v1.dual_control import add_confirmation
from api.v1.schemas import ByTwoPersons
from docproc.flow.seals import registry

router = APIRouter(prefix="/v1/seals", tags=["seals"])

Name = Annotated[str, Path(max_length=60, description="Name of the seal, as in the matter files")]


class SealView(BaseModel):
    """A registered seal."""

    name: str
    owner: str
    owner_code: str
    kind: Literal["official", "special"]
    filing_number: str
    state: Literal["active", "suspended", "out_of_period"]
    licence_kinds: list[str]
    valid_from: datetime
    valid_to: datetime
    algorithm: str = Field(description="What its key signs by: `RSA-2048`, `RSA-3072`, `P-256` or `SM2`")
    certificate_sha256: str
    art_sha256: str
    diameter_mm: float
    has_record: bool = Field(description="Whether a seal object by GB/T 38540 is kept")
    registered_at: datetime


class ChangeView(ByTwoPersons):
    """A change of the registry."""

    seal: str
    action: Literal["add", "suspend", "resume"]


class Registry(BaseModel):
    """All seals, and the changes that wait."""

    seals: list[SealView]
    changes: list[ChangeView]


class NewSeal(BaseModel):
    """A seal to register; its art is drawn by rule from the owner's name."""

    name: str = Field(max_length=60)
    owner: str = Field(max_length=200)
    owner_code: str = Field(max_length=18)
    kind: Literal["official", "special"]
    filing_number: str = Field(max_length=60)
    certificates: str = Field(max_length=60_000, description="PEM, the seal's own first, each followed by its issuer")
    licence_kinds: list[str] = Field(max_length=100)
    valid_from: AwareDatetime
    valid_to: AwareDatetime
    diameter_mm: float = 42.0
    purpose: str = Field("", max_length=10)
    emblem: bool = Field(False, description="A place for the national emblem instead of the star")
    record: str = Field("", max_length=800_000, description="Seal object by GB/T 38540, base64; an SM2 seal needs one")
    reason: str = Field(max_length=500)


class NewChange(BaseModel):
    """Why a seal is to be suspended or used again."""

    action: Literal["suspend", "resume"]
    reason: str = Field(max_length=500)


@router.get("", response_model=Registry, responses=problems(401, 403), summary="List seals")
def listing(ctx: Ctx, who: Who) -> registry.Registry:
    """With the changes that wait for a second person. Roles: approver, sealer, auditor."""
    return registry.list_seals(ctx, who)


@router.post(
    "", status_code=202, response_model=ChangeView, responses=problems(401, 403, 409, 422), summary="Propose a seal"
)
def add(body: NewSeal, ctx: Ctx, who: Who) -> registry.SealChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    given = body.model_dump(exclude={"reason", "diameter_mm", "licence_kinds"})
    new = registry.NewSeal(**given, diameter=body.diameter_mm, licence_kinds=tuple(body.licence_kinds))
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
    response_model=ChangeView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Propose to suspend or resume",
)
def change(name: Name, body: NewChange, ctx: Ctx, who: Who) -> registry.SealChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    return registry.propose_change(ctx, who, name, body.action, body.reason)


add_confirmation(router, registry.confirm_change, ChangeView, "approver, sealer", 401, 403, 404, 409)
