"""Is every byte of a sealed file accounted for? :mod:`docproc.licence.verify.revisions` has the rules on revisions."""

from __future__ import annotations

import hashlib
from typing import Any

from asn1crypto import x509
from pyhanko.sign.fields import FieldMDPAction, MDPPerm
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from docproc.licence.pki.chains import is_issued, to_pyca, vouched
from docproc.licence.pki.trust import TrustList
from docproc.licence.report.report import Integrity
from docproc.licence.verify.en319102 import token_of
from docproc.licence.verify.found import FoundSeal, announced, signer_of
from docproc.licence.verify.revisions import (
    ARCHIVE_FIELD,
    StructureError,
    check_revision,
    check_seal_revision,
    check_span,
    seal_field,
)
from docproc.licence.verify.validation_data import check_validation_data
from docproc.licence.verify.validation_store import validation_store

MAX_ARCHIVE_STAMPS = 64
"""More renewals than a licence can see in its life; a bound on work."""


def integrity_of(data: bytes, seals: tuple[FoundSeal, ...], trust: TrustList) -> tuple[Integrity, list[str]]:
    """Whether the file is intact, and what speaks against it, for developers."""
    stamps = seals[0].stamps
    try:
        if len(stamps) > MAX_ARCHIVE_STAMPS:
            raise StructureError("too many archive time-stamps")
        end = 0
        for seal in seals:
            span = check_span(data, seal.signature.byte_range, seal.signature.pkcs7_content)
            if seal.number > 1:
                check_seal_revision(data, end, span.end, seal_field(seal.number))
            end = span.end
        _check_seals([seal.signature for seal in seals])
        for number, stamp in enumerate(stamps, 1):
            span = check_span(data, stamp.byte_range, stamp.pkcs7_content)
            if stamp.sig_object_type != "/DocTimeStamp" or stamp.sig_object["/SubFilter"] != "/ETSI.RFC3161":
                raise StructureError("another signature follows the seal")
            check_revision(data, end, span.end, f"{ARCHIVE_FIELD}{number}")
            _check_stamp(stamp)
            end = span.end
        for seal in seals:
            _check_certificates(seal, trust)
        if end != len(data):
            _check_rest(data, end, seals, trust)
    except StructureError as error:
        return ("altered" if error.changed else "extended"), [str(error)]
    return "intact", []


def _check_rest(data: bytes, end: int, seals: tuple[FoundSeal, ...], trust: TrustList) -> None:
    """Judge what follows the last signature: validation data after a B-LT seal, or something that counts against it."""
    if b"obj" in data[end:] or b"xref" in data[end:]:
        check_revision(data, end, len(data), None)
        if seals[0].level() == "B-LT":
            store = DocumentSecurityStore.read_dss(seals[0].signature.reader)
            check_validation_data(store, trust, [signer_of(part) for seal in seals for part in seal.parts()])
            return
    raise StructureError("bytes follow the last signature", changed=False)


def _check_seals(signatures: list[EmbeddedPdfSignature]) -> None:
    """Check names and locks: a single seal locks the document, of several the first lets in the others, the last locks.

    Where seals are missing the last one that is there may leave the file open: that is told apart in ``objections``.
    """
    joint = len(announced(signatures[0])) > 1
    for number, signature in enumerate(signatures, 1):
        if signature.field_name != seal_field(number) or signature.sig_object["/SubFilter"] != "/ETSI.CAdES.detached":
            raise StructureError("the signature is not a seal on a licence")
        _check_token(signature)
    if signatures[0].docmdp_level != (MDPPerm.FILL_FORMS if joint else MDPPerm.NO_CHANGES):
        raise StructureError("the seal does not lock the document")
    if joint and len(signatures) == len(announced(signatures[0])):
        last = signatures[-1]
        everything = last.fieldmdp is not None and last.fieldmdp.action == FieldMDPAction.ALL
        if not everything or last.docmdp_level != MDPPerm.NO_CHANGES:
            raise StructureError("the last seal does not lock the document")


def _check_token(signature: EmbeddedPdfSignature) -> None:
    token = token_of(signature)
    if token is not None:
        hashed = signature.signer_info["signature"].native
        _check_imprint(token, lambda name: hashlib.new(name, hashed).digest())


def _check_stamp(stamp: EmbeddedPdfSignature) -> None:
    _check_imprint(stamp.signed_data, stamp.compute_digest)


def _check_imprint(token: Any, digest: Any) -> None:
    """Check a time-stamp's own signature and that it is about what it is attached to; not whether it is trusted."""
    info = token["encap_content_info"]["content"].parsed
    imprint = info["message_imprint"]
    name = imprint["hash_algorithm"]["algorithm"].native
    signer = token["signer_infos"][0]
    content = bytes(token["encap_content_info"]["content"])
    over = hashlib.new(signer["digest_algorithm"]["algorithm"].native, content).digest()
    same = imprint["hashed_message"].native == digest(name)
    if not same or not all(validate_sig_integrity(signer, signer_of(token), "tst_info", over)):
        raise StructureError("a time-stamp is damaged")


def _check_certificates(seal: FoundSeal, trust: TrustList) -> None:
    """Check that signatures carry only certificates that are vouched for elsewhere, or the way to an unknown root."""
    known = {item.dump() for item in (*trust.roots, *trust.intermediates)}
    store = validation_store(seal.signature.reader)
    if store is not None:
        known |= {item.dump() for item in store.certificates}
    for part in seal.parts():
        signer = signer_of(part)
        # the signer's own certificate is bound by the signed signing-certificate attribute
        others = [item.chosen for item in part["certificates"] if item.chosen.serial_number != signer.serial_number]
        unknown = [item for item in others if item.dump() not in known]
        if unknown and not _is_way_to_unknown_root(signer, unknown, trust):
            raise StructureError("a signature carries a certificate that nothing vouches for")


def _is_way_to_unknown_root(signer: x509.Certificate, others: list[x509.Certificate], trust: TrustList) -> bool:
    """Whether each certificate signed the next one down to a signer that no trusted root stands behind."""
    try:
        own, *above = to_pyca([signer, *others])
        if own in vouched(trust, [own, *above]):
            return False
        return all(any(is_issued(below, item) for below in (own, *above) if below != item) for item in above)
    except ValueError:
        return False
