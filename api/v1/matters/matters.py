"""The catalogue: matters, what they ask for, blank forms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, Fresh, Public, Who
from api.kit.problems import problems
from api.v1.schemas import matters as schemas
from docproc.flow.applications import forms
from docproc.flow.core.context import Context
from docproc.matter.load import find_matter, load_catalogue
from docproc.matter.model import Material, Matter
from docproc.matter.opening import opens, why_closed

router = APIRouter(route_class=HeadFirst, prefix="/v1/matters", tags=["matters"], dependencies=[Public, Fresh])

MatterId = Annotated[str, Path(max_length=60, examples=["food_licence"])]
MaterialId = Annotated[str, Path(max_length=60, examples=["application"])]
MOST_SHEETS = 20
"""In one file; the command line prints more."""
Sheets = Annotated[
    int, Query(ge=1, le=MOST_SHEETS, description="Sheets of each page with a table, for more rows than one page has")
]


@router.get("", responses=problems(429), summary="List matters")
def listing(ctx: Ctx) -> list[schemas.MatterSummary]:
    """Every matter of the catalogue, also those that are closed. Needs no key."""
    return [_summary(ctx, matter) for matter in load_catalogue().values()]


@router.get("/{matter}", responses=problems(404, 429), summary="办事指南 of a matter")
def view(matter: MatterId, ctx: Ctx) -> schemas.MatterView:
    """Materials, terms and the legal bases in force, the matter's own first. Needs no key."""
    spec, today = find_matter(matter), ctx.today()
    laws = [*spec.basis_in_force(today), *(item for item in spec.common_basis if item.in_force(today))]
    return schemas.MatterView(
        **_summary(ctx, spec).model_dump(),
        guide=list(spec.guide),
        fee=spec.fee,
        accept_days=spec.clock.accept_days,
        decide_working_days=spec.clock.decide_working_days,
        basis=[basis.text for basis in laws],
        materials=[_material(spec, item, prints=opens(spec, today)) for item in spec.material],
    )


def _summary(ctx: Context, matter: Matter) -> schemas.MatterSummary:
    closed = why_closed(matter, ctx.today())
    return schemas.MatterSummary(
        id=matter.id,
        name=matter.name,
        authority=matter.authority,
        status=matter.status,
        open=closed is None,
        closed_because=closed.message_zh if closed is not None else None,
    )


@router.get(
    "/{matter}/forms/{material}.pdf", response_class=Response, responses=problems(404, 409, 429), summary="A blank form"
)
def form(
    matter: MatterId,
    material: MaterialId,
    ctx: Ctx,
    edition: Annotated[str | None, Query(max_length=20, description="Default: the one in force")] = None,
    sheets: Sheets = 1,
) -> Response:
    """The form as a PDF to print, with a fresh serial in its QR code; none of a matter that is closed. Needs no key."""
    return form_pdf(matter, material, forms.blank_form(ctx, matter, material, edition, sheets))


known = APIRouter(route_class=HeadFirst, prefix="/v1/matters", tags=["matters"], dependencies=[Fresh])


@known.get(
    "/{matter}/forms/{material}/prefilled.pdf",
    response_class=Response,
    responses=problems(401, 403, 404, 409),
    summary="A form prefilled by a licence",
)
def prefilled(
    matter: MatterId,
    material: MaterialId,
    ctx: Ctx,
    who: Who,
    licence: Annotated[str, Query(max_length=200, description="Word in the licence's QR code, or its address")],
    sheets: Sheets = 1,
) -> Response:
    """The form in force with what a licence in force says of who and where, for its holder. Roles: kiosk, clerk."""
    who.require("create")
    return form_pdf(matter, material, forms.form_by_licence(ctx, matter, material, licence, sheets))


def form_pdf(matter: str, material: str, data: bytes) -> Response:
    """A form to print."""
    headers = {"Content-Disposition": f'inline; filename="{matter}-{material}.pdf"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/pdf", headers=headers)


def _material(matter: Matter, item: Material, *, prints: bool) -> schemas.MaterialView:
    return schemas.MaterialView(
        id=item.id,
        name=item.name,
        kind=item.kind,
        required=item.required and item.when is None,
        conditional=item.when is not None,
        sides=item.sides,
        form_url=f"/v1/matters/{matter.id}/forms/{item.id}.pdf" if item.kind == "form" and prints else None,
    )
