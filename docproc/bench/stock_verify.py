"""The same verdict by pyHanko's own process for archived signatures, as a baseline for the benchmark."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta

from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESStatus
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy, FreshnessReqType
from pyhanko_certvalidator.registry import SimpleTrustManager

from docproc.licence.pki.trust import TrustList

_A_DAY = CertRevTrustPolicy(
    REQUIRE_REVINFO,
    freshness=timedelta(days=1),
    freshness_req_type=FreshnessReqType.MAX_DIFF_REVOCATION_VALIDATION,
)


def stock_verdict(data: bytes, trust: TrustList) -> bool:
    """Whether EN 319 102-1, 5.6.3, as pyHanko runs it for now, passes the first signature; offline, unconfined."""
    policy = CertValidationPolicySpec(SimpleTrustManager.build(trust.roots), _A_DAY)
    spec = SignatureValidationSpec(
        cert_validation_policy=policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
        local_knowledge=LocalKnowledge(known_certs=[*trust.roots, *trust.intermediates]),
    )
    found = PdfFileReader(io.BytesIO(data)).embedded_regular_signatures[0]
    result = asyncio.run(ades_lta_validation(found, PdfSignatureValidationSpec(spec)))
    return result.ades_subindic.status == AdESStatus.PASSED
