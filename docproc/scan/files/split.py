"""Split an upload into page images, within limits.

The first bytes of a file decide its kind, never its name. Parsers of images and PDF are large and not hardened against
hostile input: the service calls this module through :mod:`docproc.scan.files.split_limited`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from docproc.errors import InputError, LimitError, UnsupportedFileError
from docproc.scan.files import headers, heif
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.sniff import sniff
from docproc.scan.image.geometry import Image

_LEAST_PX = 16
"""Shortest side of a page; a single line of print is taller."""
_ROWS = 256
"""Rows of a picture that are blended at a time."""


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page of an upload."""

    index: int
    """0-based within the file."""
    image: Image
    """H x W x 3 BGR, rotated by the file's EXIF orientation."""
    dpi: float | None
    """Dots per inch where the file states them; many cameras write a meaningless 72."""
    count: int = 1
    """Pages of the file."""


def split(data: bytes, limits: UploadLimits | None = None) -> tuple[PageImage, ...]:
    """Split a JPEG, PNG, TIFF, GIF (first frame), WebP, HEIC or PDF file into pages; raises as :func:`each_page`."""
    return tuple(each_page(data, limits))


def each_page(data: bytes, limits: UploadLimits | None = None, first: int = 0, pixels: int = 0) -> Iterator[PageImage]:
    """Split a file into pages, of which one at a time is in memory.

    Args:
        data: the file.
        limits: on sizes and numbers; those on time and memory are for who runs this.
        first: index of the page to begin with.
        pixels: of the pages before it.

    Raises:
        UnsupportedFileError: another kind of file, damaged, truncated, encrypted or without pages.
        LimitError: over a limit; sizes are read from headers before anything is decoded.
    """
    limits = limits or UploadLimits()
    if len(data) > limits.bytes:
        raise LimitError(
            f"{len(data)} bytes, at most {limits.bytes}",
            message_zh=f"文件超过 {limits.bytes // 1_000_000} MB，请降低扫描分辨率或分开上传",
            code="file_too_large",
        )
    kind = sniff(data)
    if kind == "pdf":
        from docproc.scan.files.mupdf import pdf_pages

        yield from map(_large_enough, pdf_pages(data, limits, first, pixels))
        return
    if kind == "heic":
        yield _large_enough(_heic(data, limits))
        return
    sizes = headers.tiff(data) if kind == "tiff" else (_SINGLE[kind](data),)
    check_pages([(header.width, header.height) for header in sizes], limits)
    for index in range(first, len(sizes)):
        image = _tiff(data, index) if kind == "tiff" else _gif(data) if kind == "gif" else _decode(data)
        yield _large_enough(PageImage(index, image, sizes[index].dpi, len(sizes)))


_SINGLE = {"jpeg": headers.jpeg, "png": headers.png, "gif": headers.gif, "webp": headers.webp}


def check_pages(sizes: list[tuple[int, int]], limits: UploadLimits) -> None:
    """Reject too many pages or pixels, and images without pixels."""
    if len(sizes) > limits.pages:
        raise LimitError(
            f"{len(sizes)} pages, at most {limits.pages}",
            message_zh=f"文件超过 {limits.pages} 页，请分开上传",
            code="too_many_pages",
        )
    if any(width < 1 or height < 1 for width, height in sizes):
        raise headers.damaged("picture without pixels")
    pixels = [width * height for width, height in sizes]
    if max(pixels, default=0) > limits.page_pixels or sum(pixels) > limits.total_pixels:
        raise LimitError(
            f"{max(pixels)} pixels a page, {sum(pixels)} in all",
            message_zh="图片像素过大，请以 200 至 300 DPI 重新扫描，或降低拍照分辨率后上传",
            code="too_many_pixels",
        )


def _large_enough(page: PageImage) -> PageImage:
    """Reject what is too small to be measured, let alone read."""
    if min(page.image.shape[:2]) < _LEAST_PX:
        raise UnsupportedFileError(
            f"page of {page.image.shape[1]} x {page.image.shape[0]} pixels",
            message_zh="图片太小，看不出内容，请重新扫描或拍照后上传",
            code="too_small",
        )
    return page


def _decode(data: bytes) -> Image:
    """Decode a JPEG, PNG or WebP to BGR, rotated by its EXIF orientation, transparency on white."""
    buffer = np.frombuffer(data, np.uint8)
    try:
        if _has_alpha(data):
            layers = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
            if layers is not None and layers.ndim == 3 and layers.shape[2] == 4:
                return on_white(layers)
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    except cv2.error as problem:
        raise failed(problem) from problem
    if image is None:
        raise headers.damaged("picture cannot be decoded")
    return np.asarray(image, np.uint8)


def failed(problem: Exception) -> InputError:
    """Translate a decoder's error: out of memory under a limit, or a damaged file."""
    if getattr(problem, "code", None) == cv2.Error.StsNoMem or "malloc" in str(problem):
        return LimitError(
            f"not enough memory: {problem}",
            message_zh="文件展开后过大，请降低分辨率或分开上传",
            code="too_much_memory",
        )
    return headers.damaged(f"cannot be decoded: {problem}")


def _has_alpha(data: bytes) -> bool:
    """Whether a PNG's colour type has transparency, or a palette may have it; a WebP file may."""
    if data[:1] == b"\x89":
        return data[25:26] in (b"\x04", b"\x06", b"\x03")
    return data[:4] == b"RIFF"


def _heic(data: bytes, limits: UploadLimits) -> PageImage:
    file = heif.open_picture(data)
    header = heif.size(file)
    check_pages([(header.width, header.height)], limits)
    image = heif.decode(file)
    return PageImage(0, np.ascontiguousarray(on_white(image) if image.shape[2] == 4 else image), None)


def on_white(layers: Image) -> Image:
    """Blend BGRA of 8 or 16 bits with white, some rows at a time."""
    white = np.empty((*layers.shape[:2], 3), np.uint8)
    for start in range(0, len(layers), _ROWS):
        part = layers[start : start + _ROWS]
        if part.dtype != np.uint8:
            part = (part >> 8).astype(np.uint8)
        alpha = part[..., 3:].astype(np.uint16)
        white[start : start + _ROWS] = (part[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha) + 127) // 255
    return white


def load() -> None:
    """Load what opens PDF and GIF files, where many will come."""
    from docproc.scan.files import mupdf  # noqa: F401


def _gif(data: bytes) -> Image:
    from docproc.scan.files.mupdf import gif_frame

    return gif_frame(data)


def _tiff(data: bytes, index: int) -> Image:
    """Decode one page, 0-based."""
    try:
        good, images = cv2.imdecodemulti(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR, range=(index, index + 1))
    except cv2.error as problem:
        raise failed(problem) from problem
    if not good or len(images) != 1:
        raise headers.damaged(f"page {index + 1} of the TIFF cannot be decoded")
    return np.asarray(images[0], np.uint8)
