"""The result of verifying a licence, on two axes: is the seal valid (EN 319 102-1), and is the file what was issued."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal, Protocol, TypedDict, TypeVar, get_args

from docproc.canonical import JsonObject
from docproc.domain import Licence
from docproc.licence.page.record import licence_json, parse_licence_json

Indication = Literal["TOTAL-PASSED", "INDETERMINATE", "TOTAL-FAILED", "NO-SIGNATURE"]
Integrity = Literal["intact", "extended", "altered", "unknown"]
"""``altered`` only where bytes that were signed were changed; ``unknown`` where :data:`Reason` says why."""
Reason = Literal["not-ours", "no-signature", "unreadable", "encrypted", "not-a-pdf", "limit"]
"""Why a file was not judged as a licence of ours: others signed it, nobody did, it cannot be read, or not in time."""
NATIONAL = "GENERIC"
"""Sub-indication of an SM2 seal whose mathematics and chain hold: EN 319 102-1 has no word for it."""
Issued = Literal["as-issued", "superseded", "unknown"]
LicenceStatus = Literal["valid", "suspended", "revoked", "superseded", "expired", "unknown"]
CheckedWith = Literal["register", "status-list", "nothing"]
INDICATIONS: tuple[Indication, ...] = get_args(Indication)
INTEGRITIES: tuple[Integrity, ...] = get_args(Integrity)
REASONS: tuple[Reason | None, ...] = (None, *get_args(Reason))
LICENCE_STATUSES: tuple[LicenceStatus, ...] = get_args(LicenceStatus)
_T = TypeVar("_T")


def one_of(allowed: tuple[_T, ...], value: object) -> _T:
    """The entry of ``allowed`` that a value from outside is.

    Raises:
        ValueError: it is none of them.
    """
    for item in allowed:
        if item == value:
            return item
    raise ValueError(f"{value!r} is none of {', '.join(map(str, allowed))}")


@dataclass(frozen=True, slots=True)
class Standing:
    """The licence's own status, apart from its seal."""

    status: LicenceStatus
    since: datetime | None = None
    """When the status began; ``None``: not known."""
    reason: str = ""
    basis: str = ""
    """Legal basis of a suspension or revocation."""


@dataclass(frozen=True, slots=True)
class IssuedRecord:
    """What the register of issued licences knows about one licence."""

    number: str
    sha256: str
    """Of the file that is current for this number, in lower-case hexadecimal."""
    status: LicenceStatus
    issued: Issued = "as-issued"
    """For a look-up by hash: whether those bytes are the current file of the licence or an earlier one."""
    since: datetime | None = None
    reason: str = ""
    basis: str = ""

    def standing(self) -> Standing:
        """The status with its time, reason and legal basis."""
        return Standing(self.status, self.since, self.reason, self.basis)


class Register(Protocol):
    """The register of issued licences, as far as verifying needs it."""

    def by_sha256(self, digest: str) -> IssuedRecord | None:
        """Find the licence one of whose files has this hash (lower-case hexadecimal)."""

    def by_number(self, number: str) -> IssuedRecord | None:
        """Find the licence of this number."""


class Listed(Protocol):
    """A checked list of licences that are not in force, for use without the register."""

    @property
    def authority_code(self) -> str:
        """Whose licences it speaks about."""

    @property
    def superseded(self) -> frozenset[str]:
        """SHA-256 of the files of former versions."""

    def standing(self, number: str) -> Standing:
        """The status of a licence."""


@dataclass(frozen=True, slots=True)
class SignatureReport:
    """One seal in the file."""

    signer: str
    level: str
    """PAdES level: B-B, B-T, B-LT or B-LTA."""
    time: datetime | None
    """Proven by a time-stamp; ``None`` when nothing proves it."""
    coverage: str
    """``ENTIRE_FILE``, ``ENTIRE_REVISION`` or less."""
    recognised: str = ""
    """Name of the other department's authority that vouches for the seal (互认); empty for our own."""
    certificate_sha256: str = ""
    """Of the seal's certificate (DER), lower-case hexadecimal."""
    indication: Indication = "INDETERMINATE"
    """Of this seal alone; the file is as good as the worst of its seals."""
    sub_indication: str | None = None
    algorithm: str = ""
    """``SM2`` for a seal by the national algorithms, which EN 319 102-1 does not judge; empty for all others."""

    @classmethod
    def from_json(cls, raw: JsonObject) -> SignatureReport:
        """Read one signature of :meth:`Examination.to_json`."""
        return cls(
            signer=str(raw["signer"]),
            level=str(raw["level"]),
            time=datetime.fromisoformat(raw["time"]) if raw["time"] else None,
            coverage=str(raw["coverage"]),
            recognised=str(raw["recognised"]),
            certificate_sha256=bytes.fromhex(raw["certificate_sha256"]).hex(),
            indication=one_of(INDICATIONS, raw["indication"]),
            sub_indication=_optional_text(raw["sub_indication"]),
            algorithm=str(raw["algorithm"]),
        )

    def stands(self) -> bool:
        """Whether it passes, or nothing but being SM2 keeps it from passing."""
        national = bool(self.algorithm) and self.sub_indication == NATIONAL
        return self.indication == "TOTAL-PASSED" or national


