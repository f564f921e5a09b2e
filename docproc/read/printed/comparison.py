"""Result of comparing a printed licence with the issued one; this module imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from docproc.domain import Box

PrintResult = Literal["same", "differs", "unreadable"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A statement of a licence."""

    name: str
    label: str
    value: str
    """As it is printed."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparedField:
    """One field of the print, compared with the issued one."""

    fact: Fact
    result: PrintResult
    read: str
    """Recognised text, without white space."""
    confidence: float
    """0..1, the lowest posterior of its characters."""
    photo: int | None
    """0-based page, counted over all photographs; ``None`` when no photograph shows this part."""
    box: Box | None
    """Pixels of the photograph."""
    shown: bytes = b""
    """JPEG of the print, rectified; empty when no photograph shows it."""
    issued: bytes = b""
    """JPEG of the same region of the issued page."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Result of the comparison."""

    registered: bool
    """Whether any issued page was found in a photograph."""
    fields: tuple[ComparedField, ...] = ()
    added: tuple[tuple[Box, bytes], ...] = ()
    """Added ink: box in pixels of the photograph, and its JPEG."""
    missing: tuple[int, ...] = ()
    """0-based pages of the licence that no photograph shows."""
