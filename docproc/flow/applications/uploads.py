"""Files that are uploaded in parts over an unreliable connection; once complete, they are handled like every page.

The bytes lie in the database beside the count of them, so both survive a crash together, on one machine and on
many. The last part is not kept: it completes the file, which becomes a page, and only then does the count reach the
size. Whoever dies in between is sent the last part again, and
:func:`docproc.flow.applications.applications.add_page` answers the same file under the same Idempotency-Key with the
page that is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypedDict

from sqlalchemy.orm import Session

from docproc.errors import ConflictError, InputError, LimitError, NotFoundError
from docproc.flow.applications.applications import MAX_FILES, add_page, check_room, plain_name, remove_page, visible
from docproc.flow.applications.media import media_type
from docproc.flow.core.access import Caller
from docproc.flow.core.context import Context
from docproc.flow.core.idempotency import Once, run_once
from docproc.store.applications import pages, uploads
from docproc.store.blobs.source import Source, source_of, unchanged
from docproc.store.tables.applications import UploadRow

KEEP = timedelta(hours=24)
"""An upload expires so long after its last part."""
HEAD_BYTES = 1024
"""A first part of so many bytes shows what the file is."""


class UploadState(TypedDict):
    """How far an upload is."""

    id: str
    size: int
    """Bytes of the whole file."""
    offset: int
    """The next byte that is due."""
    metadata: str
    page: str | None
    """The page that it became."""
    expires_at: str


def begin_upload(
    ctx: Context,
    caller: Caller,
    number: str,
    size: int,
    *,
    filename: str = "",
    material: str | None = None,
    replaces: str = "",
    metadata: str = "",
    once: Once | None = None,
) -> UploadState:
    """Announce a file of ``size`` bytes; ``metadata`` is given back with its state.

    Once it is whole, the page that it ``replaces`` is taken back.

    Raises:
        InputError: an empty file.
        LimitError: too large, or too many files.
        BusyError: too many files wait to be read.
        ConflictError: the application is not open for files.
        NotFoundError: no such application or page to replace.
        UnknownMaterialError: the matter has no such material.
    """
    caller.require("upload")
    if size < 1:
        raise InputError("the file is empty", message_zh="文件是空的，请重新选择")
    if size > ctx.settings.max_upload_bytes:
        raise LimitError(f"upload of {size} bytes is over {ctx.settings.max_upload_bytes}")
    check_room(ctx, caller, number, material)

    def work(session: Session) -> UploadState:
        now = ctx.clock()
        if replaces:
            pages.find_page(session, replaces, number)
        if len(pages.live_pages(session, number)) + uploads.count_open(session, number, now) >= MAX_FILES:
            raise LimitError(f"an application holds at most {MAX_FILES} files", message_zh="上传的材料份数过多")
        row = uploads.add_upload(
            session,
            number,
            caller.key_id,
            size,
            filename=plain_name(filename),
            material=material or "",
            replaces=replaces,
            metadata=metadata,
            expires_at=now + KEEP,
        )
        return _view(row)

    return run_once(ctx, caller, once, work)


def upload_state(ctx: Context, caller: Caller, number: str, upload: str) -> UploadState:
    """How far an upload is.

    Raises:
        NotFoundError: no such upload of this key, or it expired.
    """
    with ctx.database.read() as session:
        visible(session, caller, number, "upload")
        return _view(uploads.find_upload(session, upload, number, caller.key_id, ctx.clock()))


def continue_upload(
    ctx: Context, caller: Caller, number: str, upload: str, offset: int, data: bytes | Source
) -> UploadState:
    """Take the bytes from ``offset`` on, all or none; those that complete the file make it a page.

    Raises:
        ConflictError: other bytes are due; ask for the state.
        LimitError: more bytes than were announced.
        NotFoundError: no such upload of this key, or it expired.
        UnsupportedFileError: not JPEG, PNG, TIFF or PDF by its first bytes.
        InputError, BusyError: as :func:`docproc.flow.applications.applications.add_page`.
    """
    source = source_of(data)
    with ctx.database.write() as session:
        now = ctx.clock()
        visible(session, caller, number, "upload")
        row = uploads.find_upload(session, upload, number, caller.key_id, now, lock=True)
        if row.received != offset:
            raise ConflictError(f"the next byte is {row.received}, not {offset}", code="wrong_offset")
        if offset + source.size > row.size:
            raise LimitError(f"more than the announced {row.size} bytes")
        if not source.size or offset + source.size < row.size:
            if offset == 0 and source.size >= HEAD_BYTES:
                media_type(source.head)  # before the rest is sent in vain
            for piece in unchanged(source):
                if piece:
                    uploads.add_part(session, row, piece)
                    row.expires_at = now + KEEP
            return _view(row)
    return _finish(ctx, caller, row, _Parts(ctx, upload, offset, source))


def drop_upload(ctx: Context, caller: Caller, number: str, upload: str) -> None:
    """Abandon an upload; a page that was made of it stays.

    Raises:
        NotFoundError: no such upload of this key, or it expired.
    """
    with ctx.database.write() as session:
        visible(session, caller, number, "upload")
        uploads.find_upload(session, upload, number, caller.key_id, ctx.clock(), lock=True)
        uploads.drop_upload(session, upload)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A file whose first bytes lie in the database, part by part, and whose last ones just came."""

    ctx: Context
    upload: str
    kept: int
    """Bytes in the database."""
    last: Source
    sha256: str = field(init=False)
    head: bytes = field(init=False)

    def __post_init__(self) -> None:
        found, head = hashlib.sha256(), b""
        for piece in self.pieces():
            found.update(piece)
            if len(head) < HEAD_BYTES:
                head += piece[:HEAD_BYTES]
        object.__setattr__(self, "sha256", found.hexdigest())
        object.__setattr__(self, "head", head)

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return self.kept + self.last.size

    def pieces(self) -> Iterator[bytes]:
        """The parts in order, each read when it is its turn."""
        place = 0
        while place < self.kept:
            with self.ctx.database.read() as session:
                piece = uploads.part_at(session, self.upload, place)
            if not piece:
                raise NotFoundError(f"upload {self.upload} lost a part", message_zh="上传已过期，请重新上传")
            yield piece
            place += len(piece)
        yield from self.last.pieces()


def _finish(ctx: Context, caller: Caller, begun: UploadRow, whole: Source) -> UploadState:
    once = Once(f"upload:{begun.id}", whole.sha256)
    material = begun.material_hint or None
    number = begun.application
    page = add_page(ctx, caller, number, whole, filename=begun.filename, material=material, once=once)
    if begun.replaces and begun.replaces != page["id"]:
        remove_page(ctx, caller, number, begun.replaces)
    with ctx.database.write() as session:
        row = uploads.find_upload(session, begun.id, number, caller.key_id, ctx.clock(), lock=True)
        row.received, row.page_id = row.size, page["id"]
        uploads.drop_parts(session, row.id)
        session.flush()
        return _view(row)


def _view(row: UploadRow) -> UploadState:
    return {
        "id": row.id,
        "size": row.size,
        "offset": row.received,
        "metadata": row.client_metadata,
        "page": row.page_id or None,
        "expires_at": row.expires_at.isoformat(),
    }
