"""The machine-readable half of a licence: the JSON that is attached to the PDF and covered by its seal."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from typing import Any

from docproc.canonical import canonical_json
from docproc.domain import Licence
from docproc.errors import InputError

ATTACHMENT = "licence.json"
SCHEMA = "docproc-licence-1"
MAX_BYTES = 256 * 1024
NOTICE = "correction_notice"
"""Kind of record that is no licence but a notice to an applicant; see :mod:`docproc.licence.page.notice`."""
MAX_SEALS = 8
"""Seals on one licence; a bound on work."""
_DATES = ("issued_on", "valid_from", "valid_to")


def licence_json(licence: Licence) -> bytes:
    """Canonical JSON (UTF-8, sorted keys, no spaces): the same licence always gives the same bytes."""
    data: dict[str, Any] = {item.name: getattr(licence, item.name) for item in fields(licence)}
    for name in _DATES:
        data[name] = data[name].isoformat() if data[name] is not None else None
    data["fields"] = [list(row) for row in licence.fields]
    if licence.joint:
        data["joint"] = [list(party) for party in licence.joint]
    else:
        del data["joint"]  # most licences have one authority, and their record is older than this entry
    data["schema"] = SCHEMA
    return canonical_json(data)


def parse_licence_json(data: bytes) -> Licence:
    """Read what :func:`licence_json` wrote.

    Raises:
        InputError: not JSON, another schema, a missing, unknown or ill-typed entry, or not in canonical form.
    """
    if len(data) > MAX_BYTES:
        raise InputError(f"licence data of {len(data)} bytes is over the limit of {MAX_BYTES}")
    try:
        raw = json.loads(data)
        licence = _build(raw)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"licence data cannot be read: {error}") from error
    if licence_json(licence) != data:
        raise InputError("licence data is not in canonical form")
    return licence


def _build(raw: Any) -> Licence:
    if not isinstance(raw, dict) or raw.pop("schema", None) != SCHEMA:
        raise ValueError(f"not of schema {SCHEMA}")
    for name in _DATES:
        raw[name] = date.fromisoformat(raw[name]) if raw[name] is not None or name != "valid_to" else None
    raw["fields"] = tuple((str(name), str(label), str(value)) for name, label, value in raw["fields"])
    raw["joint"] = tuple((str(name), str(code)) for name, code in raw.get("joint", ()))
    licence = Licence(**raw)
    for item in fields(licence):
        expected = {"version": int, "fields": tuple, "joint": tuple}.get(
            item.name, date if item.name in _DATES else str
        )
        value = getattr(licence, item.name)
        if type(value) is not expected and not (item.name == "valid_to" and value is None):
            raise ValueError(f"{item.name} is not of type {expected.__name__}")
    return licence
