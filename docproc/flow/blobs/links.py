"""Links to files for a short time: access is decided and logged before one is made; who holds it gets the bytes.

For large files and many of them: where the S3 server has a public address the
bytes do not go through the web process.
"""

from __future__ import annotations

from typing import Any, TypedDict

from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.flow.applications.applications import visible_page
from docproc.flow.core import reads
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.licences.licences import visible as visible_licence
from docproc.flow.wallet.wallet import own_licence
from docproc.store.audit import audit
from docproc.store.blobs.links import Link, check
from docproc.store.blobs.source import Stored
from docproc.store.licences import licences

PATH = "/v1/files/"
"""Where the service answers links that it signed."""
PDF = "application/pdf"
ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "image/heic": ".heic",
    PDF: ".pdf",
}


class FileLink(TypedDict):
    """An address that gives a file to whoever holds it, for a short time."""

    url: str
    expires: int
    """Seconds since 1970."""
    sha256: str
    name: str
    media_type: str


def page_link(ctx: Context, caller: Caller, number: str, page_id: str) -> FileLink:
    """A link to an uploaded file.

    Raises:
        AccessError: no role allows it.
        NotFoundError: no such file for this caller.
    """
    caller.require("view_file")
    with ctx.database.write() as session:
        page = visible_page(session, caller, number, page_id)
        name = f"{page_id}{ENDINGS.get(page.media_type, '')}"
        return _made(ctx, session, caller, number, (page.sha256, name, page.media_type), page=page_id)


def licence_link(ctx: Context, caller: Caller, number: str) -> FileLink:
    """A link to a sealed licence, for officials; raises as :func:`page_link`."""
    caller.require("view_file")
    with ctx.database.write() as session:
        row = visible_licence(session, licences.find_licence(session, number), caller)
        return _made(ctx, session, caller, number, (row.sha256 or "", f"{number}.pdf", PDF))


def wallet_link(ctx: Context, caller: Caller, number: str) -> FileLink:
    """A link to an own licence, for an enterprise; raises as :func:`page_link`."""
    caller.require("wallet")
    with ctx.database.write() as session:
        row = own_licence(session, caller, number)
        return _made(ctx, session, caller, number, (row.sha256 or "", f"{number}.pdf", PDF))


def linked_file(ctx: Context, link: Link, signature: str) -> Stored:
    """What a link that the service signed leads to, compared with its hash.

    Raises:
        LinkOverError: wrong or over.
        NotFoundError: the file was deleted by rule since.
    """
    check(link, signature, ctx.blobs.link_secret(), ctx.clock())
    reads.note(None, "linked_file", link.key, by="link", purpose="public")
    return ctx.blobs.stream(link.key)


def _made(
    ctx: Context, session: Session, caller: Caller, subject: str, file: tuple[str, str, str], **detail: Any
) -> FileLink:
    at, seconds = ctx.clock(), ctx.settings.link_seconds
    key, name, media_type = file
    if not key:
        raise NotFoundError(f"{subject} has no file", message_zh="证照正在制作")
    link = Link(key, name, media_type, int(at.timestamp()) + seconds)
    address = ctx.blobs.link(link)
    if "://" not in address:
        address = f"{ctx.settings.public_url.rstrip('/')}{PATH}{address}"
    reads.note(caller, "link", subject, detail.get("page", ""))
    audit.append(session, at, caller.subject, "file.linked", subject, sha256=key, seconds=seconds, **detail)
    return {"url": address, "expires": link.expires, "sha256": key, "name": name, "media_type": media_type}
