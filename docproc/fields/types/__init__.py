"""Every field type there is: one module each, found by being in this folder.

A module defines ``TYPE``, a :class:`~docproc.fields.field_type.FieldType` named like the module. Nothing has to be
entered anywhere else; ``tests/fields/test_every_type.py`` proves that every stage can work with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import walk_packages
from types import MappingProxyType

from docproc.fields.field_type import FieldType


def _collected() -> Mapping[str, FieldType]:
    found: dict[str, FieldType] = {}
    for module in walk_packages(__path__, f"{__name__}."):
        if module.ispkg:
            continue
        name = module.name.rpartition(".")[2]
        kind = getattr(import_module(module.name), "TYPE", None)
        if not isinstance(kind, FieldType) or kind.name != name:
            raise ValueError(f"{module.name}: define TYPE, a FieldType named {name!r}")
        if name in found:
            raise ValueError(f"{module.name}: a second field type {name!r}")
        found[name] = kind
    for kind in found.values():
        for other in (kind.term, kind.older.name if kind.older else None):
            if other is not None and (other not in found or not found[other].is_written):
                raise ValueError(f"field type {kind.name!r} names {other!r}, which is no written field type")
    return MappingProxyType(dict(sorted(found.items())))


FIELD_TYPES: Mapping[str, FieldType] = _collected()
"""Name to type, in alphabetical order."""


def find_type(name: str) -> FieldType:
    """The field type of this name.

    Raises:
        ValueError: there is none; the message lists those that exist.
    """
    if name not in FIELD_TYPES:
        raise ValueError(f"no field type {name!r}: use one of {', '.join(FIELD_TYPES)}")
    return FIELD_TYPES[name]
