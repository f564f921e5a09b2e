"""Resumable uploads: tus 1.0.0 with creation, checksum, termination and expiration.

Source: https://tus.io/protocols/resumable-upload
The protocol only: headers in, headers out; routes say who sends (:mod:`api.v1.applications.uploads`,
:mod:`api.pages.kiosk.uploads`).
What has come is kept every :data:`PART_BYTES`, and once more when the line breaks, so that the sender goes on from
there; a part with a checksum counts whole or not at all. A sender whose line broke comes back before the service knows
that it did: the request that is still open keeps what it has and ends before the sender is told where to go on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Annotated

import anyio
from fastapi import Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.bodies.route import to_disk
from api.kit.deps import once_for
from api.kit.problems import ChecksumError, HeaderError, MediaTypeError, ProtocolError, SlowBodyError
from docproc.errors import ConflictError, LimitError
from docproc.flow.applications import uploads
from docproc.flow.applications.uploads import UploadState
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.store.blobs.source import Source

VERSION, EXTENSIONS = "1.0.0", "creation,checksum,termination,expiration"
CHECKSUMS = ("sha1", "sha256")
BODY_TYPE = "application/offset+octet-stream"
PART_BYTES = 256 * 1024
PATIENCE_SECONDS = 2.0
"""So long a request whose sender came back may still take in what is on its way."""
METADATA_CHARACTERS = 2000
PLACES = ("/v1/", "/kiosk/")
"""Beginnings of the paths under which there are uploads."""

UploadId = Annotated[str, Path(max_length=32)]
Text = Annotated[str, Header()]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends files for which application, and where the uploads are."""

    caller: Caller
    number: str
    place: str
    """Path of the collection, without a slash at its end."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A request that takes in bytes of an upload."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    """Around the wait for bytes."""
    over: anyio.Event = field(default_factory=anyio.Event)


_turns: dict[str, Turn] = {}
"""By upload, in this process; between processes the database knows which bytes are due."""


def check_version(tus_resumable: str) -> None:
    """The sender uses our version of the protocol.

    Raises:
        ProtocolError: another version, or none.
    """
    if tus_resumable != VERSION:
        raise ProtocolError(f"send Tus-Resumable: {VERSION}")


def begin(
    request: Request, ctx: Context, sender: Sender, upload_length: str, upload_metadata: str, key: str | None
) -> Response:
    """Announce a file; ``key`` is its Idempotency-Key."""
    size, words = _number("Upload-Length", upload_length), _metadata(upload_metadata)
    state = uploads.begin_upload(
        ctx,
        sender.caller,
        sender.number,
        size,
        filename=words.get("filename", ""),
        material=words.get("material") or None,
        replaces=words.get("replaces", ""),
        metadata=upload_metadata,
        once=once_for(request, key, str(size), upload_metadata),
    )
    return _answer(201, sender, state, Location=f"{sender.place}/{state['id']}")


async def state(ctx: Context, sender: Sender, upload: str) -> Response:
    """How far an upload is."""
    found = await _settled(ctx, sender, upload)
    more = {"Upload-Length": str(found["size"]), "Cache-Control": "no-store"}
    if found["metadata"]:
        more["Upload-Metadata"] = found["metadata"]
    return _answer(200, sender, found, **more)


async def send(
    request: Request, ctx: Context, sender: Sender, upload: str, upload_offset: str, upload_checksum: str
) -> Response:
    """Take the next bytes."""
    if request.headers.get("content-type", "") != BODY_TYPE:
        raise MediaTypeError(f"send Content-Type: {BODY_TYPE}")
    offset, checksum = _number("Upload-Offset", upload_offset), _checksum(upload_checksum)
    found = await _settled(ctx, sender, upload)
    if found["offset"] != offset:
        raise ConflictError(f"the next byte is {found['offset']}, not {offset}", code="wrong_offset")
    told = request.headers.get("content-length", "")
    if told.isdigit() and offset + int(told) > found["size"]:
        raise LimitError(f"more than the announced {found['size']} bytes")
    return _answer(204, sender, await _receive(request, ctx, sender, found, checksum))


def drop(ctx: Context, sender: Sender, upload: str) -> Response:
    """Abandon an upload."""
    uploads.drop_upload(ctx, sender.caller, sender.number, upload)
    return Response(status_code=204)


async def _settled(ctx: Context, sender: Sender, upload: str) -> UploadState:
    """The state of an upload that no earlier request changes any more."""
    args = (ctx, sender.caller, sender.number, upload)
    found = await run_in_threadpool(uploads.upload_state, *args)  # whose it is comes first
    while turn := _turns.get(upload):
        with anyio.move_on_after(PATIENCE_SECONDS):
            await turn.over.wait()
        turn.scope.cancel()
        await turn.over.wait()
        found = await run_in_threadpool(uploads.upload_state, *args)
    return found


@contextmanager
def _turn(upload: str) -> Iterator[Turn]:
    turn = _turns[upload] = Turn()
    try:
        yield turn
    finally:
        turn.over.set()
        del _turns[upload]  # ours: nobody begins before it is over


async def _receive(
    request: Request, ctx: Context, sender: Sender, found: UploadState, checksum: tuple[str, bytes] | None
) -> UploadState:
    """Keep the body of a request part by part."""
    waiting, part = bytearray(), None

    async def keep(data: bytes | Source) -> None:
        nonlocal found
        args = (ctx, sender.caller, sender.number, found["id"], found["offset"], data)
        found = await run_in_threadpool(uploads.continue_upload, *args)
        waiting.clear()

    with _turn(found["id"]) as turn:
        with suppress(ClientDisconnect, SlowBodyError), turn.scope:
            if checksum is not None:
                part = await to_disk(request)
            else:
                async for piece in request.stream():
                    waiting += piece
                    due = found["size"] - found["offset"]
                    if len(waiting) > due:
                        raise LimitError(f"more than the announced {found['size']} bytes")
                    if PART_BYTES <= len(waiting) < due:
                        await keep(bytes(waiting))
        if checksum is None:
            await keep(bytes(waiting))
        elif part is None or await run_in_threadpool(_digest, checksum[0], part) != checksum[1]:
            raise ChecksumError("the bytes do not have the Upload-Checksum: send them again")
        else:
            await keep(part)
    return found


def _digest(name: str, part: Source) -> bytes:
    found = hashlib.new(name, usedforsecurity=False)
    for piece in part.pieces():
        found.update(piece)
    return found.digest()


def _answer(status: int, sender: Sender, found: UploadState, **more: str) -> Response:
    expires = format_datetime(datetime.fromisoformat(found["expires_at"]), usegmt=True)
    headers = {"Upload-Offset": str(found["offset"]), "Upload-Expires": expires, **more}
    if found["page"] is not None:
        headers["Content-Location"] = f"/v1/applications/{sender.number}/pages/{found['page']}/file"
    return Response(status_code=status, headers=headers)


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise HeaderError(f"send {name}: a number of bytes")
    return int(text)


def _metadata(text: str) -> dict[str, str]:
    """Words of ``Upload-Metadata``: pairs of a key and a value in base64, with commas between them."""
    if len(text) > METADATA_CHARACTERS:
        raise HeaderError(f"Upload-Metadata is over {METADATA_CHARACTERS} characters")
    words: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        key, _, value = pair.strip().partition(" ")
        try:
            words[key] = base64.b64decode(value.encode("ascii"), validate=True).decode()
        except ValueError as error:
            raise HeaderError(f"Upload-Metadata {key[:40]!r}: send UTF-8 in base64") from error
    return words


def _checksum(text: str) -> tuple[str, bytes] | None:
    """Algorithm and digest of ``Upload-Checksum``."""
    if not text:
        return None
    name, _, value = text.partition(" ")
    if name not in CHECKSUMS:
        raise HeaderError(f"Upload-Checksum: send one of {', '.join(CHECKSUMS)}")
    try:
        return name, base64.b64decode(value.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise HeaderError("Upload-Checksum: send the digest in base64") from error


class TusHeaders:
    """Adds the version to every answer, errors too, and takes the method from ``X-HTTP-Method-Override``."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or "/uploads" not in scope["path"] or not scope["path"].startswith(PLACES):
            await self.app(scope, receive, send)
            return
        override = Headers(scope=scope).get("x-http-method-override")
        if scope["method"] == "POST" and override in ("HEAD", "PATCH", "DELETE"):
            scope = {**scope, "method": override}

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Tus-Resumable"] = VERSION
                if message["status"] == 412:
                    headers["Tus-Version"] = VERSION
            await send(message)

        await self.app(scope, receive, told)
