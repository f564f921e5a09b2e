"""The licences that are not in force and the files of former versions, as the lines of the audit log tell them.

A sealer gathers them from lines that it has checked and keeps them in a file beside its key, so that a status list
does not rest on what the database says of a licence now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from docproc.errors import SetupError
from docproc.private_file import write_private
from docproc.process_keys import KnownKeys
from docproc.store.audit.chain import line_problem
from docproc.store.tables.audit import AuditRow

Withdrawal = Literal["suspended", "revoked"]
WITHDRAWN: dict[str, Withdrawal] = {"licence.suspended": "suspended", "licence.revoked": "revoked"}
RESTORED = "licence.valid"
VERSIONED = frozenset({"licence.corrected", "licence.reissueed"})
SEALED = VERSIONED | {"licence.issued", "licence.renewed"}


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Why a licence is not in force."""

    status: Withdrawal
    since: str
    """ISO 8601."""
    reason: str
    basis: str
    line: int
    """Of the audit log."""

    @property
    def at(self) -> datetime:
        """When it was withdrawn."""
        return datetime.fromisoformat(self.since)


@dataclass(slots=True)
class Standings:
    """What the lines so far say."""

    licences: dict[str, Withdrawn] = field(default_factory=dict)
    """By number; those in force are not named."""
    superseded: set[str] = field(default_factory=set)
    """SHA-256 of the files of former versions."""
    versioned: dict[str, int] = field(default_factory=dict)
    """Licences with a new version whose former files are not looked up yet, each with the line of that version."""
    changed: bool = False

    def note(self, row: AuditRow) -> None:
        """Take in a line that was checked."""
        if row.action in WITHDRAWN:
            grounds = str(row.detail.get("reason", "")), str(row.detail.get("basis", ""))
            self.licences[row.subject] = Withdrawn(WITHDRAWN[row.action], row.at.isoformat(), *grounds, row.seq)
        elif row.action == RESTORED:
            self.licences.pop(row.subject, None)
        elif row.action in VERSIONED:
            self.versioned[row.subject] = row.seq
        else:
            return
        self.changed = True

    def look_up(self, session: Session, known: KnownKeys) -> None:
        """Find the files that new versions superseded, in lines about the same licences."""
        for number, line in self.versioned.items():
            self.superseded.update(_former_files(session, known, number, line))
        self.versioned.clear()


def standings_file(folder: Path, role: str) -> Path:
    """Where a role's processes keep it."""
    return folder / f"{role}.standings.json"


def load(folder: Path, role: str) -> Standings:
    """What was gathered before; nothing where there is no file.

    Raises:
        SetupError: the file is damaged or cannot be read.
    """
    path = standings_file(folder, role)
    try:
        raw = json.loads(path.read_bytes())
        listed = {number: Withdrawn(**item) for number, item in raw["licences"].items()}
        return Standings(listed, set(raw["superseded"]), dict(raw["versioned"]))
    except FileNotFoundError:
        return Standings()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        remedy = f"remove {path} and the {role}.memory.json beside it: both are made anew from the audit log"
        raise SetupError(f"what is kept of withdrawn licences cannot be read: {remedy}") from error


def save(folder: Path, role: str, standings: Standings) -> None:
    """Keep it where it changed; raises SetupError where the folder cannot be written."""
    if not standings.changed:
        return
    body = {
        "licences": {number: asdict(item) for number, item in sorted(standings.licences.items())},
        "superseded": sorted(standings.superseded),
        "versioned": standings.versioned,
    }
    try:
        write_private(standings_file(folder, role), json.dumps(body, ensure_ascii=False).encode())
    except OSError as error:
        raise SetupError(f"{standings_file(folder, role)} cannot be written: {error.strerror}") from error
    standings.changed = False


def differences(told: Standings, statuses: Iterable[tuple[str, str]]) -> Iterable[str]:
    """Licences whose status in the database is not what the log says.

    Args:
        told: what all lines of the log say.
        statuses: number and status of each licence that the database shows as withdrawn.
    """
    shown = dict(statuses)
    for number, item in sorted(told.licences.items()):
        if number not in shown:
            yield f"licence {number}: {item.status} by audit line {item.line}, and the database shows it in force"
    for number, status in sorted(shown.items()):
        said = told.licences.get(number)
        if said is None or said.status != status:
            logged = said.status if said is not None else "valid"
            yield f"licence {number}: the database shows it {status}, and the audit log says {logged}"


def _former_files(session: Session, known: KnownKeys, number: str, line: int) -> Iterable[str]:
    query = sa.select(AuditRow).where(AuditRow.subject == number, AuditRow.seq < line, AuditRow.action.in_(SEALED))
    for row in session.scalars(query):
        if line_problem(row, known, signed=False) is None:
            yield str(row.detail["sha256"])
