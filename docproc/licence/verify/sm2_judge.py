"""Judging an SM2 seal: its mathematics, and the chain to a trusted SM2 root.

EN 319 102-1 and the catalogue of algorithms behind it do not know SM2, so no seal is passed here: a good one is
``INDETERMINATE`` with the sub-indication :data:`NATIONAL`, and the report says in words what was found.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from asn1crypto import x509

from docproc.errors import SealError, SealUnavailableError
from docproc.licence.keys.sm2 import SM2_WITH_SM3, SM3, has_sm2_key, issued_by, sm3, verifies
from docproc.licence.pki.revocation import is_signed, revocation, spoils
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import NATIONAL, Indication

if TYPE_CHECKING:
    from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

_UNDERSTOOD = {"basic_constraints", "key_usage"}
_DEPTH = 4
"""Certificates above a seal's; a bound on work."""


def is_sm2(signature: EmbeddedPdfSignature) -> bool:
    """Whether anything about a signature is SM2 or SM3: then it is judged here, and as a whole."""
    info = signature.signer_info
    kinds = {info["digest_algorithm"]["algorithm"].dotted, info["signature_algorithm"]["algorithm"].dotted}
    return bool(kinds & {SM3, SM2_WITH_SM3}) or has_sm2_key(signature.signer_cert)


def judge_sm2(
    signature: EmbeddedPdfSignature, data: bytes, trust: TrustList, at: datetime, proven: datetime | None = None
) -> tuple[Indication, str, tuple[x509.Certificate, ...]]:
    """Judge an SM2 seal at a point in time, and give the chain from it to its root (empty where there is none).

    It is judged for the time that time-stamps prove, or without such for ``at`` itself.
    """
    moment = proven or at
    fault = fault_of(signature, data)
    if fault is not None:
        return "TOTAL-FAILED", fault, ()
    values = _attributes(signature.signer_info["signed_attrs"])
    if values.get("content_type") != "data" or not _bound(values, signature.signer_cert):
        return "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE", ()
    chain = find_chain(signature.signer_cert, trust, moment)
    return "INDETERMINATE", _standing(chain, trust, moment, proven), chain


def fault_of(signature: EmbeddedPdfSignature, data: bytes) -> str | None:
    """Why an SM2 signature is not over these bytes or not by its key, as a sub-indication; ``None``: it is."""
    info = signature.signer_info
    _, start, resume, length = (int(item) for item in signature.byte_range)
    if _attributes(info["signed_attrs"]).get("message_digest") != sm3(data[:start] + data[resume : resume + length]):
        return "HASH_FAILURE"
    kinds = (info["digest_algorithm"]["algorithm"].dotted, info["signature_algorithm"]["algorithm"].dotted)
    signed = info["signed_attrs"].untag().dump()
    whole = kinds == (SM3, SM2_WITH_SM3) and verifies(signature.signer_cert, signed, info["signature"].native)
    return None if whole else "SIG_CRYPTO_FAILURE"


def find_chain(own: x509.Certificate, trust: TrustList, at: datetime) -> tuple[x509.Certificate, ...]:
    """Certificates from a seal's to a root trusted at a moment, each signed by the next; empty when there is none."""
    return _climb((own,), trust, trust.roots_for("seal", at))


def _climb(
    below: tuple[x509.Certificate, ...], trust: TrustList, roots: list[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    for item in (*roots, *trust.intermediates):
        named = item.subject == below[-1].issuer and item not in below
        if not named or not _may_issue(item, len(below) - 1) or not issued_by(below[-1], item):
            continue
        if item in roots:
            return (*below, item)
        if len(below) < _DEPTH and (found := _climb((*below, item), trust, roots)):
            return found
    return ()


def _may_issue(item: x509.Certificate, between: int) -> bool:
    """Whether a certificate is a CA's that may have ``between`` CAs under it (RFC 5280, 6.1.4)."""
    usage = item.key_usage_value
    room = item.max_path_length
    return bool(item.ca and usage and "key_cert_sign" in usage.native and (room is None or between <= room))


def _standing(
    chain: tuple[x509.Certificate, ...], trust: TrustList, at: datetime, proven: datetime | None = None
) -> str:
    if not chain:
        return "NO_CERTIFICATE_CHAIN_FOUND"
    usage = chain[0].key_usage_value
    if (
        usage is None
        or "non_repudiation" not in usage.native
        or any(set(item.critical_extensions) - _UNDERSTOOD for item in chain)
    ):
        return "CHAIN_CONSTRAINTS_FAILURE"
    if any(not item.not_valid_before <= at <= item.not_valid_after for item in chain):
        return "OUT_OF_BOUNDS_NO_POE"
    if spoils(revocation(chain[0], trust), proven):
        return "REVOKED_NO_POE"
    if any(spoils(revocation(item, trust), proven) for item in chain[1:]):
        return "REVOKED_CA_NO_POE"
    return NATIONAL


def check_sm2(own: x509.Certificate, trust: TrustList, at: datetime) -> None:
    """Refuse to seal with an SM2 certificate that is not valid.

    Raises:
        SealError: no trusted chain, out of its period, revoked, or not for sealing.
    """
    found = _standing(find_chain(own, trust, at), trust, at)
    if found != NATIONAL:
        raise SealError(
            f"the SM2 certificate is not good for sealing: {found}",
            message_zh="印章证书无效、已过期或已被撤销，不能签章",
        )


def check_listed(own: x509.Certificate, trust: TrustList, at: datetime) -> None:
    """Refuse to seal with an SM2 certificate for which there is no current CRL.

    Raises:
        SealUnavailableError: the issuer's CRL is missing or out of date.
    """
    lists = [item for item in trust.evidence.crls if item.issuer == own.issuer and is_signed(item, trust)]
    bodies = [item["tbs_cert_list"] for item in lists]
    if not any(item["this_update"].native <= at <= item["next_update"].native for item in bodies):
        raise SealUnavailableError(
            "no current CRL about the SM2 certificate: put one of its issuer into the trust folder",
            message_zh="没有印章证书颁发机构的最新证书撤销列表，系统将自动重试",
        )


def _attributes(attributes: Any) -> dict[str, Any]:
    """Values of the signed attributes; one that is there twice, or has several values, is left out."""
    found: dict[str, Any] = {}
    names = [item["type"].native for item in attributes]
    for item in attributes:
        if names.count(item["type"].native) == 1 and len(item["values"]) == 1:
            found[item["type"].native] = item["values"][0].native
    return found


def _bound(values: dict[str, Any], own: x509.Certificate) -> bool:
    """Whether the signature names its certificate, as PAdES demands (signing-certificate-v2, hashed by SM3)."""
    named = values.get("signing_certificate_v2")
    first = named["certs"][0] if named and named["certs"] else None
    return bool(first and first["hash_algorithm"]["algorithm"] == "sm3" and first["cert_hash"] == sm3(own.dump()))
