"""Large answers: stored files on their way out, a piece at a time in memory."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import StreamingResponse

from docproc.store.blobs.source import Stored


def stored(file: Stored, kind: str, headers: Mapping[str, str]) -> StreamingResponse:
    """A stored file as an answer; one that is found damaged on the way ends before its announced length."""
    return StreamingResponse(file.pieces, media_type=kind, headers={**headers, "Content-Length": str(file.size)})
