"""What comparing a printed licence with the issued one gives; nothing heavy is loaded here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from docproc.domain import Box

Result = Literal["same", "differs", "unreadable"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that a licence says."""

    name: str
    label: str
    value: str
    """As it is printed."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedField:
    """One field of the print beside what was issued."""

    fact: Fact
    result: Result
    read: str
    """What the print says, as far as it was read; without white space."""
    confidence: float
    """0..1, of the least sure character."""
    photo: int | None
    """0-based page, counted over all photographs; ``None`` when that part of the licence is not shown."""
    box: Box | None
    """Pixels of the photograph."""
    shown: bytes = b""
    """JPEG of the print, straightened; empty when nothing is shown."""
    issued: bytes = b""
    """JPEG of the same place as it was issued."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What comparing found."""

    registered: bool
    """Whether the issued page was found in the photograph at all."""
    fields: tuple[ComparedField, ...] = ()
    added: tuple[tuple[Box, bytes], ...] = ()
    """Ink where the issued page has none: box in pixels of the photograph, and a JPEG of it."""
    missing: tuple[int, ...] = ()
    """0-based pages of the licence that no photograph shows."""
