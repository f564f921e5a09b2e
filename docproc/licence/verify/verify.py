"""Verifying a licence from its bytes, offline: never raises for what is in the file, always gives a verdict."""

from __future__ import annotations

import asyncio
import hashlib
import io
from dataclasses import dataclass, replace
from datetime import datetime

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import StandardCMSSignatureStatus
from pyhanko_certvalidator.authority import AuthorityWithCert

from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.page.record import ATTACHMENT, MAX_SEALS, parse_licence_json
from docproc.licence.pki import quick_pdf  # noqa: F401  (for its effect)
from docproc.licence.pki.trust import TrustList
from docproc.licence.pki.trust_limits import Anchor
from docproc.licence.report.conclude import conclude
from docproc.licence.report.report import (
    NATIONAL,
    Examination,
    Indication,
    Integrity,
    Listed,
    Register,
    SignatureReport,
    VerificationReport,
    format_failure,
)
from docproc.licence.verify.en319102 import judge, lists_of, proven_time, stamped_since
from docproc.licence.verify.found import FoundSeal
from docproc.licence.verify.integrity import integrity_of
from docproc.licence.verify.objections import SealVerdict, known_revocation, missing_seals, misuse, too_early
from docproc.licence.verify.others import examine_others, is_vouched, name_of
from docproc.licence.verify.sm2_judge import find_chain, is_sm2, judge_sm2
from docproc.licence.verify.unjudged import claims_to_be_sealed, is_pdf, unjudged, unread

_WORST: tuple[Indication, ...] = ("TOTAL-FAILED", "INDETERMINATE", "TOTAL-PASSED")
_DAMAGED = {"HASH_FAILURE", "SIG_CRYPTO_FAILURE", "FORMAT_FAILURE"}
_UNPROVEN = {"CERTIFICATE_CHAIN_GENERAL_FAILURE", "TRY_LATER"}
"""The file does not carry the proof that nothing was revoked; what the verifier itself was told still counts."""


def verify(
    data: bytes,
    trust: TrustList,
    at: datetime,
    register: Register | None = None,
    listed: Listed | None = None,
    own: str = "",
) -> VerificationReport:
    """Verify a licence.

    Args:
        data: the file as it was received.
        trust: roots for seals and time-stamps, and revocation information known beside that in the file.
        at: the moment to judge for, usually now; aware.
        register: the register of issued licences, or ``None`` offline.
        listed: a checked status list, for use without the register.
        own: credit code of our own authority; empty where it is not known.
    """
    try:
        found = examine(data, trust, at)
    except MemoryError:
        found = unjudged("limit", "there is not enough memory")
    return conclude(found, hashlib.sha256(data).hexdigest(), register, at, listed, own)


def examine(data: bytes, trust: TrustList, at: datetime) -> Examination:
    """Examine the file alone; one that cannot be read gets a verdict too.

    A file that bears the marks of a sealed licence is held to how licences are built here. Any other is read as
    leniently as the reader can, and never called altered for being built otherwise.

    Raises:
        MemoryError: there was not enough to find out, which says nothing about the file.
    """
    if not is_pdf(data):
        return unread(data, "the file is no PDF")
    try:
        return asyncio.run(_examine(data, trust, at))
    except MemoryError:
        raise
    except (Exception, RecursionError) as error:
        why = f"the file cannot be read: {type(error).__name__}: {error}"
    return unread(data, why) if claims_to_be_sealed(data) else _examine_leniently(data, why)


def _examine_leniently(data: bytes, why: str) -> Examination:
    """Look for signatures in a file that does not keep to the letter of ISO 32000; ``why``: how it departs from it."""
    try:
        reader = PdfFileReader(io.BytesIO(data), strict=False)
        if reader.encrypted:
            return unjudged("encrypted", "the file is encrypted")
        found = list(reader.embedded_signatures)
        return examine_others(found, data) if found else _unsigned(data)
    except MemoryError:
        raise
    except (Exception, RecursionError):
        return unread(data, why)


