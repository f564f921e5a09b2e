"""Verifying a licence from its bytes, offline: never raises for what is in the file, always gives a verdict."""

from __future__ import annotations

import asyncio
import hashlib
import io
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asn1crypto import x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import FieldMDPAction, MDPPerm
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import StandardCMSSignatureStatus
from pyhanko_certvalidator.authority import AuthorityWithCert

from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.anchors import Anchor
from docproc.licence.judge import CLOCK_SKEW, has_dss, judge, proven_time, token_of
from docproc.licence.record import ATTACHMENT, parse_licence_json
from docproc.licence.report import (
    NATIONAL,
    Examination,
    Indication,
    Integrity,
    Listed,
    Register,
    SignatureReport,
    VerificationReport,
    conclude,
)
from docproc.licence.revoked import revocation, spoils
from docproc.licence.sm2_judge import find_chain, is_sm2, judge_sm2
from docproc.licence.structure import (
    ARCHIVE_FIELD,
    MAX_SEALS,
    StructureError,
    check_revision,
    check_seal_revision,
    check_span,
    seal_field,
)
from docproc.licence.trust import TrustList

MAX_ARCHIVE_STAMPS = 64
"""More renewals than a licence can see in its life; a bound on work."""

_Objection = tuple[Indication, str, str]


def verify(
    data: bytes, trust: TrustList, at: datetime, register: Register | None = None, listed: Listed | None = None
) -> VerificationReport:
    """Verify a licence.

    Args:
        data: the file as it was received.
        trust: roots for seals and time-stamps, and revocation information known beside that in the file.
        at: the moment to judge for, usually now; aware.
        register: the register of issued licences, or ``None`` offline.
        listed: a checked status list, for who is offline.
    """
    return conclude(examine(data, trust, at), hashlib.sha256(data).hexdigest(), register, at, listed)


def examine(data: bytes, trust: TrustList, at: datetime) -> Examination:
    """Say what the file alone says; any failure to read it is a verdict too."""
    try:
        return asyncio.run(_examine(data, trust, at))
    except (Exception, RecursionError) as error:
        return format_failure(f"the file cannot be read: {type(error).__name__}: {error}")


def format_failure(reason: str) -> Examination:
    """The verdict on a file that is no licence at all, or that harms whoever reads it."""
    return Examination("TOTAL-FAILED", "FORMAT_FAILURE", "altered", reasons=(reason,))


_Judged = tuple[Indication, str | None, StandardCMSSignatureStatus | None]
_WORST: tuple[Indication, ...] = ("TOTAL-FAILED", "INDETERMINATE", "TOTAL-PASSED")


@dataclass(frozen=True)
class _Seal:
    """One seal of a file and the archive time-stamps after it."""

    signature: EmbeddedPdfSignature
    stamps: tuple[EmbeddedPdfSignature, ...]
    number: int
    """From 1, which is the issuing authority's."""

    def level(self) -> str:
        if not token_of(self.signature):
            return "B-B"
        if self.stamps:
            return "B-LTA"
        return "B-LT" if has_dss(self.signature.reader) else "B-T"


