"""办件: open, submit, look at, take back; the files of an application."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.kit.bodies.files import Scan
from api.kit.bodies.going_out import stored
from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, IdempotencyKey, OnceJson, Who, may, once_for
from api.kit.problems import problems
from api.v1.matters.matters import MaterialId, Sheets, form_pdf
from api.v1.schemas import applications as schemas
from docproc.domain import Said
from docproc.flow.applications import applications, assigning, forms, remarks
from docproc.flow.applications.media import MEDIA_TYPES
from docproc.flow.applications.views import ApplicationSummary, ApplicationView, PageView
from docproc.lifecycle import Status

router = APIRouter(route_class=HeadFirst, prefix="/v1/applications", tags=["applications"])

Number = Annotated[str, Path(description="办件编号", max_length=60)]
PageId = Annotated[str, Path(max_length=32)]
PageIndex = Annotated[int, Path(ge=0, le=10_000)]
FieldName = Annotated[str, Path(max_length=80)]


@router.post(
    "",
    status_code=201,
    response_model=schemas.ApplicationView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Open an application",
)
def create(body: schemas.NewApplication, ctx: Ctx, who: Who, once: OnceJson) -> ApplicationView:
    """Open a draft; upload its papers next. Roles: kiosk, clerk."""
    return applications.create_application(ctx, who, body.matter, body.channel, once)


@router.get(
    "", response_model=list[schemas.ApplicationSummary], responses=problems(401, 403, 422), summary="List applications"
)
def listing(
    ctx: Ctx,
    who: Who,
    status: Annotated[Status | None, Query()] = None,
    after: Annotated[str, Query(description="Last number of the page before", max_length=60)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ApplicationSummary]:
    """Those that the caller may see: a kiosk its own, an office its organisation's, an auditor all."""
    return applications.list_applications(ctx, who, status=status, after=after, limit=limit)


@router.get(
    "/{number}", response_model=schemas.ApplicationView, responses=problems(401, 403, 404), summary="Look at one"
)
def view(number: Number, ctx: Ctx, who: Who) -> ApplicationView:
    """Everything about an application. Poll until `checked` is true after an upload."""
    return applications.view_application(ctx, who, number)


@router.post(
    "/{number}/pages",
    status_code=201,
    response_model=schemas.PageView,
    dependencies=[may("upload")],
    responses=problems(401, 403, 404, 409, 413, 415, 422, 503),
    summary="Upload a file",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **{kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
                "multipart/form-data": {
                    "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
                },
            },
        }
    },
)
async def add_page(
    number: Number,
    request: Request,
    ctx: Ctx,
    who: Who,
    scan: Scan,
    material: Annotated[str | None, Query(description="What it is, if known", max_length=60)] = None,
    filename: Annotated[str, Query(max_length=200)] = "",
    idempotency_key: IdempotencyKey = None,
) -> PageView:
    """Upload one scan (several pages where PDF or TIFF) as the body or as `multipart/form-data`.

    The file is judged by its bytes, never by its name, and only a worker opens it.
    The same bytes for the same material give the file that is there already.
    """

    def work() -> PageView:
        once = once_for(request, idempotency_key, material or "", scan)
        name = filename or scan.name
        return applications.add_page(ctx, who, number, scan, filename=name, material=material, once=once)

    return await run_in_threadpool(work)


@router.get(
    "/{number}/pages/{page_id}/file",
    response_class=Response,
    responses=problems(401, 403, 404),
    summary="Download an uploaded file",
)
def page_file(number: Number, page_id: PageId, ctx: Ctx, who: Who) -> Response:
    """The bytes as they were submitted."""
    data, kind = applications.page_file(ctx, who, number, page_id)
    # never shown inside our own pages: what a stranger sent stays a download
    headers = {"Content-Disposition": f'attachment; filename="{page_id}"', "X-Content-Type-Options": "nosniff"}
    return stored(data, kind, headers)


@router.get(
    "/{number}/pages/{page_id}/previews/{index}",
    response_class=Response,
    responses=problems(401, 403, 404),
    summary="Look at a page",
)
def preview(
    number: Number,
    page_id: PageId,
    index: Annotated[int, Path(ge=0, le=10_000)],
    ctx: Ctx,
    who: Who,
    size: Annotated[Literal["view", "thumb"], Query()] = "view",
) -> Response:
    """A WebP picture for the screen, made by a worker; 404 until it is there."""
    return webp(applications.page_preview(ctx, who, number, page_id, index, thumb=size == "thumb"))


