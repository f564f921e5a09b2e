"""The result of verifying a licence, on two axes: is the seal valid (EN 319 102-1), and is the file what was issued."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Literal, Protocol, TypedDict, TypeVar, get_args

from docproc.canonical import JsonObject
from docproc.domain import Licence
from docproc.licence.page.record import NOTICE, licence_json, parse_licence_json

Indication = Literal["TOTAL-PASSED", "INDETERMINATE", "TOTAL-FAILED", "NO-SIGNATURE"]
Integrity = Literal["intact", "extended", "altered"]
NATIONAL = "GENERIC"
"""Sub-indication of an SM2 seal whose mathematics and chain hold: EN 319 102-1 has no word for it."""
Issued = Literal["as-issued", "superseded", "unknown"]
LicenceStatus = Literal["valid", "suspended", "revoked", "superseded", "expired", "unknown"]
CheckedWith = Literal["register", "status-list", "nothing"]
INDICATIONS: tuple[Indication, ...] = get_args(Indication)
INTEGRITIES: tuple[Integrity, ...] = get_args(Integrity)
LICENCE_STATUSES: tuple[LicenceStatus, ...] = get_args(LicenceStatus)
_T = TypeVar("_T")

_WHY = {
    "REVOKED": "电子印章的证书在签章之前已被撤销",
    "REVOKED_NO_POE": "电子印章的证书已被撤销，不能证明签章在撤销之前",
    "REVOKED_CA_NO_POE": "颁发电子印章证书的机构的证书已被撤销",
    "NOT_YET_VALID": "电子印章在其证书生效之前使用",
    "EXPIRED": "电子印章的证书在签章之前已过期",
    "OUT_OF_BOUNDS_NO_POE": "电子印章的证书已不在有效期内，不能证明签章时有效",
    "NO_CERTIFICATE_CHAIN_FOUND": "电子印章的证书不是受信任的机构颁发的",
    "NO_POE": "归档时间戳已失效，文件没有按时续期，不能再证明签章时间",
    "SIG_CONSTRAINTS_FAILURE": "电子印章不能用于这份文件，例如它不属于证照所载的发证机关",
}
"""What a sub-indication of EN 319 102-1 means, for citizens."""
_CHANGED = {
    "suspended": "已被暂停",
    "revoked": "已作废（依法撤销、撤回、吊销或者注销）",
    "superseded": "已被新证照取代",
    "expired": "已过有效期",
}
"""Why a licence is not in force, for citizens."""


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

    def to_json(self) -> Verdict:
        """The verdict in the shape that commands and the HTTP interface give out."""
        return {
            "ok": self.ok,
            "indication": self.indication,
            "sub_indication": self.sub_indication,
            "integrity": self.integrity,
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

    def headline(self) -> str:
        """One sentence for citizens, in Chinese."""
        return _headline_of_good(self) if self.ok else _headline_of_refused(self)

    def holds(self) -> bool:
        """Whether all seals of an untouched file pass, or nothing but being SM2 keeps them from passing."""
        good = self.indication == "TOTAL-PASSED" or self.sub_indication == NATIONAL
        return good and self.integrity == "intact" and all(item.stands() for item in self.signatures)

    def is_national(self) -> bool:
        """Whether one of the seals is by SM2 and SM3."""
        return any(item.algorithm for item in self.signatures)

    def recognised_by(self) -> str:
        """The other department's authority that vouches for the seal; empty for our own."""
        return next((item.recognised for item in self.signatures if item.recognised), "")


def format_failure(reason: str) -> Examination:
    """The verdict on a file that is no licence at all, or that attacks its reader."""
    return Examination("TOTAL-FAILED", "FORMAT_FAILURE", "altered", reasons=(reason,))


def _headline_of_good(report: VerificationReport) -> str:
    if report.issued == "as-issued" and report.licence is not None and report.licence.kind == NOTICE:
        return "告知书真实有效：与出具机关的文件一致，电子印章有效。"
    if report.issued == "as-issued":
        return "证照真实有效：与登记机关签发的文件一致，电子印章有效。"
    foreign = report.recognised_by()
    if foreign:
        return f"电子印章有效，由互认机构“{foreign}”担保，文件未被改动；登记状态请向该证照的签发机关核对。"
    if report.checked_with == "status-list":
        return "电子印章有效，文件未被改动，状态清单中没有暂停、作废等记录。"
    return "电子印章有效，文件未被改动；未联网核对登记状态。"


def _headline_of_refused(report: VerificationReport) -> str:
    if report.indication == "NO-SIGNATURE":
        return "文件没有电子印章，不是有效的电子证照。"
    if report.integrity == "altered":
        return "文件已被改动或损坏，不是有效的电子证照。"
    if report.integrity == "extended":
        return "文件在签章之后被追加了内容，不能作为有效的电子证照，请向持证人索取原文件。"
    if report.indication != "TOTAL-PASSED":
        return _headline_of_doubted_seal(report)
    if report.issued == "superseded" and report.status == "valid":
        return "电子印章有效，但这不是现行文件，登记机关已有更新的文件，请下载现行文件后使用。"
    if report.status in _CHANGED:
        return f"电子印章有效，但证照{_CHANGED[report.status]}。"
    return "电子印章有效，但登记机关查不到这份文件或它不是现行版本，请勿采信。"


def _headline_of_doubted_seal(report: VerificationReport) -> str:
    if report.holds():
        return (
            "文件带有国密 SM2/SM3 电子签名，签名和证书链核验相符，文件未被改动；"
            "此类签名不在本程序的判定标准（EN 319 102-1）之内，不能据此认定印章有效，请向签发机关核对。"
            + (f"证照{_CHANGED[report.status]}。" if report.status in _CHANGED else "")
        )
    if report.is_national():
        return "文件带有国密 SM2/SM3 电子签名，但证书不受信任、已失效或不属于该发证机关，请勿采信，可向登记机关查询。"
    why = _WHY.get(report.sub_indication or "", "不能确认电子印章有效")
    return f"{why}，请勿采信，可向登记机关查询。"


def _optional_text(value: object) -> str | None:
    return None if value is None else str(value)
