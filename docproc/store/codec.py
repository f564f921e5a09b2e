"""Convert domain dataclasses to JSON and back, without loss.

During an upgrade, processes of both versions read what either wrote: an unknown key is ignored, and a missing
one takes its default.
"""

from __future__ import annotations

from dataclasses import asdict, fields

from docproc.canonical import JsonObject
from docproc.domain import ArcCharacter, ArcPlace, Field, Finding, PageReading, Quality, Seal, as_box

_OF_A_READING = frozenset(item.name for item in fields(PageReading))
_OF_A_FIELD = frozenset(item.name for item in fields(Field))
_OF_A_FINDING = frozenset(item.name for item in fields(Finding))
_OF_A_SEAL = frozenset(item.name for item in fields(Seal))


def reading_to_json(reading: PageReading) -> JsonObject:
    """A page reading as JSON values."""
    body = asdict(reading)
    for item in body["quality"]["findings"]:
        if not item["look"]:  # a process of the version before takes no key of a finding that it does not know
            del item["look"]
    return body


def reading_from_json(body: JsonObject) -> PageReading:
    """Inverse of :func:`reading_to_json`."""
    quality = Quality(body["quality"]["verdict"], tuple(_finding(f) for f in body["quality"]["findings"]))
    found = {name: field_from_json(item) for name, item in body["fields"].items()}
    return PageReading(**_known(_OF_A_READING, {**body, "quality": quality, "fields": found}))


def field_from_json(body: JsonObject) -> Field:
    """One field from its JSON values."""
    box = tuple(body["box"]) if body["box"] is not None else None
    rivals = tuple((value, behind) for value, behind in body.get("rivals", ()))
    seals = _seals_from_json(body["seals"]) if body.get("seals") is not None else None
    made = {"box": box, "alternatives": tuple(body["alternatives"]), "rivals": rivals, "seals": seals}
    return Field(**_known(_OF_A_FIELD, {**body, **made}))


def _finding(body: JsonObject) -> Finding:
    return Finding(**_known(_OF_A_FINDING, body))


def _seals_from_json(seals: list[JsonObject]) -> tuple[Seal, ...]:
    return tuple(
        Seal(**_known(_OF_A_SEAL, {**seal, "box": as_box(seal["box"]), "places": tuple(map(_place, seal["places"]))}))
        for seal in seals
    )


def _place(body: JsonObject) -> ArcPlace:
    characters = tuple(ArcCharacter(item["char"], item["mean"], item["most"]) for item in body["characters"])
    return ArcPlace(body["at"], body["hidden"], characters)


def _known(names: frozenset[str], body: JsonObject) -> JsonObject:
    return {name: value for name, value in body.items() if name in names}
