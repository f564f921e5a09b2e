"""What an upload is by its first bytes; nothing is parsed."""

from __future__ import annotations

from docproc.scan.files.sniff import FileKind, sniff

MEDIA_TYPES: dict[FileKind, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "tiff": "image/tiff",
    "gif": "image/gif",
    "webp": "image/webp",
    "heic": "image/heic",
    "pdf": "application/pdf",
}


def media_type(data: bytes) -> str:
    """Media type by magic bytes.

    Raises:
        UnsupportedFileError: nothing that can be read as a scan.
    """
    return MEDIA_TYPES[sniff(data)]
