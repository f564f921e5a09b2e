"""Which key signed which certificate, CRL or OCSP response: signatures alone, no periods, no usage, no revocation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from docproc.licence.keys.sm2 import issued_by
from docproc.licence.pki.trust import TrustList


def to_pyca(certificates: Iterable[x509.Certificate]) -> list[pyca.Certificate]:
    """Convert certificates of ``asn1crypto`` to those of ``cryptography``.

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


def is_signed_list(found: pyca.CertificateRevocationList, issuer: pyca.Certificate) -> bool:
    """Whether a certificate with the issuer's name signed a CRL.

    Raises:
        TypeError: the CRL names an algorithm that does not fit the key.
    """
    if found.issuer != issuer.subject:
        return False
    key = _rsa_or_ec_key(issuer)
    if key is None:
        return issued_by(CertificateList.load(found.public_bytes(Encoding.DER)), _to_asn1(issuer))
    return bool(found.is_signature_valid(key))


def is_signed_answer(answer: ocsp.OCSPResponse, good: Sequence[pyca.Certificate]) -> bool:
    """Whether a known certificate signed an OCSP response, and all certificates in it are known."""
    if answer.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL or answer.signature_hash_algorithm is None:
        return False
    signed = any(_is_answered_by(answer, item, answer.signature_hash_algorithm) for item in good)
    return signed and all(item in good for item in answer.certificates)


def _is_answered_by(answer: ocsp.OCSPResponse, certificate: pyca.Certificate, digest: hashes.HashAlgorithm) -> bool:
    key = _rsa_or_ec_key(certificate)
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, PKCS1v15(), digest)
        elif key is not None:
            key.verify(answer.signature, answer.tbs_response_bytes, ECDSA(digest))
    except InvalidSignature:
        return False
    return key is not None


def _rsa_or_ec_key(certificate: pyca.Certificate) -> RSAPublicKey | EllipticCurvePublicKey | None:
    """The public key; ``None`` for another kind, such as SM2."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return None
    return key if isinstance(key, RSAPublicKey | EllipticCurvePublicKey) else None


def _to_asn1(certificate: pyca.Certificate) -> x509.Certificate:
    return x509.Certificate.load(certificate.public_bytes(Encoding.DER))


def vouched(trust: TrustList, offered: Sequence[pyca.Certificate]) -> list[pyca.Certificate]:
    """The certificates of a trust list, and those offered that chain up to it, directly or through each other."""
    good = to_pyca((*trust.roots, *trust.intermediates))
    left = [item for item in offered if item not in good]
    while found := [item for item in left if any(is_issued(item, issuer) for issuer in good)]:
        good += found
        left = [item for item in left if item not in found]
    return good