@router.delete(
    "/{number}/pages/{page_id}", status_code=204, responses=problems(401, 403, 404, 409), summary="Take a file back"
)
def remove_page(number: Number, page_id: PageId, ctx: Ctx, who: Who) -> None:
    """While the application is a draft or returned."""
    applications.remove_page(ctx, who, number, page_id)


@router.put(
    "/{number}/pages/{page_id}/readings/{index}/material",
    response_model=schemas.ApplicationView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Say what a page is",
)
def assign(
    number: Number,
    page_id: PageId,
    index: PageIndex,
    body: schemas.PageMaterial,
    ctx: Ctx,
    who: Who,
) -> ApplicationView:
    """Name the paper that a page is, where it was not recognised or not as what it is; it is read as that.

    Where the reader cannot make it out, the page stays `claimed` and the verdict is `look`. A kiosk
    may do it while files can be added, an office until the decision. A page that bears a form's own
    code stays that form: 409.
    """
    return assigning.assign_page(ctx, who, number, page_id, index, Said(body.material, body.page))


@router.put(
    "/{number}/pages/{page_id}/readings/{index}/fields/{field}",
    response_model=schemas.ApplicationView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Correct a field",
)
def correct(
    number: Number,
    page_id: PageId,
    index: PageIndex,
    field: FieldName,
    body: schemas.Correction,
    ctx: Ctx,
    who: Who,
) -> ApplicationView:
    """Replace what the machine read by a value that a person read; the application is checked again.

    Say with `kind` whether the machine misread the paper or the applicant wrote something else: without it only a
    reading that was left open or is uncertain can be replaced. What the applicant wrote is theirs to correct, by 补正:
    `changed` is refused (409 `not_mendable`) unless the matter lets an official change the field. It stays visible in
    `changes`, in the decision, in the audit log and to the applicant.
    """
    return applications.correct_field(ctx, who, number, page_id, index, field, body.value, body.kind)


@router.put(
    "/{number}/pages/{page_id}/readings/{index}/fields/{field}/remark",
    response_model=schemas.ApplicationView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Say that a value was read wrongly (识别有误)",
)
def remark(
    number: Number,
    page_id: PageId,
    index: PageIndex,
    field: FieldName,
    body: schemas.Remark,
    ctx: Ctx,
    who: Who,
) -> ApplicationView:
    """Keep what the citizen says, while the application is a draft or returned. Roles: kiosk, clerk.

    It is never taken as the value: the value counts as doubted, the verdict is at best `look`, and an official settles
    it beside the picture. A second remark on a field replaces the first.
    """
    return remarks.remark(ctx, who, number, page_id, index, field, body.said)


@router.delete(
    "/{number}/pages/{page_id}/readings/{index}/fields/{field}/remark",
    response_model=schemas.ApplicationView,
    responses=problems(401, 403, 404, 409),
    summary="Take a remark back",
)
def take_remark_back(
    number: Number,
    page_id: PageId,
    index: PageIndex,
    field: FieldName,
    ctx: Ctx,
    who: Who,
) -> ApplicationView:
    """While the application is a draft or returned. Roles: kiosk, clerk."""
    return remarks.take_back(ctx, who, number, page_id, index, field)


@router.get(
    "/{number}/forms/{material}.pdf",
    response_class=Response,
    responses=problems(401, 403, 404, 409),
    summary="A form with what the other papers say",
)
def known_form(number: Number, material: MaterialId, ctx: Ctx, who: Who, sheets: Sheets = 1) -> Response:
    """To print, look through and sign: names, numbers and addresses that were read for certain. Roles: kiosk, clerk."""
    return form_pdf("application", material, forms.form_of_papers(ctx, who, number, material, sheets))


@router.post(
    "/{number}/submit",
    response_model=schemas.ApplicationView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Hand in",
)
def submit(number: Number, ctx: Ctx, who: Who, once: OnceJson) -> ApplicationView:
    """Submit the application, for the first time or after 补正; every file must have been read."""
    return applications.submit(ctx, who, number, once)


@router.post(
    "/{number}/withdraw",
    response_model=schemas.ApplicationView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Take back",
)
def withdraw(number: Number, ctx: Ctx, who: Who, once: OnceJson) -> ApplicationView:
    """Take the application back before it is decided."""
    return applications.withdraw(ctx, who, number, once)


def webp(data: bytes) -> Response:
    """A picture that a worker made; nobody keeps it."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type="image/webp", headers=headers)
