"""The words of the service as frozen dataclasses; no behaviour beyond their own shape.

Boxes are ``(x0, y0, x1, y1)``. In a :class:`Field` they are pixels of the page
image as it was handed in (after splitting a PDF or TIFF into pages), so that a
reviewer's screen can show the place without knowing how the page was
straightened.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from typing import Literal

Box = tuple[float, float, float, float]
Severity = Literal["block", "fix", "warn", "info"]
Verdict = Literal["pass", "look", "supplement", "rescan"]
"""``look``: a person must settle something before it can pass."""
DiffKind = Literal["added", "missing", "changed", "unseen"]
QualityVerdict = Literal["good", "rescan"]
Source = Literal["ocr", "repair", "registry", "person"]
How = Literal["registered", "matched", "free"]
Turn = Literal[0, 90, 180, 270]
"""Degrees clockwise by which a picture is turned to stand upright."""
DecisionAction = Literal["approve", "return", "reject"]
CorrectionKind = Literal["", "confirmed", "misread", "changed"]
"""What a value entered by hand is: the reading confirmed, what the paper says where the machine misread it, or
something else than the applicant wrote; empty where it was not recorded."""

SYSTEM = "system"
"""Actor of what the service does by itself."""
CHINA = timezone(timedelta(hours=8))
"""Licences begin and end at midnight of Chinese standard time; there has been no summer time since 1992."""
SEVERITIES: tuple[Severity, ...] = ("block", "fix", "warn", "info")


@dataclass(frozen=True, slots=True)
class ArcCharacter:
    """A character that may stand at a place of a seal's arc."""

    char: str
    mean: float
    """Posterior, 0..1, over all renderings in which the arc was recognised."""
    most: float
    """The greatest of them."""


@dataclass(frozen=True, slots=True)
class ArcPlace:
    """One place along the arc of a seal."""

    at: float
    """Its middle, 0..1 of the arc from the first character's edge to the last's."""
    hidden: bool
    """Whether black ink lies over it."""
    characters: tuple[ArcCharacter, ...]
    """What may stand there, most likely first; a character that is not named is as good as excluded."""


@dataclass(frozen=True, slots=True)
class Seal:
    """A seal pressed on paper, whose rim was found."""

    text: str
    """The name along the rim, in standard characters; empty where nothing could be read."""
    confidence: float
    """0..1, geometric mean of its characters' posteriors."""
    box: Box
    """Of the rim, pixels of the page as handed in."""
    shape: Literal["round", "oval"]
    covered: float
    """Share of the rim that is inked, 0..1."""
    places: tuple[ArcPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One value read from one place."""

    name: str
    """Key in the matter file; rows of a table are ``table.1.column``."""
    value: str | None
    """Normalised: NFKC, ISO dates, option keys joined by ``,``; ``None``: the machine abstains; ``""``: blank."""
    raw: str
    """As on the paper, before normalising."""
    confidence: float
    """0..1, calibrated; below the field type's threshold the reviewer must look."""
    box: Box | None
    """Pixels of the page as handed in."""
    page: int
    """1-based page of the material."""
    source: Source = "ocr"
    """``repair``: of several near readings the one that a check digit, another paper or a usual word tells."""
    alternatives: tuple[str, ...] = ()
    """Next admissible readings, best first."""
    rivals: tuple[tuple[str, float], ...] = ()
    """Of a field that is in doubt, the readings that come near, each with its log odds (nats) behind the best one."""
    seals: tuple[Seal, ...] | None = None
    """Of the field of a seal whose name a rule asks for, the seals found there; ``None``: nobody looked."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is missing, wrong or worth a look."""

    code: str
    severity: Severity
    message: str
    """To the citizen, in Chinese, in plain words."""
    material: str | None = None
    field: str | None = None
    basis: str = ""
    """Legal basis, or empty for purely technical findings."""
    look: bool = False
    """A person must settle it before an approval: it would forbid one if the machine were sure."""


@dataclass(frozen=True, slots=True)
class Quality:
    """Whether a page picture is good enough to be read."""

    verdict: QualityVerdict
    findings: tuple[Finding, ...] = ()


GOOD = Quality("good")


@dataclass(frozen=True, slots=True)
class PageReading:
    """What one page says."""

    file: str
    index: int
    """0-based page inside the file."""
    material: str | None
    """Material id of the matter, or ``None`` when the page was not recognised."""
    how: How
    quality: Quality
    fields: dict[str, Field] = field(default_factory=dict)
    page: int = 1
    """1-based page of the material (2 is the back of an ID card)."""
    edition: str | None = None
    form_id: str | None = None
    """Serial of the printed form, from its QR code."""
    sheet: int = 1
    """Place among the sheets that the page was printed on, from its QR code; rows go on from one to the next."""
    sheets: int = 1
    """How many they are."""
    cpu_seconds: float = 0.0
    turn: Turn | None = None
    """How the page lay when it was read, by its marks, its print or the direction of its text; ``None``: not known."""
    claimed: bool = False
    """The material is what a person said, and the reader did not recognise it; with ``None`` as material a person
    said that it is none of the matter's papers."""
    sha256: str = ""
    """Of the file, where it is known."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says a page is."""

    material: str | None
    """``None``: none of the matter's papers."""
    page: int = 1
    """1-based page of the material."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The verdict on an application with every reason for it."""

    verdict: Verdict
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Licence:
    """What is printed on a licence and written into its attachment."""

    number: str
    kind: str
    """Licence type of the matter, for example ``food_business``."""
    matter: str
    version: int
    application: str
    title: str
    holder: str
    authority: str
    authority_code: str
    """Unified social credit code of the issuing authority."""
    issued_on: date
    valid_from: date
    valid_to: date | None
    """``None`` for a licence without an end."""
    fields: tuple[tuple[str, str, str], ...]
    """``(name, label, value)`` in printing order."""
    verify_url: str = ""
    identifier: str = ""
    """Electronic licence identifier by GB/T 36904."""
    joint: tuple[tuple[str, str], ...] = ()
    """Name and credit code of each authority that approves jointly and seals after the issuing one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What an official decided, and on what."""

    action: DecisionAction
    by: str
    at: datetime
    reason: str = ""
    basis: str = ""
    seen_sha256: str = ""
    """Hash of what the official saw; only that may be sealed."""
    confirmed: tuple[str, ...] = ()
    """Materials that no reader recognised and that the official confirmed by name."""


def with_field(reading: PageReading, item: Field) -> PageReading:
    """Return the reading with one field replaced or added."""
    return replace(reading, fields={**reading.fields, item.name: item})


def as_box(raw: Sequence[float]) -> Box:
    """A box that came through JSON."""
    x0, y0, x1, y1 = (float(value) for value in raw)
    return x0, y0, x1, y1


def rounded(box: Sequence[float]) -> list[float]:
    """A box in pixels, to a tenth, as JSON."""
    return [round(value, 1) for value in box]


def base64_of(jpeg: bytes) -> str:
    """A small picture inside JSON."""
    return base64.b64encode(jpeg).decode("ascii")
