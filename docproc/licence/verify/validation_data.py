"""Validation data that no time-stamp covers, as after a seal of level B-LT.

Each piece must bear the signature of its issuer, or it could be changed without anybody noticing.
"""

from __future__ import annotations

from collections.abc import Sequence

from asn1crypto import x509
from cryptography import x509 as pyca
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ocsp
from pyhanko.sign.validation.dss import DocumentSecurityStore

from docproc.licence.pki.chains import is_signed_answer, is_signed_list, to_pyca, vouched
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
            and all(any(is_signed_list(item, issuer) for issuer in good) for item in lists)
            and all(is_signed_answer(item, good) for item in answers)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StructureError(f"the validation data cannot be decoded: {error}") from error
    if not whole and all(item in vouched(trust, [*certificates, *own]) for item in own):
        raise StructureError("the validation data is damaged: a part of it is not what its issuer signed")
