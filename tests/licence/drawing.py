"""The art of a seal as a picture."""

from __future__ import annotations

import numpy as np
import pymupdf

from docproc.licence.page.art import SealArt
from docproc.licence.page.canvas import PT


def raster(art: SealArt, dpi: int = 600) -> np.ndarray:
    """Ink of the seal as a boolean picture, drawn by MuPDF."""
    side = art.diameter * PT
    document = pymupdf.open()
    page = document.new_page(width=side, height=side)
    content = document.get_new_xref()
    document.update_object(content, "<<>>")
    document.update_stream(content, art.operators)
    page.set_contents(content)
    pixels = page.get_pixmap(dpi=dpi)
    picture = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width, 3)
    return picture[:, :, 1] < 128
