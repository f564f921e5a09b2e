"""Administrative divisions: the codes and names of GB/T 2260 by year, and functional zones.

The table has the names of units from 1980 on, so that 双流县 in an old deed is
today's 双流区. It can be out of date: a code that is not in it is a warning, never an error.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from docproc.canonical import JsonObject

Level = Literal["province", "city", "county"]

UNKNOWN_REGION = "行政区划代码不在对照表中，请核对"
"""Note to the reviewer; only a warning, because the tables become outdated."""
UNDIVIDED = frozenset({"441900", "442000", "460400", "620200", "710000", "810000", "820000"})
"""Cities without districts or counties (东莞, 中山, 儋州, 嘉峪关), and regions that the table does not divide."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A province, city or county under one of its codes and names."""

    code: str
    """Six digits of GB/T 2260, in force from ``first`` to ``last``."""
    name: str
    first: int
    """First year of the table (1980 or later) with this code and name."""
    last: int | None
    """Last such year; ``None`` while in force."""
    now: str
    """Code of the same unit today, or the last that it had."""

    @property
    def level(self) -> Level:
        """What kind of unit the code is."""
        return level_of(self.code)

    def existed(self, year: int) -> bool:
        """Whether the unit had this code and name in the year; years before 1980 count as 1980."""
        return self.first <= max(year, 1980) and (self.last is None or year <= self.last)


@dataclass(frozen=True, slots=True)
class Zone:
    """A functional zone, or a district that was abolished into another."""

    name: str
    code: str
    """Its own code, or that of the unit it lies in."""
    parent: str
    """Code of the city or province that it lies in."""
    own: bool
    """Whether ``code`` is its own."""
    aliases: tuple[str, ...] = ()
    """Other names that mean this zone wherever they stand."""
    local: tuple[str, ...] = ()
    """Names that mean this zone only within its city."""


def region_known(code: str) -> bool:
    """Whether a six-digit code was in force in some year since 1980; zones with a code of their own count."""
    if code in _by_code() or code in _own_zones():
        return True
    # 市辖区 as a whole (440101, 110100) and what a province governs directly (429000) have codes but no own names.
    return (code.endswith("01") and f"{code[:4]}00" in _by_code()) or (
        code[2:] in ("0100", "0200", "9000") and f"{code[:2]}0000" in _by_code()
    )


def region_name(code: str) -> str:
    """Return the full name behind a code, for example ``四川省成都市双流区``; empty when the code is unknown."""
    if not region_known(code):
        return ""
    parts = dict.fromkeys((f"{code[:2]}0000", f"{code[:4]}00", code))
    return "".join(_own_zones().get(part) or _latest_name(part) for part in parts)


def current_code(code: str) -> str:
    """Return today's code of the unit that a code stands for, so that 510122 is 510116; an unknown code as it is."""
    named = _by_code().get(code, ())
    return max(named, key=lambda unit: unit.last or 9999).now if named else code


def level_of(code: str) -> Level:
    """Return the level, which the zeros at the end of a code tell."""
    return "province" if code.endswith("0000") else "city" if code.endswith("00") else "county"


@cache
def units() -> tuple[Unit, ...]:
    """Every code and name of the table."""
    lines = files(__package__).joinpath("regions.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return tuple(
        Unit(code, name, int(first), int(last) if last else None, now) for code, name, first, last, now in rows
    )


@cache
def zones() -> tuple[Zone, ...]:
    """Every functional zone that addresses may name."""
    data = tomllib.loads(files(__package__).joinpath("zones.toml").read_text(encoding="utf-8"))
    return tuple(_zone(entry) for entry in data["zone"])


def _zone(entry: JsonObject) -> Zone:
    aliases, local = tuple(entry.pop("aliases", ())), tuple(entry.pop("local", ()))
    return Zone(**entry, aliases=aliases, local=local)


@cache
def _by_code() -> dict[str, tuple[Unit, ...]]:
    found: dict[str, list[Unit]] = defaultdict(list)
    for unit in units():
        found[unit.code].append(unit)
    return {code: tuple(named) for code, named in found.items()}


@cache
def _own_zones() -> dict[str, str]:
    return {zone.code: zone.name for zone in zones() if zone.own}


def _latest_name(code: str) -> str:
    named = _by_code().get(code, ())
    return max(named, key=lambda unit: unit.last or 9999).name if named else ""
