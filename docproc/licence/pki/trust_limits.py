"""``trust.toml`` beside the certificates of a trust folder: for what, from when and until when a root is trusted.

::

    [[anchor]]
    file = "neighbour-root.crt"        # a root certificate of this folder
    name = "邻市政务服务数据管理局"       # given: another department's (互认); its seals are shown as such
    authorities = ["113400"]           # needed then: credit codes, or their beginnings, that it may vouch for
    use = ["seal", "timestamp"]        # default both
    valid_from = 2026-01-01            # optional; days in China, both included
    valid_to = 2028-12-31

A root that the file does not name is our own and trusted without limits.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, TypedDict, get_args

from docproc.canonical import JsonObject
from docproc.domain import CHINA
from docproc.errors import SetupError

FILE = "trust.toml"
Use = Literal["seal", "timestamp"]
_KEYS = {"file", "name", "authorities", "use", "valid_from", "valid_to"}


class AnchorJson(TypedDict):
    """The limits of a root in JSON; days as ISO 8601."""

    sha256: str
    name: str
    authorities: list[str]
    use: list[Use]
    valid_from: str | None
    valid_to: str | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The limits within which one root is trusted."""

    sha256: str
    """Of the root certificate (DER), lower-case hexadecimal."""
    name: str = ""
    """Whose root it is; empty for our own."""
    authorities: tuple[str, ...] = ()
    """Beginnings of the credit codes of authorities that it may vouch for; empty: all."""
    use: tuple[Use, ...] = get_args(Use)
    valid_from: date | None = None
    valid_to: date | None = None
    reserved: tuple[str, ...] = ()
    """Beginnings of credit codes among them that others vouch for, see :mod:`docproc.licence.pki.overlap`."""

    def covers(self, moment: datetime, use: Use) -> bool:
        """Whether the root is trusted for this use at a moment."""
        day = moment.astimezone(CHINA).date()
        begun = self.valid_from is None or self.valid_from <= day
        return use in self.use and begun and (self.valid_to is None or day <= self.valid_to)

    def vouches_for(self, code: str) -> bool:
        """Whether the root may stand behind the seal of the authority with this credit code."""
        if any(code.startswith(item) for item in self.reserved):
            # a longer beginning of its own outweighs what is reserved for another root
            longest = max((len(item) for item in self.reserved if code.startswith(item)), default=0)
            return any(code.startswith(item) and len(item) > longest for item in self.authorities)
        return not self.authorities or any(code.startswith(item) for item in self.authorities)

    def to_json(self) -> AnchorJson:
        """The limits as JSON values."""
        return {
            "sha256": self.sha256,
            "name": self.name,
            "authorities": list(self.authorities),
            "use": list(self.use),
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_to": self.valid_to.isoformat() if self.valid_to else None,
        }

    @classmethod
    def from_json(cls, raw: JsonObject) -> Anchor:
        """Read what :meth:`to_json` gave."""
        begin, end = (date.fromisoformat(raw[key]) if raw[key] else None for key in ("valid_from", "valid_to"))
        return cls(raw["sha256"], raw["name"], tuple(raw["authorities"]), tuple(raw["use"]), begin, end)


def read_anchors(folder: Path, roots: dict[str, list[str]]) -> tuple[Anchor, ...]:
    """Read the ``trust.toml`` of a folder; ``roots`` gives the SHA-256 of the root certificates in each file.

    Raises:
        SetupError: it is not TOML, or an entry is wrong: a limit that is not understood must not be ignored.
    """
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("anchor", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {error}") from error
    if not isinstance(entries, list):
        raise SetupError(f"{path}: write each root under [[anchor]]")
    found: list[Anchor] = []
    for number, entry in enumerate(entries, 1):
        try:
            found += _anchors(entry, roots)
        except ValueError as error:
            raise SetupError(f"{path}: anchor {number}: {error}") from error
    if len({item.sha256 for item in found}) != len(found):
        raise SetupError(f"{path}: two entries name the same root")
    return tuple(found)


def _anchors(entry: JsonObject, roots: dict[str, list[str]]) -> list[Anchor]:
    unknown = set(entry) - _KEYS
    if unknown:
        raise ValueError(f"unknown keys {', '.join(sorted(unknown))}")
    hashes = roots.get(entry.get("file", ""))
    if not hashes:
        raise ValueError(f"file {entry.get('file')!r} holds no root certificate of this folder")
    name, authorities, use = entry.get("name", ""), entry.get("authorities", []), entry.get("use", list(get_args(Use)))
    if not isinstance(name, str) or not _texts(authorities) or not _texts(use) or not set(use) <= set(get_args(Use)):
        raise ValueError("name is text, authorities are texts, use names seal or timestamp")
    if name and "seal" in use and not authorities:
        raise ValueError("another department's root needs `authorities`: whose seals it may vouch for")
    days = [entry.get(key) for key in ("valid_from", "valid_to")]
    if any(day is not None and (not isinstance(day, date) or isinstance(day, datetime)) for day in days):
        raise ValueError("valid_from and valid_to are days such as 2026-01-01")
    return [Anchor(item, name, tuple(authorities), tuple(use), days[0], days[1]) for item in hashes]


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
