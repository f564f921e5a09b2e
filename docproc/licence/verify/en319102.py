"""The validation processes of EN 319 102-1, run by pyHanko offline, for the points in time that matter."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from asn1crypto.crl import CertificateList
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESStatus
from pyhanko.sign.general import NonexistentAttributeError, find_unique_cms_attribute
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    ades_basic_validation,
    ades_timestamp_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import StandardCMSSignatureStatus
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy, FreshnessReqType
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from docproc.licence.pki.trust import ALGORITHM_POLICY, TrustList
from docproc.licence.report.report import Indication
from docproc.licence.verify.validation_store import validation_store

# its findings are in the verdict; a traceback for every bad file would let strangers fill the log
logging.getLogger("pyhanko.sign.validation").setLevel(logging.CRITICAL)

ARCHIVE_REVOCATION = CertRevTrustPolicy(
    REQUIRE_REVINFO,
    freshness=timedelta(days=20 * 366),
    freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION,
)
"""A time-stamp is believed on the revocation information of its own day until the TSA's certificate ends: offline there
is none newer. A later revocation of the TSA is seen when its CRL is put into the trust folder."""
CLOCK_SKEW = timedelta(minutes=5)
_Result = AdESBasicValidationResult[Any]


async def judge(
    signature: EmbeddedPdfSignature, stamps: tuple[EmbeddedPdfSignature, ...], trust: TrustList, at: datetime
) -> tuple[Indication, str | None, StandardCMSSignatureStatus | None]:
    """Run the validation process of EN 319 102-1 that fits the level (5.3, 5.5 or 5.6).

    With archive time-stamps the seal is judged for the time that the oldest of them proves. pyHanko has a process of
    its own for that; it asks the computer's clock instead of ``at``, and a newer CRL makes it forget an older proof.
    """
    known = _knowledge(signature.reader, trust)
    if not stamps:
        return _verdict(await _judge_at(signature, _spec(trust, known, at), at))
    proven = await _archived_since(stamps, trust, known, at)
    if proven is not None:
        return _verdict(await _judge_at(signature, _spec(trust, _until(known, proven), proven), proven))
    indication, sub, status = _verdict(await _judge_at(signature, _spec(trust, known, at), at))
    if indication == "TOTAL-FAILED" or sub == "NO_CERTIFICATE_CHAIN_FOUND":
        return indication, sub, status
    # the archive time-stamps have expired, or are of an untrusted service
    return "INDETERMINATE", "NO_POE", status


async def stamped_since(
    signature: EmbeddedPdfSignature, stamps: tuple[EmbeddedPdfSignature, ...], trust: TrustList, at: datetime
) -> tuple[datetime | None, bool]:
    """The time at which a seal of any algorithm existed, and whether its archive time-stamps are still valid.

    The time is ``None`` when the seal has no time-stamp, or an untrusted one.
    """
    known = _knowledge(signature.reader, trust)
    moment = await _archived_since(stamps, trust, known, at) if stamps else at
    token = token_of(signature)
    if moment is None or token is None:
        return None, moment is not None
    value = signature.signer_info["signature"].native
    result = await ades_timestamp_validation(
        token,
        _spec(trust, _until(known, moment), moment),
        timing_info=_moment(moment),
        expected_tst_imprint=lambda name: hashlib.new(name, value).digest(),
    )
    made: datetime = token["encap_content_info"]["content"].parsed["gen_time"].native
    passed = result.ades_subindic.status == AdESStatus.PASSED and made <= moment + CLOCK_SKEW
    return made if passed else None, True


def lists_of(reader: PdfFileReader) -> tuple[CertificateList, ...]:
    """The CRLs among the validation data of a file."""
    store = validation_store(reader)
    return store.lists if store is not None else ()


async def _archived_since(
    stamps: tuple[EmbeddedPdfSignature, ...], trust: TrustList, known: LocalKnowledge, at: datetime
) -> datetime | None:
    """The time that the oldest archive time-stamp proves, or ``None`` when the chain of time-stamps is broken.

    The newest must be good at ``at``, and each older one at the time that the next newer one proves (5.6.2.3): that
    is what renewing in time means. That each covers all that came before is checked with the structure of the file.
    """
    moment = at
    for stamp in reversed(stamps):
        made: datetime = stamp.signed_data["encap_content_info"]["content"].parsed["gen_time"].native
        result = await ades_timestamp_validation(
            stamp.signed_data,
            _spec(trust, _until(known, moment), moment),
            timing_info=_moment(moment),
            expected_tst_imprint=stamp.compute_digest,
        )
        if result.ades_subindic.status != AdESStatus.PASSED or made > moment + CLOCK_SKEW:
            return None
        moment = min(moment, made)
    return moment


async def _judge_at(signature: EmbeddedPdfSignature, spec: SignatureValidationSpec, at: datetime) -> _Result:
    run = ades_with_time_validation if token_of(signature) else ades_basic_validation
    return await run(signature.signed_data, spec, timing_info=_moment(at), raw_digest=signature.compute_digest())


def _verdict(result: _Result) -> tuple[Indication, str | None, StandardCMSSignatureStatus | None]:
    verdicts: dict[AdESStatus, Indication] = {
        AdESStatus.PASSED: "TOTAL-PASSED",
        AdESStatus.INDETERMINATE: "INDETERMINATE",
        AdESStatus.FAILED: "TOTAL-FAILED",
    }
    indication = verdicts[result.ades_subindic.status]
    return indication, None if indication == "TOTAL-PASSED" else result.ades_subindic.standard_name, result.api_status


def _spec(trust: TrustList, known: LocalKnowledge, moment: datetime) -> SignatureValidationSpec:
    """Trust the roots that are trusted at a moment, each for what it is trusted for."""
    seals = SimpleTrustManager.build(trust.roots_for("seal", moment))
    stamps = SimpleTrustManager.build(trust.roots_for("timestamp", moment))
    return SignatureValidationSpec(
        cert_validation_policy=CertValidationPolicySpec(
            seals, CertRevTrustPolicy(REQUIRE_REVINFO), algorithm_usage_policy=ALGORITHM_POLICY
        ),
        ts_cert_validation_policy=CertValidationPolicySpec(
            stamps, ARCHIVE_REVOCATION, algorithm_usage_policy=ALGORITHM_POLICY
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


def _knowledge(reader: PdfFileReader, trust: TrustList) -> LocalKnowledge:
    """What is known locally; validation data in the file counts too."""
    crls = [CRLContainer(item) for item in trust.evidence.crls]
    ocsps = [part for item in trust.evidence.ocsps for part in OCSPContainer.load_multi(item)]
    certs = [*trust.roots, *trust.intermediates]  # the issuer of a CRL is looked for among these only
    store = validation_store(reader)
    if store is not None:
        crls += [CRLContainer(item) for item in store.lists]
        ocsps += [part for item in store.answers for part in OCSPContainer.load_multi(item)]
        certs += store.certificates
    return LocalKnowledge(known_crls=crls, known_ocsps=ocsps, known_certs=certs)


def has_dss(reader: PdfFileReader) -> bool:
    """Whether the file carries validation data."""
    return validation_store(reader) is not None


def token_of(signature: EmbeddedPdfSignature) -> Any:
    """The signature time-stamp, or ``None``."""
    try:
        found = find_unique_cms_attribute(signature.signer_info["unsigned_attrs"], "signature_time_stamp_token")
    except NonexistentAttributeError:
        return None
    return found["content"]


def proven_time(status: StandardCMSSignatureStatus | None) -> datetime | None:
    """When the seal was made, if a trusted time-stamp proves it."""
    stamp = status.timestamp_validity if status is not None else None
    return stamp.timestamp if stamp is not None and stamp.valid and stamp.trusted else None
