"""The signed, short-lived list of licences that are not in force, for verification without the register.

A licence that is not on a list in date was in force when the list was made; the list says nothing about licences of
other authorities than its signer's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from docproc.canonical import canonical_json
from docproc.errors import InputError
from docproc.licence.pki.jose import read_statement, sign_statement
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import LICENCE_STATUSES, Standing, one_of

if TYPE_CHECKING:
    from docproc.licence.keys.signer import Signer

KIND = "docproc-status-list+jwt"
SCHEMA = "docproc-status-list-1"
LIFE = timedelta(hours=24)
"""After this a list is no longer accepted: the longest time that a revocation can stay unseen offline."""
CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class AuditHead:
    """A line of the audit log that its signer cannot deny: who keeps a list can show that the log had it."""

    line: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StatusList:
    """What a status list says."""

    authority_code: str
    """Whose licences it speaks about; the certificate of its signer says so."""
    sequence: int
    """Rises with each list."""
    issued_at: datetime
    next_update: datetime
    standings: dict[str, Standing] = field(default_factory=dict)
    """By licence number; those that are in force are not named."""
    superseded: frozenset[str] = frozenset()
    """SHA-256 (lower-case hexadecimal) of the files of former versions."""
    audit: AuditHead | None = None
    """The newest line of the signer's audit log; ``None`` in lists of a version that did not tell it."""

    def standing(self, number: str) -> Standing:
        """The status of a licence."""
        return self.standings.get(number, Standing("valid"))


def make_status_list(content: StatusList, signer: Signer) -> str:
    """Sign a list as a compact JSON Web Signature."""
    body: dict[str, object] = {
        "schema": SCHEMA,
        "authority_code": content.authority_code,
        "sequence": content.sequence,
        "issued_at": content.issued_at.isoformat(),
        "next_update": content.next_update.isoformat(),
        "licences": {
            number: {
                "status": item.status,
                "since": item.since.isoformat() if item.since else None,
                "reason": item.reason,
                "basis": item.basis,
            }
            for number, item in sorted(content.standings.items())
        },
        "superseded_files": sorted(content.superseded),
    }
    if content.audit is not None:
        body["audit"] = {"line": content.audit.line, "head": content.audit.sha256}
    payload = canonical_json(body)
    return sign_statement(payload, KIND, signer)


def read_status_list(text: str, trust: TrustList, at: datetime) -> StatusList:
    """Check a list and read it.

    Raises:
        InputError: not signed by whom it speaks for, damaged, or out of date: fetch a fresh one.
    """
    found = read_kept_list(text, trust, at)
    if not found.issued_at - CLOCK_SKEW <= at <= found.next_update:
        times = f"{found.issued_at.isoformat()} to {found.next_update.isoformat()}"
        raise InputError(f"the status list holds from {times} only: fetch a fresh one from /v1/status-list")
    return found


def read_kept_list(text: str, trust: TrustList, at: datetime) -> StatusList:
    """Check a list that may be out of date, for what it says about the moment when it was made.

    Raises:
        InputError: not signed by whom it speaks for at ``at``, or damaged.
    """
    statement = read_statement(text, KIND, trust, at)
    try:
        found = _parse(json.loads(statement.payload))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"the status list is damaged: {error}") from error
    if not found.authority_code or found.authority_code != statement.authority_code:
        raise InputError("the status list is signed by another authority than it speaks for")
    return found


def _parse(raw: dict[str, object]) -> StatusList:
    if raw["schema"] != SCHEMA:
        raise ValueError(f"schema {raw['schema']!r} is unknown")
    listed = raw["licences"]
    files = raw["superseded_files"]
    if not isinstance(listed, dict) or not isinstance(files, list):
        raise TypeError("licences and superseded_files are missing")
    return StatusList(
        str(raw["authority_code"]),
        int(str(raw["sequence"])),
        _time(raw["issued_at"]),
        _time(raw["next_update"]),
        {str(number): _standing(item) for number, item in listed.items()},
        frozenset(str(item) for item in files),
        _audit_head(raw.get("audit")),
    )


def _audit_head(item: object) -> AuditHead | None:
    if item is None:
        return None
    if not isinstance(item, dict):
        raise TypeError("audit is no object")
    return AuditHead(int(str(item["line"])), str(item["head"]))


def _standing(item: dict[str, str | None]) -> Standing:
    status = one_of(LICENCE_STATUSES, item["status"])
    since = item["since"]
    return Standing(status, _time(since) if since else None, str(item["reason"] or ""), str(item["basis"] or ""))


def _time(text: object) -> datetime:
    at = datetime.fromisoformat(str(text))
    if at.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone")
    return at