@dataclass(frozen=True, slots=True)
class Examination:
    """What the file alone shows."""

    indication: Indication
    sub_indication: str | None
    integrity: Integrity
    signatures: tuple[SignatureReport, ...] = ()
    licence: Licence | None = None
    """From the attachment of the sealed revision; a claim only, unless the seal is good."""
    reasons: tuple[str, ...] = ()
    """For developers, in English; most important first."""
    reason: Reason | None = None
    """Why it is not judged as a licence of ours; ``None`` where it is."""

    def to_json(self) -> JsonObject:
        """What goes from the process that read the file to the one that asked."""
        raw = asdict(replace(self, licence=None))
        for item in raw["signatures"]:
            item["time"] = item["time"].isoformat() if item["time"] else None
        raw["licence"] = licence_json(self.licence).decode() if self.licence else None
        return raw

    @classmethod
    def from_json(cls, raw: JsonObject) -> Examination:
        """Read what :meth:`to_json` gave; raises ValueError, KeyError, TypeError or InputError on anything else."""
        return cls(
            indication=one_of(INDICATIONS, raw["indication"]),
            sub_indication=_optional_text(raw["sub_indication"]),
            integrity=one_of(INTEGRITIES, raw["integrity"]),
            signatures=tuple(SignatureReport.from_json(item) for item in raw["signatures"]),
            licence=parse_licence_json(raw["licence"].encode()) if raw["licence"] else None,
            reasons=tuple(str(item) for item in raw["reasons"]),
            reason=one_of(REASONS, raw["reason"]),
        )


class VerifiedLicence(TypedDict):
    """The licence that a file claims to be, in JSON."""

    number: str | None
    status: LicenceStatus
    since: str | None
    reason: str
    basis: str


class VerifiedSignature(TypedDict):
    """One seal in a file, in JSON."""

    signer: str
    level: str
    time: str | None
    coverage: str
    recognised: str | None
    indication: Indication
    sub_indication: str | None
    algorithm: str | None


class Verdict(TypedDict):
    """The verdict on a file, in JSON."""

    ok: bool
    indication: Indication
    sub_indication: str | None
    integrity: Integrity
    reason: Reason | None
    issued: Issued
    licence: VerifiedLicence
    signatures: list[VerifiedSignature]


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The whole verdict."""

    ok: bool
    indication: Indication
    sub_indication: str | None
    integrity: Integrity
    issued: Issued
    number: str | None
    status: LicenceStatus
    signatures: tuple[SignatureReport, ...]
    licence: Licence | None
    reasons: tuple[str, ...]
    standing: Standing = Standing("unknown")
    """The status again, with its time, reason and legal basis."""
    checked_with: CheckedWith = "nothing"
    """Where the status comes from."""
    at: datetime | None = None
    """The moment that was judged for."""
    sha256: str = ""
    """Of the file, lower-case hexadecimal."""
    reason: Reason | None = None
    """Why it was not judged as a licence of ours; ``None`` where it was."""
    claimed: bool = False
    """Others signed it, and it says that it is a licence of our own authority: a forgery."""

    def to_json(self) -> Verdict:
        """The verdict in the shape that commands and the HTTP interface give out."""
        return {
            "ok": self.ok,
            "indication": self.indication,
            "sub_indication": self.sub_indication,
            "integrity": self.integrity,
            "reason": self.reason,
            "issued": self.issued,
            "licence": {
                "number": self.number,
                "status": self.status,
                "since": self.standing.since.isoformat() if self.standing.since else None,
                "reason": self.standing.reason,
                "basis": self.standing.basis,
            },
            "signatures": [
                {
                    "signer": item.signer,
                    "level": item.level,
                    "time": item.time.isoformat() if item.time else None,
                    "coverage": item.coverage,
                    "recognised": item.recognised or None,
                    "indication": item.indication,
                    "sub_indication": item.sub_indication,
                    "algorithm": item.algorithm or None,
                }
                for item in self.signatures
            ],
        }

    def holds(self) -> bool:
        """Whether all seals of an untouched file pass, or nothing but being SM2 keeps them from passing."""
        good = self.indication == "TOTAL-PASSED" or self.sub_indication == NATIONAL
        return good and self.integrity == "intact" and all(item.stands() for item in self.signatures)

    def is_national(self) -> bool:
        """Whether one of the seals is by SM2 and SM3."""
        return any(item.algorithm for item in self.signatures)

    def is_ours(self) -> bool:
        """Whether it is proven that we, or a recognised authority, issued the file, whatever became of the licence."""
        sealed = self.indication == "TOTAL-PASSED" and self.integrity == "intact"
        return sealed or self.issued != "unknown"

    def recognised_by(self) -> str:
        """The other department's authority that vouches for the seal; empty for our own."""
        return next((item.recognised for item in self.signatures if item.recognised), "")


def format_failure(reason: str) -> Examination:
    """The verdict on a file that is no licence at all, or that attacks its reader."""
    return Examination("TOTAL-FAILED", "FORMAT_FAILURE", "altered", reasons=(reason,))


def _optional_text(value: object) -> str | None:
    return None if value is None else str(value)
