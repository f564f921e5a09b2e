"""Who signed whose certificate, by mathematics alone: no periods, no usage, no revocation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from docproc.licence.pki.sm2 import issued_by
from docproc.licence.pki.trust import TrustList


def to_pyca(certificates: Iterable[x509.Certificate]) -> list[pyca.Certificate]:
    """The same certificates as another library reads them.

    Raises:
        ValueError: one cannot be decoded.
    """
    return [pyca.load_der_x509_certificate(item.dump()) for item in certificates]


def is_issued(certificate: pyca.Certificate, issuer: pyca.Certificate) -> bool:
    """Whether the key of one certificate signed another; ``False`` for keys that are not RSA, EC or SM2."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except UnsupportedAlgorithm:
        return certificate.issuer == issuer.subject and issued_by(_to_asn1(certificate), _to_asn1(issuer))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def signed_list(found: pyca.CertificateRevocationList, issuer: pyca.Certificate) -> bool:
    """Whether the SM2 key of a certificate signed a CRL."""
    return issued_by(CertificateList.load(found.public_bytes(Encoding.DER)), _to_asn1(issuer))


def _to_asn1(certificate: pyca.Certificate) -> x509.Certificate:
    return x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def vouched(trust: TrustList, offered: Sequence[pyca.Certificate]) -> list[pyca.Certificate]:
    """What a trust list holds, and of the certificates offered those that it leads to, also by way of each other."""
    good = to_pyca((*trust.roots, *trust.intermediates))
    left = [item for item in offered if item not in good]
    while found := [item for item in left if any(is_issued(item, issuer) for issuer in good)]:
        good += found
        left = [item for item in left if item not in found]
    return good
