"""Resumable uploads for whoever holds a key: the protocol is in :mod:`api.kit.tus`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.kit import tus
from api.kit.bodies.files import STREAMED
from api.kit.bodies.route import HeadFirst
from api.kit.deps import Ctx, IdempotencyKey, Public, Who
from api.kit.problems import problems
from api.kit.tus import BODY_TYPE, Sender, Text, UploadId
from api.v1.applications.applications import Number

router = APIRouter(route_class=HeadFirst, prefix="/v1/applications/{number}/uploads", tags=["uploads"])


def sender(number: Number, who: Who, tus_resumable: Text = "") -> Sender:
    """Who may upload and uses our version of the protocol.

    Raises:
        AccessError: no role of the caller may upload.
        ProtocolError: another version, or none.
    """
    who.require("upload")
    tus.check_version(tus_resumable)
    return Sender(who, number, f"/v1/applications/{number}/uploads")


Sends = Annotated[Sender, Depends(sender)]


@router.options(
    "",
    status_code=204,
    response_class=Response,
    responses=problems(429),
    dependencies=[Public],
    summary="What of tus is spoken here",
)
def capabilities(number: Number, ctx: Ctx) -> Response:
    """Version, extensions, largest file and checksums."""
    return Response(
        status_code=204,
        headers={
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(ctx.settings.max_upload_bytes),
            "Tus-Checksum-Algorithm": ",".join(tus.CHECKSUMS),
        },
    )


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses=problems(400, 401, 403, 404, 409, 412, 413, 422, 503),
    summary="Begin a resumable upload",
)
def begin(
    request: Request,
    ctx: Ctx,
    who: Sends,
    upload_length: Text = "",
    upload_metadata: Text = "",
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Announce a file with `Upload-Length` and send it to `Location`.

    `Upload-Metadata` may have `filename`, `material`, and `replaces`: a page that the new one takes the place of.
    """
    return tus.begin(request, ctx, who, upload_length, upload_metadata, idempotency_key)


@router.head(
    "/{upload}", response_class=Response, responses=problems(401, 403, 404, 412), summary="How far an upload is"
)
async def state(upload: UploadId, ctx: Ctx, who: Sends) -> Response:
    """`Upload-Offset` is the next byte to send; at `Upload-Length` the file is a page (`Content-Location`)."""
    return await tus.state(ctx, who, upload)


@router.patch(
    "/{upload}",
    status_code=204,
    response_class=Response,
    dependencies=[STREAMED],
    responses=problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 460, 503),
    summary="Send the next bytes",
    openapi_extra={
        "requestBody": {"required": True, "content": {BODY_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
    },
)
async def send(
    upload: UploadId, request: Request, ctx: Ctx, who: Sends, upload_offset: Text = "", upload_checksum: Text = ""
) -> Response:
    """Bytes from `Upload-Offset` on; the last ones make the file a page, once, as an upload in one piece would.

    With `Upload-Checksum` (`sha1` or `sha256`, a space, the digest in base64) all of them count or none.
    """
    return await tus.send(request, ctx, who, upload, upload_offset, upload_checksum)


@router.delete(
    "/{upload}",
    status_code=204,
    response_class=Response,
    responses=problems(401, 403, 404, 412),
    summary="Give an upload up",
)
def drop(upload: UploadId, ctx: Ctx, who: Sends) -> Response:
    """What came of it is deleted; a page that it became stays."""
    return tus.drop(ctx, who, upload)
