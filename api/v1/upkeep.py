"""Retention: how long content is kept, and erasing what is due."""

from __future__ import annotations

from fastapi import APIRouter

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Who
from api.kit.problems import problems
from api.v1.schemas import upkeep as schemas
from docproc.flow.upkeep import retention

router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["administration"])


@router.get("/retention", responses=problems(401, 403), summary="Retention", name="retention")
def list_rules(ctx: Ctx, who: Who) -> list[schemas.RetentionView]:
    """How long each matter's content is kept, and what is due. Role: admin."""
    return [
        schemas.RetentionView(
            matter=item.matter.id,
            draft_days=item.rules.draft_days,
            refused_days=item.rules.refused_days,
            finished_days=item.rules.finished_days,
            original_days=item.rules.original_days,
            basis=item.rules.basis,
            due=item.due,
        )
        for item in retention.rules(ctx, who)
    ]


@router.post("/retention/sweep", responses=problems(401, 403), summary="Erase what is due")
def sweep(ctx: Ctx, who: Who) -> schemas.SweptView:
    """Happens by itself every hour; here at once. Role: admin."""
    who.require("manage_retention")
    found = retention.sweep(ctx, who)
    return schemas.SweptView(applications=found.applications, files=found.files, waiting=found.waiting)
