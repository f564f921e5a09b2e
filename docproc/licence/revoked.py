"""Revocations that a verifier knows beside the file, from the CRLs in its trust folder.

pyHanko stops at the first piece of revocation information that answers; a good OCSP response inside the file would
hide a later revocation. What the verifier itself was told comes first here.
"""

from __future__ import annotations

from datetime import datetime

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature

from docproc.licence.sm2 import has_sm2_key, issued_by
from docproc.licence.trust import TrustList

_COMPROMISE = {"key_compromise", "ca_compromise", "aa_compromise"}


def revocation(certificate: x509.Certificate, trust: TrustList) -> tuple[datetime, str] | None:
    """When and why a certificate was revoked according to a CRL of the trust folder; ``None`` when none lists it.

    A CRL counts when a certificate of the trust folder with the issuer's name signed it.
    """
    for item in trust.evidence.crls:
        if item.issuer != certificate.issuer or not is_signed(item, trust):
            continue
        for entry in item["tbs_cert_list"]["revoked_certificates"] or []:
            if entry["user_certificate"].native == certificate.serial_number:
                reason = entry.crl_reason_value.native if entry.crl_reason_value else "unspecified"
                return entry["revocation_date"].native, reason
    return None


def spoils(found: tuple[datetime, str] | None, used: datetime | None) -> bool:
    """Whether a revocation takes away the worth of what the key did at the proven time ``used``.

    A revocation after that time does not, unless the key itself was stolen: then nobody knows since when.
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
                if crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
                    return True
            except (InvalidSignature, TypeError):
                continue
    return False
