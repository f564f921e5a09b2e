"""What the fuzzer does not know by itself: the bodies of uploads, and the version that tus wants named."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import strategies as st

FILES = ("application/offset+octet-stream", "application/pdf", "image/jpeg", "image/png")
BEGINNINGS = (b"", b"%PDF-1.7\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04")
made_up = st.tuples(st.sampled_from(BEGINNINGS), st.binary(max_size=2000)).map(b"".join)

for kind in FILES:
    schemathesis.openapi.media_type(kind, made_up)
    schemathesis.serializer.alias(kind, "application/octet-stream")


@schemathesis.hook
def map_headers(context: Any, headers: dict[str, str] | None) -> dict[str, str]:
    """Most requests speak our version, so that they come as far as the upload itself."""
    given = dict(headers or {})
    if given.get("tus-resumable", given.get("Tus-Resumable")) == "":
        given = {**given, "Tus-Resumable": "1.0.0"}
    return given
