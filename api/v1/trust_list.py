"""The trust list for programs: whose seals are recognised beside our own, each change by two persons."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from api.kit.deps import Ctx, Who
from api.kit.problems import problems
from api.v1.dual_control import add_confirmation
from api.v1.schemas import ByTwoPersons
from docproc.flow.seals import trust_list

router = APIRouter(prefix="/v1/trust", tags=["seals"])

Root = Annotated[str, Path(max_length=64, description="SHA-256 of the root, hexadecimal")]


class RootView(BaseModel):
    """A root and its limits."""

    sha256: str
    subject: str
    name: str
    authorities: list[str] = Field(description="Credit codes, or their beginnings; empty: all")
    use: list[Literal["seal", "timestamp"]]
    valid_from: date | None
    valid_to: date | None
    expires: datetime | None = Field(description="Of the certificate; none where the trust folder holds it")


class TrustChange(ByTwoPersons):
    """A change of the list."""

    action: Literal["add", "remove"]
    root: RootView


class TrustView(BaseModel):
    """Whom we trust."""

    own: list[RootView] = Field(description="Of the trust folder of this machine")
    recognised: list[RootView]
    changes: list[TrustChange] = Field(description="Those that wait first")


class NewRoot(BaseModel):
    """A root to recognise, within limits."""

    certificates: str = Field(max_length=200_000, description="PEM: one root, and intermediates where there are any")
    name: str = Field(max_length=200, description="Whose it is")
    authorities: list[Annotated[str, Field(max_length=18)]] = Field(
        max_length=100, description="Credit codes, or their beginnings, of the authorities that it may vouch for"
    )
    use: list[Literal["seal", "timestamp"]] = ["seal"]
    valid_from: date | None = None
    valid_to: date | None = None
    reason: str = Field(max_length=500)


class Removal(BaseModel):
    """Why a root is no longer to be trusted."""

    reason: str = Field(max_length=500)


@router.get("", response_model=TrustView, responses=problems(401, 403), summary="Trust list")
def listing(ctx: Ctx, who: Who) -> trust_list.TrustView:
    """With the changes that wait for a second person. Roles: approver, sealer, auditor."""
    return trust_list.list_roots(ctx, who)


@router.post(
    "", status_code=202, response_model=TrustChange, responses=problems(401, 403, 409, 422), summary="Propose a root"
)
def add(body: NewRoot, ctx: Ctx, who: Who) -> trust_list.TrustChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    new = trust_list.NewRoot(
        body.certificates.encode(), body.name, tuple(body.authorities), tuple(body.use), body.valid_from, body.valid_to
    )
    return trust_list.propose_root(ctx, who, new, body.reason)


@router.post(
    "/{root}/removal",
    status_code=202,
    response_model=TrustChange,
    responses=problems(401, 403, 404, 409, 422),
    summary="Propose to remove a root",
)
def remove(root: Root, body: Removal, ctx: Ctx, who: Who) -> trust_list.TrustChange:
    """Takes effect when another person confirms it. Roles: approver, sealer."""
    return trust_list.propose_removal(ctx, who, root, body.reason)


add_confirmation(router, trust_list.confirm_change, TrustChange, "approver, sealer", 401, 403, 404, 409)
