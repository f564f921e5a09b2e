"""What an upload claims to be, by its first bytes; nothing is parsed."""

from __future__ import annotations

from docproc.errors import UnsupportedFileError

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
)


def media_type(data: bytes) -> str:
    """Media type by magic bytes.

    Raises:
        UnsupportedFileError: empty, or none of JPEG, PNG, TIFF and PDF.
    """
    for magic, name in _MAGIC:
        if data.startswith(magic):
            return name
    if not data:
        raise UnsupportedFileError("the file is empty", message_zh="文件是空的，请重新上传", code="empty_file")
    raise UnsupportedFileError("neither JPEG, PNG, TIFF nor PDF by its first bytes")
