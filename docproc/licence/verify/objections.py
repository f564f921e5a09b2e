"""Reasons to reject a seal that passes EN 319 102-1: its owner, and revocations that the verifier knows of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import StandardCMSSignatureStatus
from pyhanko_certvalidator.authority import AuthorityWithCert

from docproc.domain import Licence
from docproc.licence.pki.revocation import revocation, spoils
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.trust_limits import Anchor
from docproc.licence.report.report import Indication, Integrity
from docproc.licence.verify.en319102 import CLOCK_SKEW, token_of
from docproc.licence.verify.found import FoundSeal, announced, signer_of
from docproc.licence.verify.revisions import seal_field

Objection = tuple[Indication, str, str]
"""Indication, sub-indication, and why, for developers."""


@dataclass(frozen=True)
class SealVerdict:
    """What the validation process of EN 319 102-1 says of one seal."""

    indication: Indication
    sub_indication: str | None
    status: StandardCMSSignatureStatus | None
    """What pyHanko found; ``None`` for an SM2 seal."""
    proven: datetime | None
    """When the seal was made, where a time-stamp proves it."""


def misuse(
    seal: FoundSeal,
    proven: datetime | None,
    root: Anchor | None,
    licence: Licence | None,
    complaint: str,
    integrity: Integrity,
) -> Objection | None:
    """Why a valid seal may not be used on this file; ``complaint`` says why there is no licence."""
    if integrity != "intact":
        reason = "bytes were added after sealing"
    elif licence is None:
        reason = complaint
    elif token_of(seal.signature) is not None and proven is None:
        reason = "the time-stamp of the seal is not trusted"
    elif (party := _party(licence, seal.number)) is None:
        reason = "the licence names no authority for this seal"
    elif root is None or not root.vouches_for(party[1]):
        reason = "the root behind the seal may not vouch for the authority that the licence names"
    else:
        reason = _owner_mismatch(seal.signature, *party)
    return ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", reason) if reason else None


def known_revocation(
    seal: FoundSeal, status: StandardCMSSignatureStatus | None, proven: datetime | None, trust: TrustList
) -> Objection | None:
    """What the CRLs of the trust folder say against the certificates of seal, authorities and time-stamps."""
    found = revocation(seal.signature.signer_cert, trust)
    if found is not None and spoils(found, proven):
        if proven is not None and found[0] <= proven:
            return "TOTAL-FAILED", "REVOKED", "the certificate of the seal was revoked before it was used"
        return "INDETERMINATE", "REVOKED_NO_POE", "the certificate of the seal was revoked"
    above = status.validation_path.iter_authorities() if status and status.validation_path else ()
    for authority in above:
        if isinstance(authority, AuthorityWithCert) and spoils(revocation(authority.certificate, trust), proven):
            return "INDETERMINATE", "REVOKED_CA_NO_POE", "the certificate of the issuing authority was revoked"
    token = token_of(seal.signature)
    for part in [*([token] if token else []), *(stamp.signed_data for stamp in seal.stamps)]:
        made = part["encap_content_info"]["content"].parsed["gen_time"].native
        if spoils(revocation(signer_of(part), trust), made):
            return "INDETERMINATE", "REVOKED_NO_POE", "the certificate of a time-stamping service was revoked"
    return None


def too_early(seal: FoundSeal, proven: datetime | None) -> Objection | None:
    """Whether the proven time of a seal lies before its certificate began (EN 319 102-1, NOT_YET_VALID).

    pyHanko compares the two only when the certificate is outside its period at the moment of judging.
    """
    if proven is None or proven + CLOCK_SKEW >= seal.signature.signer_cert.not_valid_before:
        return None
    return "TOTAL-FAILED", "NOT_YET_VALID", "the certificate of the seal was not yet valid when it was used"


def _party(licence: Licence, number: int) -> tuple[str, str] | None:
    """Name and code of the authority whose seal is the first, second ... on a licence."""
    parties = ((licence.authority, licence.authority_code), *licence.joint)
    return parties[number - 1] if number <= len(parties) else None


def _owner_mismatch(signature: EmbeddedPdfSignature, authority: str, authority_code: str) -> str:
    """A seal speaks for its owner only: its certificate must name the authority that the licence names."""
    subject = signature.signer_cert.subject.native
    code = subject.get("organization_identifier")
    if code is not None:
        return "" if code == authority_code else "the seal belongs to another authority than the licence names"
    names = (subject.get("organization_name"), subject.get("common_name"))
    return "" if authority in names else "the seal belongs to another authority than the licence names"


def missing_seals(seals: tuple[FoundSeal, ...], licence: Licence | None) -> str:
    """What is wrong with the number of seals: the first one covers the empty fields of all that must follow."""
    fields = announced(seals[0].signature)
    if fields != [seal_field(number) for number in range(1, len(fields) + 1)]:
        return "the sealed form has other fields than those of seals"
    if len(fields) != len(seals):
        return f"{len(fields)} authorities seal this licence, the file has {len(seals)} seals"
    if licence is not None and len(licence.joint) + 1 != len(seals):
        return f"the licence names {len(licence.joint) + 1} authorities, the file has {len(seals)} seals"
    return ""
