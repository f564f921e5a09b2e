"""What the fuzzer does not know by itself: the body of a part of an upload, and the version that tus wants named."""

from __future__ import annotations

from typing import Any

import schemathesis
from hypothesis import strategies as st

PART = "application/offset+octet-stream"

schemathesis.openapi.media_type(PART, st.binary(max_size=2000))
schemathesis.serializer.alias(PART, "application/octet-stream")


@schemathesis.hook
def map_headers(context: Any, headers: dict[str, str] | None) -> dict[str, str]:
    """Most requests speak our version, so that they come as far as the upload itself."""
    given = dict(headers or {})
    if given.get("tus-resumable", given.get("Tus-Resumable")) == "":
        given = {**given, "Tus-Resumable": "1.0.0"}
    return given
