"""Limits on the size of an upload."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Upper limits on one uploaded file."""

    bytes: int = 40_000_000
    pages: int = 30
    page_pixels: int = 64_000_000
    """Of one page: phone cameras deliver up to 50 million."""
    total_pixels: int = 240_000_000
    """Of all pages together: 27 pages of A4 at 300 dpi, or 60 at 200 dpi."""
