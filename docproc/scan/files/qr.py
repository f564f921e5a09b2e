"""Read QR codes of any content."""

from __future__ import annotations

import zxingcpp

from docproc.scan.image.geometry import Image, grey, shrink

_LONGEST = 2400


def read_qr_codes(image: Image) -> tuple[str, ...]:
    """Return the contents of all QR codes in an image, in any orientation."""
    reduced, _ = shrink(grey(image), _LONGEST)
    return tuple(code.text for code in zxingcpp.read_barcodes(reduced, formats=zxingcpp.BarcodeFormat.QRCode))
