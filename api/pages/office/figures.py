"""Figures on how the work goes."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx
from api.kit.field_words import spec_of
from api.kit.official import AsCaller
from api.kit.render import page
from docproc.flow.review import figures
from docproc.matter.load import find_matter

router = APIRouter(route_class=HeadFirst, prefix="/office")


@router.get("/figures")
def show_figures(
    request: Request, ctx: Ctx, caller: AsCaller, days: Annotated[int, Query(ge=1, le=730)] = 90
) -> Response:
    """How the work goes."""
    found = figures.figures(ctx, caller, days)
    return page(
        request,
        "office/figures.html",
        found=found,
        days=days,
        find_matter=find_matter,
        spec_of=spec_of,
        rule_of=_rule_of,
    )


def _rule_of(matter: str, code: str) -> str:
    """What a rule says, with dots for what differs; empty for findings that come from no rule of the matter."""
    rule = next((rule for rule in find_matter(matter).rule if rule.id == code), None)
    return re.sub(r"\{\w*\}", "…", rule.message) if rule is not None else ""
