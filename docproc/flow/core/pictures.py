"""Boxes and small pictures inside JSON."""

from __future__ import annotations

import base64
from collections.abc import Sequence


def rounded(box: Sequence[float]) -> list[float]:
    """A box in pixels, to a tenth."""
    return [round(value, 1) for value in box]


def base64_of(jpeg: bytes) -> str:
    """A small picture inside JSON."""
    return base64.b64encode(jpeg).decode("ascii")
