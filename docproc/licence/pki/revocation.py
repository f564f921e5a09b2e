"""Revocations that the verifier knows from its own CRLs and OCSP responses, apart from those in the file.

pyHanko stops at the first piece of revocation information that answers; a good OCSP response inside the file would
hide a later revocation. The verifier's own information comes first here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import cast

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from asn1crypto.ocsp import OCSPResponse
from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.x509 import ocsp

from docproc.licence.keys.sm2 import has_sm2_key, issued_by
from docproc.licence.pki.chains import is_signed_answer, vouched
from docproc.licence.pki.trust import TrustList

_COMPROMISE = {"key_compromise", "ca_compromise", "aa_compromise"}


def revocation(certificate: x509.Certificate, trust: TrustList) -> tuple[datetime, str] | None:
    """When and why a certificate was revoked, by the verifier's own information; ``None``: not by that.

    CRLs and responses that no certificate of the trust list signed are ignored.
    """
    return next(chain(_listed(certificate, trust), _answered(certificate, trust)), None)


def _listed(certificate: x509.Certificate, trust: TrustList) -> Iterator[tuple[datetime, str]]:
    for item in trust.evidence.crls:
        if item.issuer != certificate.issuer or not is_signed(item, trust):
            continue
        for entry in item["tbs_cert_list"]["revoked_certificates"] or []:
            if entry["user_certificate"].native == certificate.serial_number:
                reason = entry.crl_reason_value.native if entry.crl_reason_value else "unspecified"
                yield entry["revocation_date"].native, reason


def _answered(certificate: x509.Certificate, trust: TrustList) -> Iterator[tuple[datetime, str]]:
    for item in trust.evidence.ocsps:
        for answer in item.basic_ocsp_response["tbs_response_data"]["responses"]:
            asked, status = answer["cert_id"], answer["cert_status"]
            name = hashlib.new(asked["hash_algorithm"]["algorithm"].native, certificate.issuer.dump()).digest()
            same = asked["serial_number"].native == certificate.serial_number
            if same and asked["issuer_name_hash"].native == name and status.name == "revoked" and _given(item, trust):
                told = status.chosen
                yield told["revocation_time"].native, told["revocation_reason"].native or "unspecified"


def unknown_sources(trust: TrustList) -> list[str]:
    """Issuers of CRLs and OCSP responses that are ignored, because no trusted certificate signed them."""
    lists = [item.issuer.human_friendly for item in trust.evidence.crls if not is_signed(item, trust)]
    return lists + ["OCSP" for item in trust.evidence.ocsps if not _given(item, trust)]


def spoils(found: tuple[datetime, str] | None, used: datetime | None) -> bool:
    """Whether a revocation invalidates a signature that the key made at the proven time ``used``.

    A later revocation does not, unless the key itself was stolen: then nobody knows since when.
    """
    if found is None:
        return False
    when, reason = found
    return used is None or when <= used or reason in _COMPROMISE


def is_signed(found: CertificateList, trust: TrustList) -> bool:
    """Whether a certificate of the trust folder with the issuer's name signed a CRL."""
    crl = pyca.load_der_x509_crl(found.dump())
    for item in (*trust.roots, *trust.intermediates):
        if has_sm2_key(item):
            if item.subject == found.issuer and issued_by(found, item):
                return True
            continue
        issuer = pyca.load_der_x509_certificate(item.dump())
        if issuer.subject == crl.issuer:
            try:
                if crl.is_signature_valid(cast(CertificateIssuerPublicKeyTypes, issuer.public_key())):
                    return True
            except (InvalidSignature, TypeError):
                continue
    return False


def _given(found: OCSPResponse, trust: TrustList) -> bool:
    """Whether a certificate that the trust list leads to signed an OCSP response."""
    answer = ocsp.load_der_ocsp_response(found.dump())
    if answer.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        return False
    return is_signed_answer(answer, vouched(trust, answer.certificates))
