"""Whether JSON is of a size that a request of ours can have, before it is made into objects."""

from __future__ import annotations

import re

from docproc.errors import InputError

DEPTH, VALUES = 32, 50_000
"""Most brackets inside each other, and most values of one body."""
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_MARK = re.compile(rb"[\[\]{},]")


def check_shape(body: bytes) -> None:
    """Refuse what is too deep or has too many values; whether it is JSON at all is found out by reading it.

    Raises:
        InputError: it is, or has.
    """
    marks = _MARK.findall(_TEXT.sub(b"", body))
    if len(marks) > VALUES:
        raise InputError(f"JSON with more than {VALUES} values", code="json_too_large")
    depth = 0
    for mark in marks:
        if mark in b"[{":
            depth += 1
            if depth > DEPTH:
                raise InputError(f"JSON deeper than {DEPTH}", code="json_too_deep")
        elif mark in b"]}":
            depth -= 1