async def _examine(data: bytes, trust: TrustList, at: datetime) -> Examination:
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    if reader.encrypted:
        return format_failure("the file is encrypted")
    found = list(reader.embedded_signatures)
    if not found:
        return Examination("NO-SIGNATURE", None, "altered", reasons=("the file has no signature",))
    if found[0].sig_object_type != "/Sig":
        return format_failure("the first signature is not a seal")
    count = next((place for place, item in enumerate(found) if item.sig_object_type != "/Sig"), len(found))
    if count > MAX_SEALS:
        return format_failure("more seals than a licence can have")
    stamps = tuple(found[count:])
    seals = tuple(_Seal(item, stamps, number) for number, item in enumerate(found[:count], 1))
    licence, complaint = _licence(seals[0])
    judged = [await _judge(data, seal, trust, at) for seal in seals]
    integrity, trouble = _integrity(data, seals, trust)
    if any(sub in ("HASH_FAILURE", "SIG_CRYPTO_FAILURE") for _, sub, _ in judged):
        integrity = "altered"
    reports, reasons = [], list(trouble)
    for seal, (indication, sub, status) in zip(seals, judged, strict=True):
        root = _root(seal, status, trust, at)
        if integrity == "altered" and indication != "TOTAL-FAILED":
            indication, sub = "TOTAL-FAILED", "FORMAT_FAILURE"
        if indication == "TOTAL-PASSED" or (is_sm2(seal.signature) and sub == NATIONAL):
            objection = (
                _known_revocation(seal, status, trust)
                or _too_early(seal, status)
                or _objection(seal, status, root, licence, complaint, integrity)
            )
            if objection:
                indication, sub = objection[:2]
                reasons += [objection[2]] if objection[2] not in reasons else []
        reports.append(_report(seal, status, root, indication, sub))
    worst = min(reports, key=lambda item: _WORST.index(item.indication))
    result = Examination(worst.indication, worst.sub_indication, integrity, tuple(reports), licence, tuple(reasons))
    missing = _missing(seals, licence)
    if missing and (result.indication == "TOTAL-PASSED" or result.sub_indication == NATIONAL):
        result = replace(result, indication="INDETERMINATE", sub_indication="SIG_CONSTRAINTS_FAILURE")
    return replace(result, reasons=(*result.reasons, missing)) if missing else result


async def _judge(data: bytes, seal: _Seal, trust: TrustList, at: datetime) -> _Judged:
    if is_sm2(seal.signature):
        return *judge_sm2(seal.signature, data, trust, at)[:2], None
    return await judge(seal.signature, seal.stamps, trust, at)


def _report(
    seal: _Seal,
    status: StandardCMSSignatureStatus | None,
    root: Anchor | None,
    indication: Indication,
    sub: str | None,
) -> SignatureReport:
    return SignatureReport(
        _name(seal.signature),
        seal.level(),
        proven_time(status),
        seal.signature.evaluate_signature_coverage().name,
        root.name if root is not None else "",
        hashlib.sha256(seal.signature.signer_cert.dump()).hexdigest(),
        indication,
        sub,
        "SM2" if is_sm2(seal.signature) else "",
    )


def _missing(seals: tuple[_Seal, ...], licence: Licence | None) -> str:
    """What speaks against the number of seals: the first one covers the empty fields of all that must follow."""
    announced = _announced(seals[0].signature)
    if announced != [seal_field(number) for number in range(1, len(announced) + 1)]:
        return "the sealed form has other fields than those of seals"
    if len(announced) != len(seals):
        return f"{len(announced)} authorities seal this licence, the file has {len(seals)} seals"
    if licence is not None and len(licence.joint) + 1 != len(seals):
        return f"the licence names {len(licence.joint) + 1} authorities, the file has {len(seals)} seals"
    return ""


def _announced(signature: EmbeddedPdfSignature) -> list[str]:
    """Names of the form's fields as the first seal covers them."""
    root = signature.reader.get_historical_root(signature.signed_revision)
    return [str(item.get_object()["/T"]) for item in root["/AcroForm"]["/Fields"]]


