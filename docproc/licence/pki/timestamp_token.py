"""Time-stamp tokens (RFC 3161) over a hash: proof to others that something existed at a moment."""

from __future__ import annotations

import asyncio
from datetime import datetime

from asn1crypto import cms
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext

from docproc.errors import InputError, SealUnavailableError
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.tsa import TimeStamper


def make_token(digest: bytes, tsa: TimeStamper) -> bytes:
    """A token over a SHA-256 digest, DER.

    Raises:
        SealUnavailableError: the TSA is out of reach or refuses.
    """
    try:
        token = asyncio.run(tsa.async_timestamp(digest, "sha256"))
    except (OSError, TimestampRequestError) as error:
        raise SealUnavailableError(f"no time-stamp: {error}") from error
    return bytes(token.dump())


def check_token(token: bytes, digest: bytes, trust: TrustList) -> datetime:
    """Check a token over a digest and return the time that it attests.

    Its TSA's certificate is judged as of that moment, without revocation information beyond what ``trust`` has.

    Raises:
        InputError: the token is none, is over another digest, or comes from a TSA that is not trusted.
    """
    try:
        signed = cms.ContentInfo.load(token, strict=True)["content"]
        moment: datetime = signed["encap_content_info"]["content"].parsed["gen_time"].native
        context = ValidationContext(
            trust_roots=trust.roots_for("timestamp", moment),
            other_certs=list(trust.intermediates),
            moment=moment,
            allow_fetching=False,
            crls=list(trust.evidence.crls),
            revocation_mode="soft-fail",
        )
        status = asyncio.run(validate_tst_signed_data(signed, context, lambda _: digest))
    except (ValueError, TypeError, AttributeError, KeyError, SignatureValidationError) as error:
        raise InputError(f"not a time-stamp over this hash: {error}") from error
    if not (status["intact"] and status["valid"] and status.get("trust_problem_indic") is None):
        raise InputError("the time-stamp does not fit this hash, or its TSA is not trusted")
    return moment


def token_ends(token: bytes) -> datetime:
    """When a token that was checked expires: the earliest end among the certificates that it carries."""
    signed = cms.ContentInfo.load(token, strict=True)["content"]
    end: datetime = min(item.chosen.not_valid_after for item in signed["certificates"])
    return end
