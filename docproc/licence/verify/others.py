"""Files that are not ours: what can be said of them, which is never that they were altered without proof of it.

This verifier knows one kind of file, the licence that :mod:`docproc.licence.seal` makes. Of a file that others made or
signed it says what it is and whether the mathematics of each signature hold (EN 319 102-1, 5.2.7); whether others'
updates after signing were allowed is not judged here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from asn1crypto import cms, x509
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from docproc.licence.pki.chains import to_pyca, vouched
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import Examination, Indication, SignatureReport
from docproc.licence.verify.en319102 import token_of
from docproc.licence.verify.sm2_judge import fault_of, is_sm2


def is_vouched(signature: EmbeddedPdfSignature, trust: TrustList) -> bool:
    """Whether a signer's certificate chains up to a root that we trust, whatever its period or use."""
    try:
        own, *above = to_pyca([signature.signer_cert, *signature.other_embedded_certs])
    except ValueError:
        return False
    return own in vouched(trust, [own, *above])


def examine_others(signatures: Sequence[EmbeddedPdfSignature], data: bytes) -> Examination:
    """Say who signed a file that is not ours, and whether one of the signatures is mathematically wrong."""
    reports = tuple(_report(item, data) for item in signatures)
    failed = next((item.sub_indication for item in reports if item.indication == "TOTAL-FAILED"), None)
    if failed is not None:
        why = "what a signature covers is not what was signed"
        return Examination("TOTAL-FAILED", failed, "altered", reports, reasons=(why,))
    why = "nobody that is trusted here signed the file as a licence"
    return Examination(
        "INDETERMINATE", "NO_CERTIFICATE_CHAIN_FOUND", "unknown", reports, reasons=(why,), reason="not-ours"
    )


def _report(signature: EmbeddedPdfSignature, data: bytes) -> SignatureReport:
    failed = mathematical_fault(signature, data)
    indication: Indication = "TOTAL-FAILED" if failed else "INDETERMINATE"
    return SignatureReport(
        signer=name_of(signature.signer_cert),
        level="B-T" if token_of(signature) is not None else "B-B",
        time=None,
        coverage=signature.evaluate_signature_coverage().name,
        certificate_sha256=hashlib.sha256(signature.signer_cert.dump()).hexdigest(),
        indication=indication,
        sub_indication=failed or "NO_CERTIFICATE_CHAIN_FOUND",
        algorithm="SM2" if is_sm2(signature) else "",
    )


def mathematical_fault(signature: EmbeddedPdfSignature, data: bytes) -> str | None:
    """Why a signature is not over these bytes or not by this key, as a sub-indication; ``None``: it is, or who knows.

    Algorithms that are not understood prove nothing.
    """
    try:
        if is_sm2(signature):
            return fault_of(signature, data)
        intact, valid = _integrity(signature)
    except Exception:  # whatever an unknown algorithm or encoding raises is no proof of a change
        return None
    if not intact:
        return "HASH_FAILURE"
    return None if valid else "SIG_CRYPTO_FAILURE"


def _integrity(signature: EmbeddedPdfSignature) -> tuple[bool, bool]:
    """Whether the digest is that of the bytes, and whether the key made the signature."""
    signed, info, digest = signature.signed_data, signature.signer_info, signature.compute_digest()
    content = signed["encap_content_info"]
    kind = content["content_type"].native
    if kind == "tst_info":
        imprint = content["content"].parsed["message_imprint"]
        name = imprint["hash_algorithm"]["algorithm"].native
        inner = hashlib.new(info["digest_algorithm"]["algorithm"].native, bytes(content["content"])).digest()
        intact, valid = validate_sig_integrity(info, signature.signer_cert, kind, inner)
        return intact and imprint["hashed_message"].native == _digest(signature, name), valid
    if isinstance(content["content"], cms.OctetString | cms.ParsableOctetString):  # adbe.pkcs7.sha1
        held = bytes(content["content"])
        over = hashlib.new(info["digest_algorithm"]["algorithm"].native, held).digest()
        intact, valid = validate_sig_integrity(info, signature.signer_cert, kind, over)
        return intact and held == _digest(signature, "sha1"), valid
    return validate_sig_integrity(info, signature.signer_cert, kind, digest)


def _digest(signature: EmbeddedPdfSignature, name: str) -> bytes:
    """Digest of the bytes that a signature covers."""
    stream = signature.reader.stream
    start, size, resume, length = (int(item) for item in signature.byte_range)
    found = hashlib.new(name)
    for place, count in ((start, size), (resume, length)):
        stream.seek(place)
        found.update(stream.read(count))
    return found.digest()


def name_of(certificate: x509.Certificate) -> str:
    """Whom a certificate names."""
    subject = certificate.subject.native
    return str(subject.get("common_name") or subject.get("organization_name") or "")
