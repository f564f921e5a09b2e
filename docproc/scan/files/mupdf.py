"""PDF and GIF files by MuPDF, which is loaded where such a file comes; see :mod:`docproc.scan.files.split`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
import pymupdf

from docproc.errors import UnsupportedFileError
from docproc.scan.files import headers
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.sniff import sniff
from docproc.scan.files.split import PageImage, check_pages, failed, on_white
from docproc.scan.image.geometry import Image

_RENDER_DPI = 200.0
_FULL_PAGE = 0.92
"""Minimum share of a PDF page's width and height that an embedded image covers to count as a scan of the page."""
_EMBEDDED_DPI = (90.0, 700.0)
"""Range of resolutions at which such an image is used without rendering the page."""


def gif_frame(data: bytes) -> Image:
    """Decode the first frame."""
    return _pixmap(pymupdf.Pixmap(data))


def pdf_pages(data: bytes, limits: UploadLimits, first: int, pixels: int) -> Iterator[PageImage]:
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
            check_pages([(1, 1)] * document.page_count, limits)
            for index in range(first, document.page_count):
                left = replace(limits, total_pixels=limits.total_pixels - pixels)
                image, dpi = _pdf_page(document, index, left)
                pixels += image.shape[0] * image.shape[1]
                yield PageImage(index, image, dpi, document.page_count)
                pymupdf.TOOLS.store_shrink(100)  # what one page left in the cache is nothing to the next
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as problem:
        raise failed(problem) from problem


def _pdf_page(document: pymupdf.Document, index: int, limits: UploadLimits) -> tuple[Image, float]:
    """One page and its resolution."""
    page = document[index]
    embedded = _embedded(document, page, limits)
    if embedded is not None:
        return embedded
    scale = _RENDER_DPI / 72
    check_pages([(round(page.rect.width * scale), round(page.rect.height * scale))], limits)
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
    check_pages([(place["width"], place["height"])], limits)
    raw = document.extract_image(place["xref"])
    if raw.get("ext") not in ("jpeg", "png") or raw.get("colorspace", 0) not in (1, 3):
        return None
    if sniff(raw["image"]) == "jpeg":
        header = headers.jpeg(raw["image"])
        check_pages([(header.width, header.height)], limits)
    image = cv2.imdecode(np.frombuffer(raw["image"], np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return None if image is None else (np.asarray(image, np.uint8), float(dpi))


def _pixmap(pixmap: pymupdf.Pixmap) -> Image:
    """Convert a MuPDF pixmap to BGR, transparency on white."""
    if pixmap.colorspace is None or pixmap.colorspace.n != 3:
        pixmap = pymupdf.Pixmap(pymupdf.csRGB, pixmap)
    samples = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.width, pixmap.n)
    if pixmap.alpha:
        return on_white(np.ascontiguousarray(samples[..., [2, 1, 0, 3]]))
    return np.asarray(cv2.cvtColor(samples, cv2.COLOR_RGB2BGR), np.uint8)
