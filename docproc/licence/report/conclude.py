"""The verdict on a licence: the examination of the file, combined with the register or a status list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from docproc.domain import CHINA, Licence
from docproc.licence.report.report import (
    CheckedWith,
    Examination,
    Issued,
    LicenceStatus,
    Listed,
    Reason,
    Register,
    Standing,
    VerificationReport,
)

_EXPECTED: dict[CheckedWith, tuple[Issued, LicenceStatus]] = {
    "register": ("as-issued", "valid"),
    "status-list": ("unknown", "valid"),
    "nothing": ("unknown", "unknown"),
}
"""What each source says about the current file of a licence that is in force."""
_UNKNOWN = Standing("unknown")


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known about a licence beside its file."""

    source: CheckedWith
    number: str | None
    issued: Issued = "unknown"
    standing: Standing = _UNKNOWN
    reason: str = ""
    """Why the file is doubted, for developers."""


def conclude(
    found: Examination,
    digest: str,
    register: Register | None,
    at: datetime,
    listed: Listed | None = None,
    own: str = "",
) -> VerificationReport:
    """Combine the examination of a file with the register's entry; ``digest`` is the file's SHA-256 in hexadecimal.

    ``ok`` is true only when the seal passes, the file is intact, the licence is in force at ``at``, and, where there
    is a register, these very bytes are what was issued. A register knows nothing of what other departments issued:
    for a recognised seal of theirs it is not asked, unless it has a licence of that number or file itself.
    ``listed`` stands in for the register offline; it is asked only about licences of its own authority.
    ``own`` is the credit code of our own authority, whose licences the register knows all of.
    """
    known = _ask(found, digest, register, listed, own)
    today = at.astimezone(CHINA).date()
    standing = _standing_on(today, found.licence, known.standing)
    early = found.licence is not None and found.licence.valid_from > today
    good = found.indication == "TOTAL-PASSED" and found.integrity == "intact" and not early
    doubts = (known.reason, "the licence is not in force yet" if early else "")
    return VerificationReport(
        ok=good and (known.issued, standing.status) == _EXPECTED[known.source],
        indication=found.indication,
        sub_indication=found.sub_indication,
        integrity=found.integrity,
        issued=known.issued,
        number=known.number,
        status=standing.status,
        signatures=found.signatures,
        licence=found.licence,
        reasons=(*found.reasons, *filter(None, doubts)),
        standing=standing,
        checked_with=known.source,
        at=at,
        sha256=digest,
        reason=_reason(found, known, own),
        claimed=found.reason == "not-ours" and known.issued == "unknown" and _claims(found.licence, known, own),
    )


def _reason(found: Examination, known: _Known, own: str) -> Reason | None:
    """Why the file was not judged as ours; what the register has byte for byte is ours, whoever is trusted today."""
    if found.reason == "not-ours" and known.issued != "unknown":
        return None
    licence = found.licence
    sealed = found.indication == "TOTAL-PASSED" and found.integrity == "intact"
    if sealed and own and licence is not None and known.source == "register" and not _is_of(licence, own):
        return "not-ours" if known.standing.status == "unknown" else found.reason
    return found.reason


def _claims(licence: Licence | None, known: _Known, own: str) -> bool:
    """Whether a file that others sealed says that it is a licence of ours: by our code, or a number of ours."""
    return licence is not None and (_is_of(licence, own) or known.standing.status != "unknown")


def _is_of(licence: Licence, own: str) -> bool:
    """Whether our own authority is among those that a licence names."""
    return bool(own) and own in (licence.authority_code, *(code for _, code in licence.joint))


def _ask(found: Examination, digest: str, register: Register | None, listed: Listed | None, own: str) -> _Known:
    licence = found.licence
    if register is not None and (not _is_foreign(found) or _concerns_us(found, digest, register, own)):
        return _ask_register(licence, digest, register)
    if listed is not None and licence is not None and licence.authority_code == listed.authority_code:
        return _ask_list(licence, digest, listed)
    return _Known("nothing", licence.number if licence else None)


def _ask_register(licence: Licence | None, digest: str, register: Register) -> _Known:
    number = licence.number if licence else None
    issued: Issued = "unknown"
    record = register.by_sha256(digest)
    if record is not None:
        number, issued = record.number, record.issued
    elif number is not None:
        record = register.by_number(number)
    standing = record.standing() if record is not None else _UNKNOWN
    reason = "the register does not know these bytes as the current file of a licence"
    return _Known("register", number, issued, standing, "" if issued == "as-issued" else reason)


def _ask_list(licence: Licence, digest: str, listed: Listed) -> _Known:
    standing = listed.standing(licence.number)
    if digest not in listed.superseded:
        return _Known("status-list", licence.number, "unknown", standing)
    reason = "the status list names this file as a former version of the licence"
    return _Known("status-list", licence.number, "superseded", standing, reason)


def _standing_on(today: date, licence: Licence | None, standing: Standing) -> Standing:
    """A licence expires by itself, at midnight after its last day."""
    if licence is None or licence.valid_to is None or standing.status not in ("valid", "unknown", "expired"):
        return standing
    if today <= licence.valid_to:
        return standing
    return Standing("expired", datetime.combine(licence.valid_to + timedelta(days=1), time(), CHINA))


def _is_foreign(found: Examination) -> bool:
    return any(item.recognised for item in found.signatures)


def _concerns_us(found: Examination, digest: str, register: Register, own: str) -> bool:
    """Whether the register must know the file although another department's root stands behind its seal."""
    if found.licence is not None and _is_of(found.licence, own):
        return True
    if register.by_sha256(digest) is not None:
        return True
    return found.licence is not None and register.by_number(found.licence.number) is not None