def _integrity(data: bytes, seals: tuple[_Seal, ...], trust: TrustList) -> tuple[Integrity, list[str]]:
    """Account for every byte of the file; see :mod:`docproc.licence.structure`."""
    stamps = seals[0].stamps
    try:
        if len(stamps) > MAX_ARCHIVE_STAMPS:
            raise StructureError("too many archive time-stamps")
        end = 0
        for seal in seals:
            span = check_span(data, seal.signature.byte_range, seal.signature.pkcs7_content)
            if seal.number > 1:
                check_seal_revision(data, end, span.end, seal_field(seal.number))
            end = span.end
        _check_seals([seal.signature for seal in seals])
        for number, stamp in enumerate(stamps, 1):
            span = check_span(data, stamp.byte_range, stamp.pkcs7_content)
            if stamp.sig_object_type != "/DocTimeStamp" or stamp.sig_object["/SubFilter"] != "/ETSI.RFC3161":
                raise StructureError("another signature follows the seal")
            check_revision(data, end, span.end, f"{ARCHIVE_FIELD}{number}")
            _check_stamp(stamp)
            end = span.end
        for seal in seals:
            _check_certificates(seal, trust)
        if end != len(data):
            _check_rest(data, end, alone=seals[0].level() == "B-LT")
    except StructureError as error:
        return ("altered" if error.changed else "extended"), [str(error)]
    return "intact", []


def _check_rest(data: bytes, end: int, *, alone: bool) -> None:
    """Judge what follows the last signature: validation data after a B-LT seal, or something that counts against it."""
    if b"obj" in data[end:] or b"xref" in data[end:]:
        check_revision(data, end, len(data), None)
        if alone:
            return
    raise StructureError("bytes follow the last signature", changed=False)


def _check_seals(signatures: list[EmbeddedPdfSignature]) -> None:
    """Check names and locks: a single seal locks the document, of several the first lets in the others, the last locks.

    Where seals are missing the last one that is there may leave the file open: that is told apart, see ``_missing``.
    """
    joint = len(_announced(signatures[0])) > 1
    for number, signature in enumerate(signatures, 1):
        if signature.field_name != seal_field(number) or signature.sig_object["/SubFilter"] != "/ETSI.CAdES.detached":
            raise StructureError("the signature is not a seal on a licence")
        _check_token(signature)
    if signatures[0].docmdp_level != (MDPPerm.FILL_FORMS if joint else MDPPerm.NO_CHANGES):
        raise StructureError("the seal does not lock the document")
    if joint and len(signatures) == len(_announced(signatures[0])):
        last = signatures[-1]
        everything = last.fieldmdp is not None and last.fieldmdp.action == FieldMDPAction.ALL
        if not everything or last.docmdp_level != MDPPerm.NO_CHANGES:
            raise StructureError("the last seal does not lock the document")


def _check_token(signature: EmbeddedPdfSignature) -> None:
    token = token_of(signature)
    if token is not None:
        hashed = signature.signer_info["signature"].native
        _check_imprint(token, lambda name: hashlib.new(name, hashed).digest())


def _check_stamp(stamp: EmbeddedPdfSignature) -> None:
    _check_imprint(stamp.signed_data, stamp.compute_digest)


def _check_imprint(token: Any, digest: Any) -> None:
    """Check a time-stamp's own signature and that it is about what it is attached to; not whether it is trusted."""
    info = token["encap_content_info"]["content"].parsed
    imprint = info["message_imprint"]
    name = imprint["hash_algorithm"]["algorithm"].native
    signer = token["signer_infos"][0]
    content = bytes(token["encap_content_info"]["content"])
    over = hashlib.new(signer["digest_algorithm"]["algorithm"].native, content).digest()
    same = imprint["hashed_message"].native == digest(name)
    if not same or not all(validate_sig_integrity(signer, _signer_of(token), "tst_info", over)):
        raise StructureError("a time-stamp is damaged")


def _signer_of(signed: Any) -> x509.Certificate:
    wanted = signed["signer_infos"][0]["sid"].chosen
    for item in signed["certificates"]:
        if item.chosen.issuer == wanted["issuer"] and item.chosen.serial_number == wanted["serial_number"].native:
            return item.chosen
    raise StructureError("a signature lacks the certificate of its signer")


