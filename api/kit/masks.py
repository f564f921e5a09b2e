"""Personal data with its middle hidden, for those who do not need all of it."""

from __future__ import annotations

from docproc.matter.model import FieldType

PERSONAL: frozenset[FieldType] = frozenset({"cid", "mobile", "phone", "address"})
"""Field types that tell where to find somebody or who they are."""


def masked(kind: FieldType | None, value: str | None) -> str | None:
    """The value as somebody sees it who works on something else; an unknown kind is hidden like an identity number."""
    if not value or (kind is not None and kind not in PERSONAL):
        return value
    if kind == "address":
        return value[:6] + "＊＊＊" if len(value) > 6 else "＊＊＊"
    keep = (6, 2) if len(value) >= 15 else (3, 2)
    if len(value) <= sum(keep):
        return "*" * len(value)
    return value[: keep[0]] + "*" * (len(value) - sum(keep)) + value[-keep[1] :]
