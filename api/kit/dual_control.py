"""The second person's route, one for every noun whose changes are made by two persons."""

from __future__ import annotations

from typing import Annotated, Protocol

from fastapi import APIRouter, Path
from pydantic import BaseModel

from api.kit.deps import Ctx, Who
from api.kit.problems import problems
from api.v1.schemas.base import Confirmation
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.dual_control import ChangeView

ChangeId = Annotated[str, Path(max_length=16)]


class Close(Protocol):
    """Confirms or refuses a change of one noun."""

    def __call__(self, ctx: Context, caller: Caller, change_id: str, *, refuse: bool) -> ChangeView:
        """Close the change of this id."""


def add_confirmation(router: APIRouter, close: Close, answer: type[BaseModel], roles: str, *statuses: int) -> None:
    """Let a second person close the changes of a noun at ``changes/{change_id}`` below the router's prefix.

    Args:
        router: of the noun.
        close: what confirms or refuses.
        answer: shape of the answer.
        roles: who may, for the description.
        statuses: problems that it may answer with.
    """

    @router.post(
        "/changes/{change_id}",
        response_model=answer,
        responses=problems(*statuses),
        summary="Confirm or refuse a change",
        description=f"Never by the person who proposed it. Roles: {roles}.",
    )
    def confirm(change_id: ChangeId, body: Confirmation, ctx: Ctx, who: Who) -> ChangeView:
        return close(ctx, who, change_id, refuse=not body.confirm)
