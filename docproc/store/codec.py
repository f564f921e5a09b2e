"""Domain dataclasses as JSON and back, without loss."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from docproc.domain import Field, Finding, PageReading, Quality


def reading_to_json(reading: PageReading) -> dict[str, Any]:
    """A page reading as JSON values."""
    return asdict(reading)


def reading_from_json(body: dict[str, Any]) -> PageReading:
    """Inverse of :func:`reading_to_json`."""
    quality = Quality(body["quality"]["verdict"], tuple(Finding(**f) for f in body["quality"]["findings"]))
    fields = {name: field_from_json(item) for name, item in body["fields"].items()}
    return PageReading(**{**body, "quality": quality, "fields": fields})


def field_from_json(body: dict[str, Any]) -> Field:
    """One field from its JSON values."""
    box = tuple(body["box"]) if body["box"] is not None else None
    rivals = tuple((value, behind) for value, behind in body.get("rivals", ()))
    return Field(**{**body, "box": box, "alternatives": tuple(body["alternatives"]), "rivals": rivals})
