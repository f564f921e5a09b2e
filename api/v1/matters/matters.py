"""The catalogue: matters, what they ask for, blank forms."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api.kit.deps import Ctx, Fresh, Public, Who
from api.kit.problems import problems
from api.v1.schemas import matters as schemas
from docproc.flow.applications import forms
from docproc.matter.load import find_matter, load_catalogue
from docproc.matter.model import Material, Matter

router = APIRouter(prefix="/v1/matters", tags=["matters"], dependencies=[Public, Fresh])

MatterId = Annotated[str, Path(max_length=60, examples=["food_licence"])]
MaterialId = Annotated[str, Path(max_length=60, examples=["application"])]


@router.get("", responses=problems(429), summary="List matters")
def listing() -> list[schemas.MatterSummary]:
    """Every matter of the catalogue. Needs no key."""
    return [
        schemas.MatterSummary(id=matter.id, name=matter.name, authority=matter.authority, status=matter.status)
        for matter in load_catalogue().values()
    ]


@router.get("/{matter}", responses=problems(404, 429), summary="办事指南 of a matter")
def view(matter: MatterId) -> schemas.MatterView:
    """Materials, terms and legal bases. Needs no key."""
    spec = find_matter(matter)
    return schemas.MatterView(
        id=spec.id,
        name=spec.name,
        authority=spec.authority,
        status=spec.status,
        guide=list(spec.guide),
        fee=spec.fee,
        accept_days=spec.clock.accept_days,
        decide_working_days=spec.clock.decide_working_days,
        basis=[basis.text for basis in spec.basis],
        materials=[_material(spec, item) for item in spec.material],
    )


@router.get(
    "/{matter}/forms/{material}.pdf", response_class=Response, responses=problems(404, 429), summary="A blank form"
)
def form(
    matter: MatterId,
    material: MaterialId,
    ctx: Ctx,
    edition: Annotated[str | None, Query(max_length=20, description="Default: the one in force")] = None,
) -> Response:
    """The form as a PDF to print, with a fresh serial in its QR code. Needs no key."""
    return form_pdf(matter, material, forms.blank_form(ctx, matter, material, edition))


known = APIRouter(prefix="/v1/matters", tags=["matters"], dependencies=[Fresh])


@known.get(
    "/{matter}/forms/{material}/prefilled.pdf",
    response_class=Response,
    responses=problems(401, 403, 404),
    summary="A form prefilled by a licence",
)
def prefilled(
    matter: MatterId,
    material: MaterialId,
    ctx: Ctx,
    who: Who,
    licence: Annotated[str, Query(max_length=200, description="Word in the licence's QR code, or its address")],
) -> Response:
    """The form in force with what a licence in force says of who and where, for its holder. Roles: kiosk, clerk."""
    who.require("create")
    return form_pdf(matter, material, forms.form_by_licence(ctx, matter, material, licence))


def form_pdf(matter: str, material: str, data: bytes) -> Response:
    """A form to print."""
    headers = {"Content-Disposition": f'inline; filename="{matter}-{material}.pdf"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/pdf", headers=headers)


def _material(matter: Matter, item: Material) -> schemas.MaterialView:
    return schemas.MaterialView(
        id=item.id,
        name=item.name,
        kind=item.kind,
        required=item.required and item.when is None,
        conditional=item.when is not None,
        sides=item.sides,
        form_url=f"/v1/matters/{matter.id}/forms/{item.id}.pdf" if item.kind == "form" else None,
    )
