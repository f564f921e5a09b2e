"""Detect the kind of a file by its first bytes; nothing is parsed, so this is safe in the web process."""

from __future__ import annotations

from typing import Literal

from docproc.errors import UnsupportedFileError

FileKind = Literal["jpeg", "png", "tiff", "gif", "webp", "heic", "pdf"]

_MAGIC: tuple[tuple[bytes, FileKind], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
_PDF_WITHIN = 1024
"""Offset in bytes up to which readers accept a PDF header (ISO 32000-1, implementation note 13)."""
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1")
"""Brands of still pictures coded as HEVC (ISO/IEC 23008-12, annex B); `mif1` may stand before the codec's own."""
_OTHER_BRANDS = (b"avif", b"avis", b"hevc", b"msf1")


def sniff(data: bytes) -> FileKind:
    """Return the kind of an upload.

    Raises:
        UnsupportedFileError: unsupported; its code and message to the citizen name the probable kind.
    """
    if not data:
        raise UnsupportedFileError("empty file", message_zh="文件是空的，请重新选择文件上传", code="empty_file")
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        return "heic"
    head = data[:_PDF_WITHIN]
    if b"%PDF-" in head:
        return "pdf"
    if data[4:8] == b"ftyp" and data[8:12] in _OTHER_BRANDS:
        raise UnsupportedFileError(
            "AVIF picture or a sequence of pictures",
            message_zh="暂不支持这种照片格式，请将手机相机格式设为“兼容性最佳”(JPEG)后重新拍照",
            code="heic_file",
        )
    if b"<svg" in head.lower() or b"<html" in head.lower() or head.lstrip().startswith(b"<?xml"):
        raise UnsupportedFileError(
            "SVG, HTML or XML",
            message_zh="文件内容是网页或矢量图，不是扫描件，请上传 JPEG、PNG、HEIC、TIFF 或 PDF",
            code="markup_file",
        )
    if data[:2] in (b"PK", b"\xd0\xcf"):
        raise UnsupportedFileError(
            "archive or office document",
            message_zh="文件是压缩包或办公文档，请导出为 PDF 后上传",
            code="office_file",
        )
    raise UnsupportedFileError(f"unknown kind of file: {data[:8]!r}")
