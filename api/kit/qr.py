"""QR codes inside pages."""

from __future__ import annotations

import segno
from markupsafe import Markup


def qr_svg(text: str) -> Markup:
    """A QR code as an SVG element that grows with its box; whoever uses it gives it a name for screen readers."""
    code = segno.make(text, error="m", micro=False)
    # segno writes nothing of the text into the picture but squares
    return Markup(code.svg_inline(border=3, omitsize=True, svgclass="qr", lineclass=None))
