"""Resumable uploads from the kiosk's page: the protocol of :mod:`api.kit.tus` under the kiosk's session."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.kit import tus
from api.kit.bodies.files import STREAMED
from api.kit.bodies.route import HeadFirst
from api.kit.csrf import Csrf
from api.kit.deps import Ctx, IdempotencyKey
from api.kit.seats import AtWork
from api.kit.tus import Sender, Text, UploadId

PLACE = "/kiosk/case/uploads"
router = APIRouter(route_class=HeadFirst, prefix=PLACE)


def sender(at_work: AtWork, tus_resumable: Text = "") -> Sender:
    """The kiosk, for the application that its citizen works on and no other.

    Raises:
        ProtocolError: another version of the protocol, or none.
    """
    tus.check_version(tus_resumable)
    return Sender(at_work[0].caller, at_work[1], PLACE)


Sends = Annotated[Sender, Depends(sender)]


@router.post("", dependencies=[Csrf])
def begin(
    request: Request,
    ctx: Ctx,
    who: Sends,
    upload_length: Text = "",
    upload_metadata: Text = "",
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Announce a file."""
    return tus.begin(request, ctx, who, upload_length, upload_metadata, idempotency_key)


@router.head("/{upload}")
async def state(upload: UploadId, ctx: Ctx, who: Sends) -> Response:
    """How far it is."""
    return await tus.state(ctx, who, upload)


@router.patch("/{upload}", dependencies=[STREAMED, Csrf])
async def send(
    upload: UploadId, request: Request, ctx: Ctx, who: Sends, upload_offset: Text = "", upload_checksum: Text = ""
) -> Response:
    """Send the next bytes."""
    return await tus.send(request, ctx, who, upload, upload_offset, upload_checksum)


@router.delete("/{upload}", dependencies=[Csrf])
def drop(upload: UploadId, ctx: Ctx, who: Sends) -> Response:
    """Give it up."""
    return tus.drop(ctx, who, upload)
