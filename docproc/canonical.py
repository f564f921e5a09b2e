"""One canonical JSON: what is hashed or signed is written in exactly one way, so that equal values have equal bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

JsonObject = dict[str, Any]
"""A JSON object whose keys are not known here: what somebody else wrote, or what differs from case to case."""


def canonical_json(value: object) -> bytes:
    """Write a JSON value as UTF-8 with sorted keys, no blanks and no escapes beyond those that JSON demands.

    Signed licences, the audit chain and the hashes of what officials saw rest on these bytes: they never change.

    Raises:
        TypeError: not a JSON value.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def canonical_sha256(value: object) -> str:
    """SHA-256 of :func:`canonical_json`, in lower-case hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()
