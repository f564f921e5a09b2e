"""Validation data that no time-stamp covers, as after a seal of level B-LT.

Each piece must bear the signature of its issuer, or it could be changed without anybody noticing.
"""

from __future__ import annotations

from collections.abc import Sequence

from asn1crypto import x509
from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import ocsp
from pyhanko.sign.validation.dss import DocumentSecurityStore

from docproc.licence.pki.chains import signed_list, to_pyca, vouched
from docproc.licence.pki.trust import TrustList
from docproc.licence.verify.revisions import StructureError, is_der


def check_validation_data(store: DocumentSecurityStore, trust: TrustList, signers: Sequence[x509.Certificate]) -> None:
    """Check the signature on every certificate, CRL and OCSP response of a file's /DSS.

    Where the signers do not lead to a trusted root nothing can be said: the verdict on the chain speaks then.

    Args:
        store: the file's validation data.
        trust: roots and intermediates that are known beside it.
        signers: certificates of the seals and of their time-stamping services.

    Raises:
        StructureError: a piece is damaged, or nobody who is trusted signed it.
    """
    raw = [[item.get_object().data for item in kind] for kind in (store.certs.values(), store.crls, store.ocsps)]
    if not all(is_der(item) for kind in raw for item in kind):
        raise StructureError("the validation data is damaged: not in its one canonical encoding")
    try:
        certificates = [pyca.load_der_x509_certificate(item) for item in raw[0]]
        lists = [pyca.load_der_x509_crl(item) for item in raw[1]]
        answers = [ocsp.load_der_ocsp_response(item) for item in raw[2]]
        good = vouched(trust, [*certificates, *(item for answer in answers for item in answer.certificates)])
        own = to_pyca(signers)
        whole = (
            all(item in good for item in certificates)
            and all(any(_is_list_of(item, issuer) for issuer in good) for item in lists)
            and all(is_signed_answer(item, good) for item in answers)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StructureError(f"the validation data cannot be decoded: {error}") from error
    if not whole and all(item in vouched(trust, [*certificates, *own]) for item in own):
        raise StructureError("the validation data is damaged: a part of it is not what its issuer signed")


def _is_list_of(found: pyca.CertificateRevocationList, issuer: pyca.Certificate) -> bool:
    if found.issuer != issuer.subject:
        return False
    key = _key(issuer)
    return signed_list(found, issuer) if key is None else bool(found.is_signature_valid(key))


def is_signed_answer(answer: ocsp.OCSPResponse, good: Sequence[pyca.Certificate]) -> bool:
    """Whether a known certificate signed an OCSP response, and whether it carries known ones alone."""
    if answer.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL or answer.signature_hash_algorithm is None:
        return False
    signed = any(_is_by(answer, item, answer.signature_hash_algorithm) for item in good)
    return signed and all(item in good for item in answer.certificates)


def _is_by(answer: ocsp.OCSPResponse, certificate: pyca.Certificate, digest: hashes.HashAlgorithm) -> bool:
    key = _key(certificate)
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(answer.signature, answer.tbs_response_bytes, PKCS1v15(), digest)
        elif key is not None:
            key.verify(answer.signature, answer.tbs_response_bytes, ECDSA(digest))
    except InvalidSignature:
        return False
    return key is not None


def _key(certificate: pyca.Certificate) -> RSAPublicKey | EllipticCurvePublicKey | None:
    """The public key; ``None`` for another kind, such as SM2."""
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return None
    return key if isinstance(key, RSAPublicKey | EllipticCurvePublicKey) else None
