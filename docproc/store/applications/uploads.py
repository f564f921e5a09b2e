"""Queries on resumable uploads: their progress and the bytes received so far; nothing is committed here."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import NotFoundError
from docproc.store.tables.applications import UploadPartRow, UploadRow


def add_upload(
    session: Session,
    application: str,
    key_id: str,
    size: int,
    *,
    filename: str,
    material: str,
    replaces: str,
    metadata: str,
    expires_at: datetime,
) -> UploadRow:
    """Insert an upload of ``size`` bytes, none of them received."""
    row = UploadRow(
        id=uuid4().hex,
        application=application,
        key_id=key_id,
        size=size,
        received=0,
        filename=filename,
        material_hint=material,
        replaces=replaces,
        client_metadata=metadata,
        page_id="",
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row


def find_upload(
    session: Session, upload: str, application: str, key_id: str, now: datetime, *, lock: bool = False
) -> UploadRow:
    """The upload with this key, unless it has expired.

    Raises:
        NotFoundError: there is none.
    """
    row = session.get(UploadRow, upload, with_for_update=lock)
    if row is None or (row.application, row.key_id) != (application, key_id) or row.expires_at <= now:
        raise NotFoundError(f"no upload {upload!r}: it expired or never was", message_zh="上传已过期，请重新上传")
    return row


def count_open(session: Session, application: str, now: datetime) -> int:
    """Number of unfinished uploads of an application."""
    query = sa.select(sa.func.count()).where(
        UploadRow.application == application, UploadRow.page_id == "", UploadRow.expires_at > now
    )
    return session.scalar(query) or 0


def add_part(session: Session, row: UploadRow, data: bytes) -> None:
    """Store the next bytes; the upload must be locked."""
    session.add(UploadPartRow(upload=row.id, start=row.received, data=data))
    row.received += len(data)
    session.flush()


def part_at(session: Session, upload: str, start: int) -> bytes:
    """The part that begins at a byte; empty where none does."""
    query = sa.select(UploadPartRow.data).where(UploadPartRow.upload == upload, UploadPartRow.start == start)
    return session.scalar(query) or b""


def drop_parts(session: Session, upload: str) -> None:
    """Delete the bytes of an upload."""
    session.execute(sa.delete(UploadPartRow).where(UploadPartRow.upload == upload))


def drop_upload(session: Session, upload: str) -> None:
    """Delete an upload and its bytes."""
    drop_parts(session, upload)
    session.execute(sa.delete(UploadRow).where(UploadRow.id == upload))


def drop_open(session: Session, application: str) -> None:
    """Delete the unfinished uploads of an application."""
    unfinished = sa.select(UploadRow.id).where(UploadRow.application == application, UploadRow.page_id == "")
    session.execute(sa.delete(UploadPartRow).where(UploadPartRow.upload.in_(unfinished)))
    session.execute(sa.delete(UploadRow).where(UploadRow.application == application, UploadRow.page_id == ""))


def drop_expired(session: Session, now: datetime) -> int:
    """Delete expired uploads and their bytes; returns how many."""
    old = sa.select(UploadRow.id).where(UploadRow.expires_at <= now)
    session.execute(sa.delete(UploadPartRow).where(UploadPartRow.upload.in_(old)))
    return len(session.scalars(sa.delete(UploadRow).where(UploadRow.expires_at <= now).returning(UploadRow.id)).all())