def _unsigned(data: bytes) -> Examination:
    """A file in which there is no signature that can be checked: never signed, or, with its marks left, damaged."""
    if claims_to_be_sealed(data):
        return Examination("NO-SIGNATURE", None, "altered", reasons=("the signature of the seal is gone",))
    if b"/ByteRange" in data:
        return unjudged("not-ours", "the file has signatures of a kind that is not understood")
    return unjudged("no-signature", "the file has no signature")


async def _examine(data: bytes, trust: TrustList, at: datetime) -> Examination:
    reader = PdfFileReader(io.BytesIO(data), strict=True)
    if reader.encrypted:
        return unjudged("encrypted", "the file is encrypted")
    found = list(reader.embedded_signatures)
    if not found:
        return _unsigned(data)
    vouched = any(is_vouched(item, trust) for item in found if item.sig_object_type == "/Sig")
    if vouched and claims_to_be_sealed(data):
        return await _as_licence(data, found, trust, at)
    others = replace(examine_others(found, data), licence=_claim(found))
    try:
        judged = await _as_licence(data, found, trust, at)
    except MemoryError:
        raise
    except (Exception, RecursionError):
        return others
    if others.integrity == "altered":
        return judged if judged.integrity == "altered" and claims_to_be_sealed(data) else others
    if judged.integrity == "intact":
        return judged if vouched else replace(judged, reason="not-ours")
    return others


def _claim(found: list[EmbeddedPdfSignature]) -> Licence | None:
    """The licence that a file says it is, where it carries the data of one."""
    try:
        return _licence(FoundSeal(found[0], (), 1))[0]
    except (Exception, RecursionError):
        return None


async def _as_licence(data: bytes, found: list[EmbeddedPdfSignature], trust: TrustList, at: datetime) -> Examination:
    """Hold a file to how licences are built and sealed here."""
    if found[0].sig_object_type != "/Sig":
        return format_failure("the first signature is not a seal")
    seals = _seals(found)
    if len(seals) > MAX_SEALS:
        return format_failure("more seals than a licence can have")
    licence, complaint = _licence(seals[0])
    verdicts = [await _judge(data, seal, trust, at) for seal in seals]
    integrity, reasons = integrity_of(data, seals, trust)
    if any(item.sub_indication in _DAMAGED for item in verdicts):
        integrity = "altered"
    file = _File(licence, complaint, integrity, trust)
    reports = []
    for seal, verdict in zip(seals, verdicts, strict=True):
        root = _root(seal, verdict.status, trust, verdict.proven or at)
        indication, sub, reason = _settle(file, seal, verdict, root)
        if reason and reason not in reasons:
            reasons.append(reason)
        reports.append(_report(seal, verdict.proven, root, indication, sub))
    return _join(file, reports, reasons, missing_seals(seals, licence))


@dataclass(frozen=True)
class _File:
    """What all seals of a file are compared with."""

    licence: Licence | None
    complaint: str
    """Why there is no licence."""
    integrity: Integrity
    trust: TrustList


def _seals(found: list[EmbeddedPdfSignature]) -> tuple[FoundSeal, ...]:
    """The seals, which come first; every other signature after them is taken for an archive time-stamp."""
    count = next((place for place, item in enumerate(found) if item.sig_object_type != "/Sig"), len(found))
    stamps = tuple(found[count:])
    return tuple(FoundSeal(item, stamps, number) for number, item in enumerate(found[:count], 1))


