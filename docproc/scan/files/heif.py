"""Decode HEIC pictures, which phones make; the only module that knows pillow-heif."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif

from docproc.scan.files import headers
from docproc.scan.image.geometry import Image

# A sheet is one picture: thumbnails, depth maps and masks beside it would only be more to decode.
pillow_heif.options.THUMBNAILS = False
pillow_heif.options.DEPTH_IMAGES = False
pillow_heif.options.AUX_IMAGES = False
pillow_heif.options.DECODE_THREADS = 1


def open_picture(data: bytes) -> pillow_heif.HeifFile:
    """Read the container of a HEIC file (ISO/IEC 23008-12); nothing is decoded yet.

    Raises:
        UnsupportedFileError: damaged, or it holds no picture.
    """
    try:
        return pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True, bgr_mode=True)
    except (ValueError, RuntimeError, SyntaxError, OSError, EOFError, IndexError) as problem:
        raise headers.damaged(f"HEIC cannot be opened: {problem}") from problem


def size(file: pillow_heif.HeifFile) -> headers.Header:
    """The size of the primary picture, turned as the file says."""
    width, height = file.size
    return headers.Header(width, height, None)


def decode(file: pillow_heif.HeifFile) -> Image:
    """Decode the primary picture to H x W x 3 BGR, or x 4 BGRA where it is transparent.

    Raises:
        UnsupportedFileError: the picture data is damaged or cut off.
    """
    try:
        image = np.asarray(file)
    except (ValueError, RuntimeError, SyntaxError, OSError, EOFError) as problem:
        raise headers.damaged(f"HEIC cannot be decoded: {problem}") from problem
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return image