def _check_certificates(seal: _Seal, trust: TrustList) -> None:
    """Check that signatures carry only certificates that are vouched for elsewhere."""
    vouched = {item.dump() for item in (*trust.roots, *trust.intermediates)}
    if has_dss(seal.signature.reader):
        vouched |= {item.dump() for item in DocumentSecurityStore.read_dss(seal.signature.reader).load_certs()}
    token = token_of(seal.signature)
    parts = [seal.signature.signed_data, *([token] if token else []), *(item.signed_data for item in seal.stamps)]
    for part in parts:
        serial = part["signer_infos"][0]["sid"].chosen["serial_number"].native
        for item in part["certificates"]:
            # the signer's own certificate is bound by the signed signing-certificate attribute
            if item.chosen.serial_number != serial and item.chosen.dump() not in vouched:
                raise StructureError("a signature carries a certificate that nothing vouches for")


def _objection(
    seal: _Seal,
    status: StandardCMSSignatureStatus | None,
    root: Anchor | None,
    licence: Licence | None,
    complaint: str,
    integrity: Integrity,
) -> _Objection | None:
    """What speaks against a seal that passes as such."""
    if integrity != "intact":
        reason = "bytes were added after sealing"
    elif licence is None:
        reason = complaint
    elif status is not None and token_of(seal.signature) is not None and proven_time(status) is None:
        reason = "the time-stamp of the seal is not trusted"
    elif (party := _party(licence, seal.number)) is None:
        reason = "the licence names no authority for this seal"
    elif root is None or not root.vouches_for(party[1]):
        reason = "the root behind the seal may not vouch for the authority that the licence names"
    else:
        reason = _owner_mismatch(seal.signature, *party)
    return ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", reason) if reason else None


def _known_revocation(seal: _Seal, status: StandardCMSSignatureStatus | None, trust: TrustList) -> _Objection | None:
    """What the CRLs of the trust folder say against the certificates of seal, authorities and time-stamps."""
    proven = proven_time(status)
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
        if spoils(revocation(_signer_of(part), trust), made):
            return "INDETERMINATE", "REVOKED_NO_POE", "the certificate of a time-stamping service was revoked"
    return None


def _too_early(seal: _Seal, status: StandardCMSSignatureStatus | None) -> _Objection | None:
    """Whether the proven time of a seal lies before its certificate began (EN 319 102-1, NOT_YET_VALID).

    pyHanko compares the two only when the certificate is outside its period at the moment of judging.
    """
    proven = proven_time(status)
    if proven is None or proven + CLOCK_SKEW >= seal.signature.signer_cert.not_valid_before:
        return None
    return "TOTAL-FAILED", "NOT_YET_VALID", "the certificate of the seal was not yet valid when it was used"


def _root(seal: _Seal, status: StandardCMSSignatureStatus | None, trust: TrustList, at: datetime) -> Anchor | None:
    """The limits of the root behind the seal, if a path to one was found."""
    if is_sm2(seal.signature):
        chain = find_chain(seal.signature.signer_cert, trust, at)
        return trust.anchor(chain[-1]) if chain else None
    path = status.validation_path if status is not None else None
    authority = path.trust_anchor.authority if path is not None else None
    return trust.anchor(authority.certificate) if isinstance(authority, AuthorityWithCert) else None


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


def _licence(seal: _Seal) -> tuple[Licence | None, str]:
    """Read the attachment as it was when it was sealed."""
    root = seal.signature.reader.get_historical_root(seal.signature.signed_revision)
    try:
        files = root["/AF"]
        named = [item for item in files if str(item.get_object()["/F"]) == ATTACHMENT]
        if len(named) != 1:
            return None, "the file carries no licence data"
        stream = named[0].get_object()["/EF"]["/F"]
        if not isinstance(stream, generic.StreamObject):
            return None, "the file carries no licence data"
        return parse_licence_json(stream.data), ""
    except KeyError:
        return None, "the file carries no licence data"
    except InputError as error:
        return None, str(error)


def _name(signature: EmbeddedPdfSignature) -> str:
    subject = signature.signer_cert.subject.native
    return str(subject.get("common_name") or subject.get("organization_name") or "")
