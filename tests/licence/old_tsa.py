"""A time-stamping service whose certificate was replaced."""

from __future__ import annotations

import io
from datetime import datetime

from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from pyhanko.pdf_utils.reader import PdfFileReader

from docproc.licence.devpki.responder import DevPki
from docproc.licence.pki.trust import RevocationEvidence, SealTrust


def with_old_tsa(pki: DevPki, data: bytes) -> SealTrust:
    """The PKI's trust, whose responder also speaks about the time-stamping certificate of the former generation."""
    stamp = next(iter(PdfFileReader(io.BytesIO(data)).embedded_timestamp_signatures))
    former = x509.load_der_x509_certificate(stamp.signer_cert.dump())
    request = ocsp.OCSPRequestBuilder().add_certificate(former, pki.issued("ca").certificate, hashes.SHA256()).build()
    known = pki.seal_trust()

    def evidence(at: datetime) -> RevocationEvidence:
        assert known.evidence is not None
        found = known.evidence(at)
        answer = asn1_ocsp.OCSPResponse.load(pki.ocsp(request.public_bytes(Encoding.DER), at))
        return RevocationEvidence(found.crls, (*found.ocsps, answer))

    return SealTrust(known.roots, known.intermediates, evidence)
