"""Read QR codes of any content."""

from __future__ import annotations

import zxingcpp

from docproc.scan.image.geometry import Image, grey, shrink

_LONGEST = 2400


def qr_texts(image: Image) -> tuple[str, ...]:
    """Texts of all QR codes in a picture, in any orientation."""
    reduced, _ = shrink(grey(image), _LONGEST)
    return tuple(code.text for code in zxingcpp.read_barcodes(reduced, formats=zxingcpp.BarcodeFormat.QRCode))
