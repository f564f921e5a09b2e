"""The result of a validator, and the functions that create it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

FindingLevel = Literal["fix", "warn"]


@dataclass(frozen=True, slots=True)
class Checked:
    """One value after its type was checked."""

    ok: bool
    """Whether the value may be shown as checked."""
    value: str
    """Normalised (NFKC, ISO dates, upper-case codes); checking it again gives the same value."""
    problem: str = ""
    """Chinese, to the citizen: what is wrong and what to do; empty when ``ok``."""
    severity: FindingLevel = "fix"
    """Severity of the problem; without meaning when ``ok``."""
    notes: tuple[str, ...] = ()
    """Chinese, to the reviewer: to be looked at, but not wrong (severity ``warn``)."""


class Validator(Protocol):
    """A pure function from the text as read to the checked value."""

    def __call__(self, raw: str, *, today: date) -> Checked:
        """Check ``raw``; never raises, whatever the text."""
        ...


def good(value: str, *notes: str) -> Checked:
    """Return an accepted value with the reviewer's notes."""
    return Checked(True, value, notes=tuple(note for note in notes if note))


def bad(value: str, problem: str, severity: FindingLevel = "fix") -> Checked:
    """Return a refused value with what the citizen should do."""
    return Checked(False, value, problem, severity)
