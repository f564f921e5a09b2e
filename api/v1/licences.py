"""证照: verify by file, number or code; download; change the status."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse

from api.kit.bodies.files import FILES_BODY, Licence, Licences, Photos
from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, OnceJson, Public, Who, may
from api.kit.parsing.paid import Solvent, paid
from api.kit.problems import problems
from api.v1.schemas import licences as schemas
from docproc.errors import BusyError
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.views import LicenceView, PublicLicence
from docproc.flow.licences import bulk, licences, photographs, verification, versions
from docproc.flow.licences.bulk import KnownNumbers, VerifiedFile, VerifiedFiles
from docproc.flow.licences.print_report import PhotoVerification
from docproc.flow.licences.verification import Verification
from docproc.flow.licences.versions import OrderedVersion

router = APIRouter(route_class=HeadFirst, prefix="/v1/licences", tags=["licences"])
status_router = APIRouter(route_class=HeadFirst, prefix="/v1", tags=["licences"])

Number = Annotated[str, Path(description="证照编号", max_length=60)]
Code = Annotated[str, Path(description="Word in the QR code", max_length=40)]


@router.post(
    "/verify",
    response_model=schemas.Verification,
    dependencies=[Public, Solvent],
    responses=problems(413, 422, 429, 503),
    summary="Verify a file",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def verify(request: Request, ctx: Ctx, upload: Licence) -> Verification:
    """Is the seal good, and is it what was issued? Needs no key. Any bytes get a verdict."""
    return await paid(request, "file", None, verification.verify_file, ctx, upload[0])


@router.post(
    "/verify/report",
    response_class=Response,
    dependencies=[Public, Solvent],
    responses=problems(413, 422, 429, 503),
    summary="Verify a file and get the report as a document",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def verify_report(
    request: Request, ctx: Ctx, upload: Licence, kind: Annotated[Literal["pdf", "xml"], Query(alias="format")] = "pdf"
) -> Response:
    """One page in Chinese (`pdf`), or ETSI TS 119 102-2 (`xml`). Needs no key."""
    data = await paid(request, "file", None, verification.verify_report, ctx, upload[0], kind)
    if kind == "pdf":
        return pdf(data, "verification-report.pdf")
    return Response(data, media_type="application/xml", headers={"X-Content-Type-Options": "nosniff"})


@router.post(
    "/verify/photo",
    response_model=schemas.PhotoVerification,
    dependencies=[Public, Solvent],
    responses=problems(413, 415, 422, 429, 503),
    summary="Verify a printed licence by photograph",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                    }
                },
            },
        }
    },
)
async def verify_photo(request: Request, ctx: Ctx, photos: Photos) -> PhotoVerification:
    """Does the print say what was issued? JPEG, PNG, TIFF or PDF; of several pages as one file or one each, at most 12.

    Needs no key; proves no seal; nothing is kept.
    """
    return await paid(request, "photo", None, photographs.verify_photo, ctx, photos)


@router.post(
    "/verify/many",
    response_model=schemas.VerifiedFiles,
    dependencies=[may("verify_many")],
    responses=problems(401, 403, 413, 422),
    summary="Verify many files",
    openapi_extra=FILES_BODY,
)
async def verify_many(request: Request, ctx: Ctx, who: Who, uploads: Licences) -> VerifiedFiles:
    """At most 50 files; one that cannot be judged does not stop the rest. Roles: enterprise, officials."""
    bulk.check_files(who, uploads)
    return bulk.summary([await _verified(request, ctx, who, name, data) for name, data in uploads])


@router.post(
    "/lookup",
    response_model=schemas.KnownNumbers,
    responses=problems(401, 403, 413, 422),
    summary="Look up many numbers",
)
def look_up(body: schemas.Numbers, ctx: Ctx, who: Who) -> KnownNumbers:
    """At most 500 numbers. Roles: enterprise, officials."""
    return bulk.look_up_many(ctx, who, body.numbers)


@router.get(
    "/by-code/{code}",
    response_model=schemas.PublicLicence,
    dependencies=[Public],
    responses=problems(404, 429),
    summary="Look up by QR code",
)
def by_code(code: Code, ctx: Ctx) -> PublicLicence:
    """What the QR code on a licence stands for. Needs no key."""
    return licences.licence_by_code(ctx, code)


@router.get(
    "/by-code/{code}/file",
    response_class=Response,
    dependencies=[Public],
    responses=problems(404, 429),
    summary="Download by QR code",
)
def file_by_code(code: Code, ctx: Ctx) -> Response:
    """The sealed PDF for whoever holds its QR code. Needs no key."""
    return pdf(*licences.licence_file_by_code(ctx, code))


@router.get(
    "/{number}",
    response_model=schemas.PublicLicence,
    dependencies=[Public],
    responses=problems(404, 429),
    summary="Look up by number",
)
def by_number(number: Number, ctx: Ctx) -> PublicLicence:
    """Status, holder and term of a licence. Needs no key."""
    return licences.licence_by_number(ctx, number)


@router.get(
    "/{number}/details",
    response_model=schemas.LicenceView,
    responses=problems(401, 403, 404),
    summary="Look at fields and history",
)
def details(number: Number, ctx: Ctx, who: Who) -> LicenceView:
    """For officials of the organisation that issued it."""
    return licences.view_licence(ctx, who, number)


@router.get(
    "/{number}/file", response_class=Response, responses=problems(401, 403, 404), summary="Download the sealed PDF"
)
def file(number: Number, ctx: Ctx, who: Who) -> Response:
    """The bytes that were registered."""
    return pdf(*licences.licence_file(ctx, who, number))


@router.post(
    "/{number}/status",
    response_model=schemas.LicenceView,
    responses=problems(401, 403, 404, 409, 422),
    summary="Suspend, restore or revoke",
)
def change(number: Number, body: schemas.LicenceChange, ctx: Ctx, who: Who, once: OnceJson) -> LicenceView:
    """Role: approver. A revoked licence stays revoked."""
    return licences.change_licence(ctx, who, number, body.action, body.reason, body.basis, once)


@router.post(
    "/{number}/versions",
    response_model=schemas.OrderedVersion,
    status_code=202,
    responses=problems(401, 403, 404, 409, 422),
    summary="Correct or re-issue",
)
def new_version(number: Number, body: schemas.NewVersion, ctx: Ctx, who: Who, once: OnceJson) -> OrderedVersion:
    """Order a new version under the same number. Role: approver. Once sealed, the former version is superseded."""
    return versions.new_version(ctx, who, number, body.action, body.changes, body.reason, body.basis, once)


@status_router.get(
    "/status-list",
    response_class=PlainTextResponse,
    dependencies=[Public],
    responses=problems(429, 503),
    summary="Signed list of licences that are not in force",
)
def status_list(ctx: Ctx) -> Response:
    """A JSON Web Signature, for who verifies offline; fetch it again before its `next_update`. Needs no key."""
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(versions.status_list(ctx), media_type="application/jose", headers=headers)


async def _verified(request: Request, ctx: Context, who: Caller, name: str, data: bytes) -> VerifiedFile:
    """One file of many, in its own turn."""
    try:
        return await paid(request, "file", who, bulk.verified_file, ctx, name, data)
    except BusyError as error:
        return bulk.unverified(name, error)


def pdf(data: bytes, name: str) -> Response:
    """A sealed PDF to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(data, media_type="application/pdf", headers=headers)
