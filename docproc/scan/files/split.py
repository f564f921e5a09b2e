"""Split an upload into page images, within limits.

The first bytes of a file decide its kind, never its name. Parsers of images and PDF are large and not hardened against
hostile input: the service calls this module through :mod:`docproc.scan.files.split_limited`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pymupdf

from docproc.errors import InputError, LimitError, UnsupportedFileError
from docproc.scan.files import headers, heif
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.sniff import sniff
from docproc.scan.image.geometry import Image

_RENDER_DPI = 200.0
_FULL_PAGE = 0.92
"""Minimum share of a PDF page's width and height that an embedded image covers to count as a scan of the page."""
_EMBEDDED_DPI = (90.0, 700.0)
"""Range of resolutions at which such an image is used without rendering the page."""
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
        yield from map(_large_enough, _pdf(data, limits, first, pixels))
        return
    if kind == "heic":
        yield _large_enough(_heic(data, limits))
        return
    sizes = headers.tiff(data) if kind == "tiff" else (_SINGLE[kind](data),)
    _check_pages([(header.width, header.height) for header in sizes], limits)
    for index in range(first, len(sizes)):
        image = _tiff(data, index) if kind == "tiff" else _gif(data) if kind == "gif" else _decode(data)
        yield _large_enough(PageImage(index, image, sizes[index].dpi, len(sizes)))


_SINGLE = {"jpeg": headers.jpeg, "png": headers.png, "gif": headers.gif, "webp": headers.webp}


def _check_pages(sizes: list[tuple[int, int]], limits: UploadLimits) -> None:
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
                return _on_white(layers)
        image = cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    except cv2.error as problem:
        raise _failed(problem) from problem
    if image is None:
        raise headers.damaged("picture cannot be decoded")
    return np.asarray(image, np.uint8)


def _failed(problem: Exception) -> InputError:
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
    _check_pages([(header.width, header.height)], limits)
    image = heif.decode(file)
    return PageImage(0, np.ascontiguousarray(_on_white(image) if image.shape[2] == 4 else image), None)


def _on_white(layers: Image) -> Image:
    """Blend BGRA of 8 or 16 bits with white, some rows at a time."""
    white = np.empty((*layers.shape[:2], 3), np.uint8)
    for start in range(0, len(layers), _ROWS):
        part = layers[start : start + _ROWS]
        if part.dtype != np.uint8:
            part = (part >> 8).astype(np.uint8)
        alpha = part[..., 3:].astype(np.uint16)
        white[start : start + _ROWS] = (part[..., :3].astype(np.uint16) * alpha + 255 * (255 - alpha) + 127) // 255
    return white


def _tiff(data: bytes, index: int) -> Image:
    """Decode one page, 0-based."""
    try:
        good, images = cv2.imdecodemulti(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR, range=(index, index + 1))
    except cv2.error as problem:
        raise _failed(problem) from problem
    if not good or len(images) != 1:
        raise headers.damaged(f"page {index + 1} of the TIFF cannot be decoded")
    return np.asarray(images[0], np.uint8)


def _gif(data: bytes) -> Image:
    """Decode the first frame."""
    return _pixmap(pymupdf.Pixmap(data))


def _pdf(data: bytes, limits: UploadLimits, first: int, pixels: int) -> Iterator[PageImage]:
    """Pages of a PDF: the embedded image where a page consists of nothing else, a rendering otherwise."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        with pymupdf.open(stream=data, filetype="pdf") as document:
            if document.needs_pass:
                raise UnsupportedFileError(
                    "encrypted PDF", message_zh="PDF 已加密，请取消密码保护后重新上传", code="encrypted_pdf"
                )
            if document.page_count == 0:
                raise UnsupportedFileError(
                    "PDF without pages", message_zh="PDF 中没有页面，请重新扫描后上传", code="no_pages"
                )
            _check_pages([(1, 1)] * document.page_count, limits)
            for index in range(first, document.page_count):
                left = replace(limits, total_pixels=limits.total_pixels - pixels)
                image, dpi = _pdf_page(document, index, left)
                pixels += image.shape[0] * image.shape[1]
                yield PageImage(index, image, dpi, document.page_count)
                pymupdf.TOOLS.store_shrink(100)  # what one page left in the cache is nothing to the next
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as problem:
        raise _failed(problem) from problem


def _pdf_page(document: pymupdf.Document, index: int, limits: UploadLimits) -> tuple[Image, float]:
    """One page and its resolution."""
    page = document[index]
    embedded = _embedded(document, page, limits)
    if embedded is not None:
        return embedded
    scale = _RENDER_DPI / 72
    _check_pages([(round(page.rect.width * scale), round(page.rect.height * scale))], limits)
    return _pixmap(page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)), _RENDER_DPI


def _embedded(document: pymupdf.Document, page: pymupdf.Page, limits: UploadLimits) -> tuple[Image, float] | None:
    """The JPEG or PNG that a page consists of, and its resolution; ``None`` when the page has other content."""
    drawn = [kind for kind, _ in page.get_bboxlog() if kind not in ("ignore-text", "clip-image-mask")]
    if drawn != ["fill-image"] or page.rotation or page.first_annot or page.first_widget:
        return None
    places = page.get_image_info(xrefs=True)
    if len(places) != 1 or not places[0]["xref"] or places[0].get("has-mask"):
        return None
    place = places[0]
    a, b, c, d, _, _ = place["transform"]
    box = pymupdf.Rect(place["bbox"])
    upright = a > 0 and d > 0 and abs(b) < 1e-3 * a and abs(c) < 1e-3 * d
    if not upright or (box & page.rect).width < _FULL_PAGE * page.rect.width:
        return None
    inner = pymupdf.Rect(box.x0 + 2, box.y0 + 2, box.x1 - 2, box.y1 - 2)
    if (box & page.rect).height < _FULL_PAGE * page.rect.height or not page.rect.contains(inner):
        return None
    dpi = place["width"] * 72 / box.width
    if not _EMBEDDED_DPI[0] <= dpi <= _EMBEDDED_DPI[1]:
        return None
    _check_pages([(place["width"], place["height"])], limits)
    raw = document.extract_image(place["xref"])
    if raw.get("ext") not in ("jpeg", "png") or raw.get("colorspace", 0) not in (1, 3):
        return None
    if sniff(raw["image"]) == "jpeg":
        header = headers.jpeg(raw["image"])
        _check_pages([(header.width, header.height)], limits)
    image = cv2.imdecode(np.frombuffer(raw["image"], np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if image is None else (np.asarray(image, np.uint8), float(dpi))


def _pixmap(pixmap: pymupdf.Pixmap) -> Image:
    """Convert a MuPDF pixmap to BGR, transparency on white."""
    if pixmap.colorspace is None or pixmap.colorspace.n != 3:
        pixmap = pymupdf.Pixmap(pymupdf.csRGB, pixmap)
    samples = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.width, pixmap.n)
    if pixmap.alpha:
        return _on_white(np.ascontiguousarray(samples[..., [2, 1, 0, 3]]))
    return np.asarray(cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), np.uint8)
