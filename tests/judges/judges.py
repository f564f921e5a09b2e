"""Judges in Java that ``scripts/validators`` builds: EU DSS, veraPDF and BouncyCastle. None of them uses a network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.servers.processes import TOOLS, absent, find_program

_SECONDS = 300
_JAVA = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8")


@dataclass(frozen=True, slots=True)
class DssItem:
    """The verdict of EU DSS on one signature or time-stamp."""

    indication: str
    """``TOTAL-PASSED``, ``INDETERMINATE`` or ``TOTAL-FAILED``; of a time-stamp without ``TOTAL-``."""
    sub_indication: str
    intact: bool
    """Whether the mathematics holds."""
    level: str
    """``PAdES-BASELINE-LTA`` and so on; of a time-stamp its type, such as ``DOCUMENT_TIMESTAMP``."""
    time: str
    """Best signature time, or when the time-stamp was made; ISO."""
    changes: tuple[str, ...]
    """Changes after signing that are more than validation material."""
    errors: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DssReport:
    """What EU DSS says of one file."""

    signatures: tuple[DssItem, ...]
    timestamps: tuple[DssItem, ...]
    error: str
    """Why the file could not be judged; empty when it was."""


@dataclass(frozen=True, slots=True)
class PdfAReport:
    """What veraPDF says of one file."""

    compliant: bool
    failed: tuple[str, ...]
    """``rule: message (times)`` for each rule that was broken."""
    error: str


@dataclass(frozen=True, slots=True)
class CmsItem:
    """What BouncyCastle says of one signature or document time-stamp."""

    valid: bool
    covers_file: bool
    sub_filter: str
    algorithm: str
    """Object identifier of the signature algorithm; empty for a document time-stamp."""
    timestamps: tuple[bool, ...]
    """Whether each signature time-stamp holds."""
    error: str


@dataclass(frozen=True, slots=True)
class CmsReport:
    """What BouncyCastle says of one file; nothing of trust."""

    signatures: tuple[CmsItem, ...]
    error: str


@dataclass(frozen=True, slots=True)
class SealObjectReport:
    """What BouncyCastle reads in a seal object by GB/T 38540, and whether its maker's signature holds."""

    valid: bool
    error: str
    said: dict[str, Any]
    """Each entry by its name in the program; certificates and picture by SHA-256."""


def dss(pdfs: Sequence[Path], roots: Sequence[Path], at: datetime | None = None) -> list[DssReport]:
    """Judge files by EN 319 102-1, for the time ``at`` (``None``: now), with ``roots`` (PEM files) as trust anchors."""
    options = [part for root in roots for part in ("--trust", str(root))]
    if at is not None:
        options += ["--at", at.astimezone(UTC).isoformat().replace("+00:00", "Z")]
    return [_dss_report(item) for item in _judge("dss", "Dss", [*options, *map(str, pdfs)])]


def verapdf(pdfs: Sequence[Path], flavour: str = "3b") -> list[PdfAReport]:
    """Check files against a PDF/A flavour such as ``2b`` or ``3b``."""
    return [_pdfa_report(item) for item in _judge("verapdf", "VeraPdf", [flavour, *map(str, pdfs)])]


def bouncycastle(pdfs: Sequence[Path]) -> list[CmsReport]:
    """Check the mathematics of RSA, ECDSA and SM2 signatures and of time-stamps."""
    return [_cms_report(item) for item in _judge("bouncycastle", "BouncyCastle", list(map(str, pdfs)))]


def seal_objects(files: Sequence[Path]) -> list[SealObjectReport]:
    """Read seal objects and check the mathematics of their SM2 signatures; nothing of trust."""
    answers = _judge("bouncycastle", "SealObject", list(map(str, files)))
    return [SealObjectReport(item["valid"], item.get("error", ""), item) for item in answers]


def _judge(name: str, main: str, arguments: Sequence[str]) -> list[dict[str, Any]]:
    folder = TOOLS / "validators" / name
    if not (TOOLS / "validators" / ".ready").exists():
        absent(f"the judge {name}", "scripts/validators")
    java = find_program("java", "scripts/servers java")
    command = [str(java), *_JAVA, "-cp", f"{folder}/*", f"docproc.judges.{main}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"{name} broke down: {done.stderr[-2000:]}")
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def _dss_report(answer: dict[str, Any]) -> DssReport:
    signatures = tuple(_dss_item(item) for item in answer.get("signatures", ()))
    timestamps = tuple(_dss_item(item) for item in answer.get("timestamps", ()))
    return DssReport(signatures, timestamps, answer.get("error", ""))


def _dss_item(item: dict[str, Any]) -> DssItem:
    return DssItem(
        indication=item["indication"],
        sub_indication=item["sub_indication"],
        intact=item["intact"],
        level=item["level"],
        time=item["time"],
        changes=tuple(item["changes"]),
        errors=tuple(item["errors"]),
        warnings=tuple(item["warnings"]),
    )


def _pdfa_report(answer: dict[str, Any]) -> PdfAReport:
    failed = tuple(f"{item['rule']}: {item['message']} ({item['count']})" for item in answer.get("failed", ()))
    return PdfAReport(answer["compliant"], failed, answer.get("error", ""))


def _cms_report(answer: dict[str, Any]) -> CmsReport:
    items = tuple(
        CmsItem(
            valid=item["valid"],
            covers_file=item.get("covers_file", False),
            sub_filter=item["sub_filter"] or "",
            algorithm=item.get("algorithm", ""),
            timestamps=tuple(bool(token["valid"]) for token in item.get("timestamps", ())),
            error=item.get("error", ""),
        )
        for item in answer["signatures"]
    )
    return CmsReport(items, answer.get("error", ""))
