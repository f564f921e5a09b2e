"""Verifying a licence from its bytes, offline: never raises for what is in the file, always gives a verdict."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from asn1crypto.ocsp import OCSPResponse
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESStatus
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.general import NonexistentAttributeError, find_unique_cms_attribute
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    ades_basic_validation,
    ades_timestamp_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import StandardCMSSignatureStatus
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy, FreshnessReqType
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.record import ATTACHMENT, parse_licence_json
from docproc.licence.report import (
    Examination,
    Indication,
    Integrity,
    Register,
    SignatureReport,
    VerificationReport,
    conclude,
)
from docproc.licence.revoked import revocation, spoils
from docproc.licence.structure import ARCHIVE_FIELD, SEAL_FIELD, StructureError, check_revision, check_span
from docproc.licence.trust import ALGORITHMS, TrustList

# what it has to say is in the verdict; a traceback for every bad file would let strangers fill the log
logging.getLogger("pyhanko.sign.validation").setLevel(logging.CRITICAL)
ARCHIVE_REVOCATION = CertRevTrustPolicy(
    REQUIRE_REVINFO,
    freshness=timedelta(days=20 * 366),
    freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION,
)
"""A time-stamp is believed on the revocation information of its own day until the TSA's certificate ends: offline there
is none newer. A later revocation of the TSA is seen when its CRL is put into the trust folder."""
CLOCK_SKEW = timedelta(minutes=5)
MAX_ARCHIVE_STAMPS = 64
"""More renewals than a licence can see in its life; a bound on work."""

_Objection = tuple[Indication, str, str]
_Result = AdESBasicValidationResult[Any]


def verify(data: bytes, trust: TrustList, at: datetime, register: Register | None = None) -> VerificationReport:
    """Verify a licence.

    Args:
        data: the file as it was received.
        trust: roots for seals and time-stamps, and revocation information known beside that in the file.
        at: the moment to judge for, usually now; aware.
        register: the register of issued licences, or ``None`` offline.
    """
    return conclude(examine(data, trust, at), hashlib.sha256(data).hexdigest(), register, at)


def examine(data: bytes, trust: TrustList, at: datetime) -> Examination:
    """Say what the file alone says; any failure to read it is a verdict too."""
    try:
        return asyncio.run(_examine(data, trust, at))
    except (Exception, RecursionError) as error:
        return format_failure(f"the file cannot be read: {type(error).__name__}: {error}")


def format_failure(reason: str) -> Examination:
    """The verdict on a file that is no licence at all, or that harms whoever reads it."""
    return Examination("TOTAL-FAILED", "FORMAT_FAILURE", "altered", reasons=(reason,))


@dataclass(frozen=True)
class _Seal:
    """The one seal of a file and the archive time-stamps after it."""

    signature: EmbeddedPdfSignature
    stamps: tuple[EmbeddedPdfSignature, ...]

    def level(self) -> str:
        if not _token(self.signature):
            return "B-B"
        if self.stamps:
            return "B-LTA"
        return "B-LT" if _has_dss(self.signature.reader) else "B-T"


async def _examine(data: bytes, trust: TrustList, at: datetime) -> Examination:
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    if reader.encrypted:
        return format_failure("the file is encrypted")
    found = list(reader.embedded_signatures)
    if not found:
        return Examination("NO-SIGNATURE", None, "altered", reasons=("the file has no signature",))
    if found[0].sig_object_type != "/Sig":
        return format_failure("the first signature is not a seal")
    seal = _Seal(found[0], tuple(found[1:]))
    licence, complaint = _licence(seal)
    indication, sub, status = await _judge(seal, trust, at)
    integrity, trouble = _integrity(data, seal, trust)
    if sub in ("HASH_FAILURE", "SIG_CRYPTO_FAILURE"):
        integrity = "altered"
    coverage = seal.signature.evaluate_signature_coverage()
    report = SignatureReport(_name(seal.signature), seal.level(), _proven(status), coverage.name)
    result = Examination(indication, sub, integrity, (report,), licence, tuple(trouble))
    if integrity == "altered" and indication != "TOTAL-FAILED":
        result = replace(result, indication="TOTAL-FAILED", sub_indication="FORMAT_FAILURE")
    if result.indication == "TOTAL-PASSED":
        objection = _known_revocation(seal, status, trust) or _objection(seal, status, licence, complaint, integrity)
        if objection:
            result = replace(
                result, indication=objection[0], sub_indication=objection[1], reasons=(*result.reasons, objection[2])
            )
    return result


async def _judge(
    seal: _Seal, trust: TrustList, at: datetime
) -> tuple[Indication, str | None, StandardCMSSignatureStatus | None]:
    """Run the validation process of EN 319 102-1 that fits the level (5.3, 5.5 or 5.6).

    With archive time-stamps the seal is judged for the time that the oldest of them proves. pyHanko has a process of
    its own for that; it asks the computer's clock instead of ``at``, and a newer CRL makes it forget an older proof.
    """
    known = _knowledge(seal.signature.reader, trust)
    if not seal.stamps:
        return _verdict(await _judge_at(seal.signature, _spec(trust, known), at))
    proven = await _archived_since(seal.stamps, trust, known, at)
    if proven is not None:
        return _verdict(await _judge_at(seal.signature, _spec(trust, _until(known, proven)), proven))
    indication, sub, status = _verdict(await _judge_at(seal.signature, _spec(trust, known), at))
    if indication == "TOTAL-FAILED" or sub == "NO_CERTIFICATE_CHAIN_FOUND":
        return indication, sub, status
    # the archive time-stamps are worn out, or of a service that nobody trusts
    return "INDETERMINATE", "NO_POE", status


async def _archived_since(
    stamps: tuple[EmbeddedPdfSignature, ...], trust: TrustList, known: LocalKnowledge, at: datetime
) -> datetime | None:
    """The time that the oldest archive time-stamp proves, or ``None`` when the chain does not hold.

    The newest must be good at ``at``, and each older one at the time that the next newer one proves (5.6.2.3): that
    is what renewing in time means. That each covers all that came before is checked with the structure of the file.
    """
    moment = at
    for stamp in reversed(stamps):
        made: datetime = stamp.signed_data["encap_content_info"]["content"].parsed["gen_time"].native
        result = await ades_timestamp_validation(
            stamp.signed_data,
            _spec(trust, _until(known, moment)),
            timing_info=_moment(moment),
            expected_tst_imprint=stamp.compute_digest,
        )
        if result.ades_subindic.status != AdESStatus.PASSED or made > moment + CLOCK_SKEW:
            return None
        moment = min(moment, made)
    return moment


async def _judge_at(signature: EmbeddedPdfSignature, spec: SignatureValidationSpec, at: datetime) -> _Result:
    run = ades_with_time_validation if _token(signature) else ades_basic_validation
    return await run(signature.signed_data, spec, timing_info=_moment(at), raw_digest=signature.compute_digest())


def _verdict(result: _Result) -> tuple[Indication, str | None, StandardCMSSignatureStatus | None]:
    verdicts: dict[AdESStatus, Indication] = {
        AdESStatus.PASSED: "TOTAL-PASSED",
        AdESStatus.INDETERMINATE: "INDETERMINATE",
        AdESStatus.FAILED: "TOTAL-FAILED",
    }
    indication = verdicts[result.ades_subindic.status]
    return indication, None if indication == "TOTAL-PASSED" else result.ades_subindic.standard_name, result.api_status


def _spec(trust: TrustList, known: LocalKnowledge) -> SignatureValidationSpec:
    anchors = SimpleTrustManager.build(list(trust.roots))
    return SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            anchors, CertRevTrustPolicy(REQUIRE_REVINFO), algorithm_usage_policy=ALGORITHMS
        ),
        ts_cert_validation_policy=CertValidationPolicySpec(
            anchors, ARCHIVE_REVOCATION, algorithm_usage_policy=ALGORITHMS
        ),
        revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=known,
        key_usage_settings=KeyUsageConstraints(key_usage={"non_repudiation"}),
    )


def _until(known: LocalKnowledge, moment: datetime) -> LocalKnowledge:
    """Leave out revocation information that was issued after a moment: it says nothing about that moment."""
    limit = moment + CLOCK_SKEW
    return replace(
        known,
        known_crls=[item for item in known.known_crls if item.issuance_date and item.issuance_date <= limit],
        known_ocsps=[item for item in known.known_ocsps if item.issuance_date and item.issuance_date <= limit],
    )


def _moment(at: datetime) -> ValidationTimingInfo:
    return ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)


def _integrity(data: bytes, seal: _Seal, trust: TrustList) -> tuple[Integrity, list[str]]:
    """Account for every byte of the file; see :mod:`docproc.licence.structure`."""
    try:
        if len(seal.stamps) > MAX_ARCHIVE_STAMPS:
            raise StructureError("too many archive time-stamps")
        end = check_span(data, seal.signature.byte_range, seal.signature.pkcs7_content).end
        _check_seal(seal.signature)
        _check_token(seal.signature)
        for number, stamp in enumerate(seal.stamps, 1):
            span = check_span(data, stamp.byte_range, stamp.pkcs7_content)
            if stamp.sig_object_type != "/DocTimeStamp" or stamp.sig_object["/SubFilter"] != "/ETSI.RFC3161":
                raise StructureError("another signature follows the seal")
            check_revision(data, end, span.end, f"{ARCHIVE_FIELD}{number}")
            _check_stamp(stamp)
            end = span.end
        _check_certificates(seal, trust)
        if end != len(data):
            _check_rest(data, end, alone=seal.level() == "B-LT")
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


def _check_seal(signature: EmbeddedPdfSignature) -> None:
    if signature.field_name != SEAL_FIELD or signature.sig_object["/SubFilter"] != "/ETSI.CAdES.detached":
        raise StructureError("the signature is not a seal on a licence")
    if signature.docmdp_level != MDPPerm.NO_CHANGES:
        raise StructureError("the seal does not lock the document")


def _check_token(signature: EmbeddedPdfSignature) -> None:
    token = _token(signature)
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
    if _has_dss(seal.signature.reader):
        vouched |= {item.dump() for item in DocumentSecurityStore.read_dss(seal.signature.reader).load_certs()}
    token = _token(seal.signature)
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
    licence: Licence | None,
    complaint: str,
    integrity: Integrity,
) -> _Objection | None:
    """What speaks against a seal that passes as such."""
    if integrity != "intact":
        reason = "bytes were added after sealing"
    elif licence is None:
        reason = complaint
    elif _token(seal.signature) is not None and _proven(status) is None:
        reason = "the time-stamp of the seal is not trusted"
    else:
        reason = _owner_mismatch(seal.signature, licence)
    return ("INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", reason) if reason else None


def _known_revocation(seal: _Seal, status: StandardCMSSignatureStatus | None, trust: TrustList) -> _Objection | None:
    """What the CRLs of the trust folder say against the certificates of seal, authorities and time-stamps."""
    proven = _proven(status)
    found = revocation(seal.signature.signer_cert, trust)
    if found is not None and spoils(found, proven):
        if proven is not None and found[0] <= proven:
            return "TOTAL-FAILED", "REVOKED", "the certificate of the seal was revoked before it was used"
        return "INDETERMINATE", "REVOKED_NO_POE", "the certificate of the seal was revoked"
    above = status.validation_path.iter_authorities() if status and status.validation_path else ()
    for authority in above:
        if isinstance(authority, AuthorityWithCert) and spoils(revocation(authority.certificate, trust), proven):
            return "INDETERMINATE", "REVOKED_CA_NO_POE", "the certificate of the issuing authority was revoked"
    token = _token(seal.signature)
    for part in [*([token] if token else []), *(stamp.signed_data for stamp in seal.stamps)]:
        made = part["encap_content_info"]["content"].parsed["gen_time"].native
        if spoils(revocation(_signer_of(part), trust), made):
            return "INDETERMINATE", "REVOKED_NO_POE", "the certificate of a time-stamping service was revoked"
    return None


def _owner_mismatch(signature: EmbeddedPdfSignature, licence: Licence) -> str:
    """A seal speaks for its owner only: its certificate must name the authority that the licence names."""
    subject = signature.signer_cert.subject.native
    code = subject.get("organization_identifier")
    if code is not None:
        return "" if code == licence.authority_code else "the seal belongs to another authority than the licence names"
    names = (subject.get("organization_name"), subject.get("common_name"))
    return "" if licence.authority in names else "the seal belongs to another authority than the licence names"


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


def _knowledge(reader: PdfFileReader, trust: TrustList) -> LocalKnowledge:
    """What is known locally; validation data in the file counts too."""
    crls = [CRLContainer(item) for item in trust.evidence.crls]
    ocsps = [part for item in trust.evidence.ocsps for part in OCSPContainer.load_multi(item)]
    certs = [*trust.roots, *trust.intermediates]  # the issuer of a CRL is looked for among these only
    if _has_dss(reader):
        store = DocumentSecurityStore.read_dss(reader)
        crls += [CRLContainer(CertificateList.load(item.get_object().data)) for item in store.crls]
        for item in store.ocsps:
            ocsps += OCSPContainer.load_multi(OCSPResponse.load(item.get_object().data))
        certs += list(store.load_certs())
    return LocalKnowledge(known_crls=crls, known_ocsps=ocsps, known_certs=certs)


def _has_dss(reader: PdfFileReader) -> bool:
    try:
        DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return False
    return True


def _token(signature: EmbeddedPdfSignature) -> Any:
    """The signature time-stamp, or ``None``."""
    try:
        found = find_unique_cms_attribute(signature.signer_info["unsigned_attrs"], "signature_time_stamp_token")
    except NonexistentAttributeError:
        return None
    return found["content"]


def _proven(status: StandardCMSSignatureStatus | None) -> datetime | None:
    """When the seal was made, if a trusted time-stamp proves it."""
    stamp = status.timestamp_validity if status is not None else None
    return stamp.timestamp if stamp is not None and stamp.valid and stamp.trusted else None


def _name(signature: EmbeddedPdfSignature) -> str:
    subject = signature.signer_cert.subject.native
    return str(subject.get("common_name") or subject.get("organization_name") or "")
