"""The code by which an applicant picks the result up at the counter."""

from __future__ import annotations

import hashlib


def pickup_code(follow_code: str, licence: str) -> str:
    """Six digits that only who holds the follow code is shown; that code cannot be derived from them."""
    digest = hashlib.sha256(f"pick-up {follow_code} {licence}".encode()).digest()
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06d}"
