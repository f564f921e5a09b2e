"""Limits on the size of an upload, and on what opening it may cost."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

PARSERS = 1
"""Raised with parsers that are quicker or need less: what was refused for its cost is then asked again."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Upper limits on one uploaded file."""

    bytes: int = 40_000_000
    pages: int = 30
    page_pixels: int = 64_000_000
    """Of one page: phone cameras deliver up to 50 million."""
    total_pixels: int = 240_000_000
    """Of all pages together: 27 pages of A4 at 300 dpi, or 60 at 200 dpi."""
    page_cpu_s: float = 10.0
    """CPU time of one page. The dearest that scanners and cameras make, on a busy core of a cloud machine: A4 at
    600 dpi as JPEG 2000 in a PDF 7.6 s, 60 million pixels as progressive JPEG 1.4 s; usual pages 0.05 to 0.4 s.
    The kernel counts by its clock's ticks, and where others take the core away some of their time with it."""
    cpu_s: float = 30.0
    """CPU time of the whole file."""
    memory_mb: int = 2048
    """Address space of the process that opens it, the parser itself with its 600 MiB included; a page at a time."""

    @property
    def word(self) -> str:
        """A short word for these limits: what one of them refused is not refused for ever under others."""
        return hashlib.sha256(json.dumps([PARSERS, asdict(self)]).encode()).hexdigest()[:16]