def _settle(
    file: _File, seal: FoundSeal, verdict: SealVerdict, root: Anchor | None
) -> tuple[Indication, str | None, str]:
    """Indication and sub-indication of a seal on this file, and the reason where it is rejected."""
    objection = None
    if file.integrity == "altered" and verdict.indication != "TOTAL-FAILED":
        return "TOTAL-FAILED", "FORMAT_FAILURE", ""
    if verdict.indication == "TOTAL-PASSED" or (is_sm2(seal.signature) and verdict.sub_indication == NATIONAL):
        objection = (
            known_revocation(seal, verdict.status, verdict.proven, file.trust)
            or too_early(seal, verdict.proven)
            or misuse(seal, verdict.proven, root, file.licence, file.complaint, file.integrity)
        )
    elif verdict.sub_indication in _UNPROVEN:
        objection = known_revocation(seal, verdict.status, verdict.proven, file.trust)
    return objection or (verdict.indication, verdict.sub_indication, "")


def _join(file: _File, reports: list[SignatureReport], reasons: list[str], missing: str) -> Examination:
    """A file is as good as the worst of its seals, and not good while seals are ``missing``."""
    worst = min(reports, key=lambda item: _WORST.index(item.indication))
    indication, sub = worst.indication, worst.sub_indication
    if missing and (indication == "TOTAL-PASSED" or sub == NATIONAL):
        indication, sub = "INDETERMINATE", "SIG_CONSTRAINTS_FAILURE"
    told = (*reasons, missing) if missing else tuple(reasons)
    return Examination(indication, sub, file.integrity, tuple(reports), file.licence, told)


async def _judge(data: bytes, seal: FoundSeal, trust: TrustList, at: datetime) -> SealVerdict:
    if not is_sm2(seal.signature):
        indication, sub, status = await judge(seal.signature, seal.stamps, trust, at)
        return SealVerdict(indication, sub, status, proven_time(status))
    proven, holds = await stamped_since(seal.signature, seal.stamps, trust, at)
    lists = (*trust.evidence.crls, *lists_of(seal.signature.reader))
    told = replace(trust, evidence=replace(trust.evidence, crls=lists))
    found, why, _ = judge_sm2(seal.signature, data, told, at, proven)
    worn = not holds and why in (NATIONAL, "OUT_OF_BOUNDS_NO_POE")
    return SealVerdict(found, "NO_POE" if worn else why, None, proven)


def _report(
    seal: FoundSeal, proven: datetime | None, root: Anchor | None, indication: Indication, sub: str | None
) -> SignatureReport:
    return SignatureReport(
        signer=name_of(seal.signature.signer_cert),
        level=seal.level(),
        time=proven,
        coverage=seal.signature.evaluate_signature_coverage().name,
        recognised=root.name if root is not None else "",
        certificate_sha256=hashlib.sha256(seal.signature.signer_cert.dump()).hexdigest(),
        indication=indication,
        sub_indication=sub,
        algorithm="SM2" if is_sm2(seal.signature) else "",
    )


def _root(seal: FoundSeal, status: StandardCMSSignatureStatus | None, trust: TrustList, at: datetime) -> Anchor | None:
    """The limits of the root behind the seal, if a path to one was found."""
    if is_sm2(seal.signature):
        chain = find_chain(seal.signature.signer_cert, trust, at)
        return trust.anchor(chain[-1]) if chain else None
    path = status.validation_path if status is not None else None
    authority = path.trust_anchor.authority if path is not None else None
    return trust.anchor(authority.certificate) if isinstance(authority, AuthorityWithCert) else None


def _licence(seal: FoundSeal) -> tuple[Licence | None, str]:
    """Read the attachment as it was when it was sealed."""
    root = seal.signature.reader.get_historical_root(seal.signature.signed_revision)
    try:
        files = root["/AF"]
        named = [item for item in files if str(item.get_object()["/F"]) == ATTACHMENT]
        if len(named) != 1:
            return None, "the file carries no licence data"
        stream = named[0].get_object()["/EF"]["/F"]
        if not isinstance(stream, generic.StreamObject):
            return None, "the file carries no licence data"
        return parse_licence_json(stream.data), ""
    except KeyError:
        return None, "the file carries no licence data"
    except InputError as error:
        return None, str(error)
