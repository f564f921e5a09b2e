"""Convert domain dataclasses to JSON and back, without loss.

During an upgrade, processes of both versions read what either wrote: an unknown key is ignored, and a missing
one takes its default.
"""

from __future__ import annotations

from dataclasses import asdict, fields

from docproc.canonical import JsonObject
from docproc.domain import Field, Finding, PageReading, Quality

_OF_A_READING = frozenset(item.name for item in fields(PageReading))
_OF_A_FIELD = frozenset(item.name for item in fields(Field))


def reading_to_json(reading: PageReading) -> JsonObject:
    """A page reading as JSON values."""
    return asdict(reading)


def reading_from_json(body: JsonObject) -> PageReading:
    """Inverse of :func:`reading_to_json`."""
    quality = Quality(body["quality"]["verdict"], tuple(Finding(**f) for f in body["quality"]["findings"]))
    found = {name: field_from_json(item) for name, item in body["fields"].items()}
    return PageReading(**_known(_OF_A_READING, {**body, "quality": quality, "fields": found}))


def field_from_json(body: JsonObject) -> Field:
    """One field from its JSON values."""
    box = tuple(body["box"]) if body["box"] is not None else None
    rivals = tuple((value, behind) for value, behind in body.get("rivals", ()))
    made = {"box": box, "alternatives": tuple(body["alternatives"]), "rivals": rivals}
    return Field(**_known(_OF_A_FIELD, {**body, **made}))


def _known(names: frozenset[str], body: JsonObject) -> JsonObject:
    return {name: value for name, value in body.items() if name in names}
