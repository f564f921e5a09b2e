"""Sealing: a visible 公章 and a PAdES signature (ETSI EN 319 142-1) that locks the document.

The signature is one revision. What is needed to verify it later (certificates, CRLs, OCSP responses) follows in a
second one, at B-LTA together with an archive time-stamp over everything: other validators look for it there. Every
certificate is checked, revocation included, before the key is used, at every level.
"""

from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Literal, cast
from weakref import WeakKeyDictionary

from asn1crypto import ocsp, x509
from asn1crypto.crl import CertificateList
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints, BoxSpecificationError
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
)
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.constants import ISO32002
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.signers.pdf_signer import (
    PdfSignatureMetadata,
    PdfSigner,
    PdfTimeStamper,
)
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.stamp import BaseStamp, BaseStampStyle
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.errors import (
    CRLFetchError,
    CRLValidationError,
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    OCSPFetchError,
    OCSPValidationError,
    PathError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath

from docproc.errors import SealError, SealUnavailableError
from docproc.licence.keys.algorithms import SM2
from docproc.licence.keys.fastcms import templated
from docproc.licence.keys.signer import Signer
from docproc.licence.page.art import SealArt
from docproc.licence.page.canvas import PT
from docproc.licence.page.layout import SealPlace
from docproc.licence.page.update import UpdateWriter, open_writer
from docproc.licence.pki.trust import RevocationEvidence, SealTrust, TrustList
from docproc.licence.pki.tsa import TimelyTimeStamper, TimeStamper, TsaError
from docproc.licence.verify.revisions import ARCHIVE_FIELD, seal_field
from docproc.licence.verify.sm2_judge import check_listed, check_sm2

Level = Literal["B-B", "B-T", "B-LT", "B-LTA"]
LEVELS: tuple[Level, ...] = ("B-B", "B-T", "B-LT", "B-LTA")
DIGEST = "sha256"
TSA_DOWN = "时间戳服务暂不可用，尚未签章，系统将自动重试"
STATUS_DOWN = "证书状态服务（OCSP、CRL）暂不可用，尚未签章，系统将自动重试"
_PATH_ERRORS = (PathError, ValidationError, CRLValidationError, OCSPValidationError)
"""What pyHanko raises when it builds or checks a certificate path: four families without a common base."""
_CMS_MARGIN = 2048  # bytes of a CMS beside its certificates and its time-stamp, with room to spare


@dataclass(frozen=True)
class PlacedSeal:
    """The seal of an authority that approves jointly with the issuing one."""

    signer: Signer
    place: SealPlace
    art: SealArt


def seal(
    pdf: bytes,
    signer: Signer,
    timestamper: TimeStamper | None,
    trust: SealTrust,
    *,
    place: SealPlace,
    art: SealArt,
    reason: str,
    at: datetime,
    level: Level = "B-LTA",
    joint: Sequence[PlacedSeal] = (),
) -> bytes:
    """Seal a licence, jointly where several authorities approve it.

    The first seal says how many there are: it covers the empty fields of the others and permits only that they are
    filled (DocMDP 2). The last one locks all fields and the document (FieldMDP All, DocMDP 1).

    Args:
        pdf: the rendered licence, not sealed before.
        signer: key of the seal, from :mod:`docproc.licence.keys.keys`.
        timestamper: needed at every level but B-B.
        trust: roots, and where revocation information comes from.
        place: centre and diameter of the visible seal.
        art: the visible seal.
        reason: why it was sealed, kept in the signature.
        at: now; the certificates are checked for this moment.
        level: PAdES level of every seal, or its shape for SM2 seals; never lowered.
        joint: further seals in their order; each gets a signature and a time-stamp of its own.

    Raises:
        SealUnavailableError: the TSA or the revocation information is out of reach, or the TSA's clock and ``at`` are
            more than five minutes apart; try again later.
        SealError: the certificate is revoked, expired, not yet valid or not for sealing, or the file cannot be sealed.
    """
    if level != "B-B" and timestamper is None:
        raise SealError(f"level {level} needs a time-stamping service")
    seals = (PlacedSeal(signer, place, art), *joint)
    for item in seals:
        wide, room = item.art.diameter, item.place.diameter
        if abs(wide - room) > 0.01:
            raise SealError(f"seal is {wide} mm across, its place {room} mm: draw it at that size")
    timely = TimelyTimeStamper(timestamper, at) if timestamper is not None and level != "B-B" else None
    order = _Order(seals, timely, trust, reason, at, level)
    # asyncio.run would set and reset a handler of SIGINT, which costs a tenth of a seal
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_seal(pdf, order))
    finally:
        loop.close()


@dataclass(frozen=True)
class _Order:
    """The arguments of :func:`seal`."""

    seals: Sequence[PlacedSeal]
    timestamper: TimelyTimeStamper | None
    trust: SealTrust
    reason: str
    at: datetime
    level: Level

    @property
    def keeps_proof(self) -> bool:
        """Whether validation data goes into the file."""
        return self.level in ("B-LT", "B-LTA")


async def _seal(pdf: bytes, order: _Order) -> bytes:
    async with checked_context(order.trust, order.at) as context:
        # every certificate is good before the first key is used
        paths = await _checked_paths(order, context)
        lists = order.trust.lists(order.at) if any(item.signer.algorithm == SM2 for item in order.seals) else ()
        writer = _open_unsigned(pdf, order.seals)
        out = io.BytesIO()
        for number, item in enumerate(order.seals, 1):
            last = number == len(order.seals)
            reserve = await _reserve(item.signer, order.timestamper)
            out = await _sign(_pdf_signer(order, number, last=last), writer, reserve, order.at)
            if order.keeps_proof or not last:
                writer = UpdateWriter(out)
        if order.keeps_proof:
            add_validation_data(writer, context, paths, lists)
            if order.level == "B-LTA" and order.timestamper is not None:
                await timestamp_with(writer, order.timestamper, 1)
            else:
                writer.write_in_place()
        return out.getvalue()


async def _checked_paths(order: _Order, context: ValidationContext) -> list[ValidationPath]:
    """Check the certificates of all seals and of the TSA, and gather what proves that they are good."""
    paths = [path for item in order.seals for path in await _check(item.signer, context, order.trust, order.at)]
    if order.timestamper is not None:
        paths += await _check_tsa(order.timestamper, context, order.trust, order.at)
    if order.keeps_proof:
        await fetch_lists(context, paths)
    return paths


def _open_unsigned(pdf: bytes, seals: Sequence[PlacedSeal]) -> IncrementalPdfFileWriter:
    """Open the file and add the empty fields of all seals.

    Raises:
        SealError: it is signed already.
    """
    writer = open_writer(pdf)
    if any(True for _ in writer.prev.embedded_signatures):
        raise SealError("the file is already signed: seal the rendered licence")
    if any(item.signer.certificate.public_key.algorithm == "ec" for item in seals):
        # said now: once the first seal is set, the document catalogue stays as it is
        writer.ensure_output_version((2, 0))
        writer.register_extension(ISO32002)
    for number, item in enumerate(seals, 1):
        append_signature_field(writer, _field(writer, number, item, last=number == len(seals)))
    return writer


def _pdf_signer(order: _Order, number: int, *, last: bool) -> PdfSigner:
    """What sets the first, second ... seal."""
    item = order.seals[number - 1]
    is_sm2 = item.signer.algorithm == SM2
    metadata = PdfSignatureMetadata(
        field_name=seal_field(number),
        md_algorithm="sm3" if is_sm2 else DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        reason=order.reason,
        certify=number == 1,
        docmdp_permissions=MDPPerm.NO_CHANGES if last else MDPPerm.FILL_FORMS,
    )
    key = item.signer if is_sm2 else templated(item.signer)
    return PdfSigner(metadata, key, timestamper=order.timestamper, stamp_style=_Style(art=item.art))


def _field(writer: IncrementalPdfFileWriter, number: int, item: PlacedSeal, *, last: bool) -> SigFieldSpec:
    """The field of a seal; the last of several locks everything once it is signed (ISO 32000-2, 12.7.5.5)."""
    lock = last and number > 1
    return SigFieldSpec(
        seal_field(number),
        on_page=0,
        box=_box(writer, item.place),
        readable_field_name="电子印章",
        field_mdp_spec=FieldMDPSpec(FieldMDPAction.ALL) if lock else None,
        doc_mdp_update_value=MDPPerm.NO_CHANGES if lock else None,
    )


@asynccontextmanager
async def checked_context(trust: SealTrust, at: datetime) -> AsyncIterator[ValidationContext]:
    """Open a validation context, translate its errors into ours, and close its connections."""
    context = None
    try:
        context = trust.context(at)
        yield context
    except (TimeoutError, OSError) as error:
        down = TSA_DOWN if isinstance(error, TsaError) else STATUS_DOWN
        raise SealUnavailableError(f"a service needed for sealing is out of reach: {error}", message_zh=down) from error
    except TimestampRequestError as error:
        raise SealUnavailableError(f"the time-stamping service refused: {error}", message_zh=TSA_DOWN) from error
    except _PATH_ERRORS as error:
        raise _certificate_error(error) from error
    except SigningError as error:
        cause = error.__cause__
        if isinstance(cause, _PATH_ERRORS):
            raise _certificate_error(cause) from error
        raise SealError(f"the file cannot be sealed: {error}") from error
    except (PdfError, BoxSpecificationError) as error:
        raise SealError(f"the file cannot be sealed: {error}") from error
    finally:
        if context is not None:
            await context.aclose()


def add_validation_data(
    writer: IncrementalPdfFileWriter,
    context: ValidationContext,
    paths: list[ValidationPath],
    lists: Sequence[CertificateList] = (),
) -> None:
    """Put the certificates of these paths, and what proves that they are good, into the pending revision.

    ``lists`` are further CRLs, about SM2 certificates.
    """
    DocumentSecurityStore.supply_dss_in_writer(
        writer,
        sig_contents=None,
        paths=paths,
        crls=[*context.crls, *lists],
        ocsps=_about_one_of(context.ocsps, paths),
        embed_roots=False,
    )


async def timestamp_with(writer: IncrementalPdfFileWriter, timestamper: TimeStamper, number: int) -> None:
    """Finish a writer's pending revision with an archive time-stamp."""
    stamper = PdfTimeStamper(timestamper, field_name=f"{ARCHIVE_FIELD}{number}", readable_field_name="归档时间戳")
    token = len((await timestamper.async_dummy_response(DIGEST)).dump())
    await stamper.async_timestamp_pdf(writer, DIGEST, bytes_reserved=2 * (token + 512), in_place=True)


class _Stamp(BaseStamp):
    """The appearance of the seal's field: the art and nothing else."""

    def apply_appearance(self, annot_dict: generic.DictionaryObject) -> None:
        art: SealArt = self.style.art
        side = generic.FloatObject(f"{art.diameter * PT:.2f}")
        # multiplied with what is below, so that text under the seal stays legible, as under ink
        blend = _dictionary(Multiply=_dictionary(Type=pdf_name("/ExtGState"), BM=pdf_name("/Multiply")))
        form = generic.StreamObject(
            _dictionary(
                Type=pdf_name("/XObject"),
                Subtype=pdf_name("/Form"),
                BBox=generic.ArrayObject([generic.NumberObject(0), generic.NumberObject(0), side, side]),
                Resources=_dictionary(ExtGState=blend),
                Filter=pdf_name("/FlateDecode"),
            ),
            encoded_data=_compressed(art.operators),
        )
        annot_dict[pdf_name("/AP")] = _dictionary(N=self._ensure_writer.add_object(form))


@lru_cache(maxsize=16)
def _compressed(operators: bytes) -> bytes:
    """The appearance of a seal; the same for each licence of a batch."""
    return zlib.compress(b"/Multiply gs\n" + operators, 9)


def _dictionary(**entries: object) -> generic.DictionaryObject:
    return generic.DictionaryObject({pdf_name(f"/{key}"): value for key, value in entries.items()})


@dataclass(frozen=True)
class _Style(BaseStampStyle):
    art: SealArt = field(kw_only=True)

    def create_stamp(self, writer: BasePdfFileWriter, box: BoxConstraints, text_params: dict[str, str]) -> BaseStamp:
        return _Stamp(writer, self, box)


async def _sign(signer: PdfSigner, writer: IncrementalPdfFileWriter, reserve: int, at: datetime) -> io.BytesIO:
    session = signer.init_signing_session(writer)
    session.system_time = at
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=reserve)
    prepared, out = document.digest_tbs_document(in_place=True)
    attributes = PdfCMSSignedAttributes(signing_time=at)
    await document.perform_signature(document_digest=prepared.document_digest, pdf_cms_signed_attrs=attributes)
    return cast(io.BytesIO, out)


async def _check(signer: Signer, context: ValidationContext, trust: SealTrust, at: datetime) -> list[ValidationPath]:
    """Validate the certificate of a seal."""
    if signer.algorithm == SM2:
        check_sm2(signer.signing_cert, _told(trust, at), at)
        check_listed(signer.signing_cert, _told(trust, at), at)
        return []
    evidence = trust.evidence(at) if trust.evidence is not None else None
    known = _checked.get(signer)
    if known is not None and known.answers(trust, evidence, at):
        return list(known.paths)
    validator = CertificateValidator(signer.signing_cert, signer.cert_registry, context)
    path = await validator.async_validate_usage({"non_repudiation"})
    return _kept(signer, trust, evidence, [path])


async def _check_tsa(
    timestamper: TimelyTimeStamper, context: ValidationContext, trust: SealTrust, at: datetime
) -> list[ValidationPath]:
    """Validate the certificates of a time-stamping service, those that it was seen to have."""
    evidence = trust.evidence(at) if trust.evidence is not None else None
    known = _checked.get(timestamper.service)
    seen = await timestamper.certificates()
    if known is not None and known.answers(trust, evidence, at) and known.seen == seen:
        return list(known.paths)
    paths = [found async for found in timestamper.validation_paths(context)]
    return _kept(timestamper.service, trust, evidence, paths, seen)


@dataclass(frozen=True)
class _Checked:
    """Paths that were found valid, with the revocation information used and the period in which that holds.

    The same information about the same certificates gives the same answer, so a batch asks once.
    """

    trust: SealTrust
    evidence: RevocationEvidence
    paths: tuple[ValidationPath, ...]
    since: datetime
    until: datetime
    seen: frozenset[bytes]
    """Certificates of a time-stamping service, DER."""

    def answers(self, trust: SealTrust, evidence: RevocationEvidence | None, at: datetime) -> bool:
        return trust is self.trust and evidence == self.evidence and self.since <= at <= self.until


_checked: WeakKeyDictionary[Signer | TimeStamper, _Checked] = WeakKeyDictionary()


def _kept(
    key: Signer | TimeStamper,
    trust: SealTrust,
    evidence: RevocationEvidence | None,
    paths: list[ValidationPath],
    seen: frozenset[bytes] = frozenset(),
) -> list[ValidationPath]:
    """Remember paths that were found valid where the information about them does not change by the call."""
    if evidence is not None and paths:
        since, until = evidence.period(item for path in paths for item in path)
        _checked[key] = _Checked(trust, evidence, tuple(paths), since, until, seen)
    return paths


def _told(trust: SealTrust, at: datetime) -> TrustList:
    return TrustList(trust.roots, trust.intermediates, RevocationEvidence(crls=trust.lists(at)))


async def fetch_lists(context: ValidationContext, paths: list[ValidationPath]) -> None:
    """Fetch an OCSP answer and a CRL for every certificate that names both.

    An OCSP answer tells a revocation at once, a CRL days later. The answer can be checked only as long as its
    responder's certificate lasts, the CRL as long as the CA's.

    Raises:
        SealUnavailableError: an OCSP responder is out of reach, even where a CRL would do for pyHanko.
    """
    for path in paths:
        for certificate in path:
            if certificate.self_issued or not isinstance(certificate, x509.Certificate):
                continue
            if certificate.crl_distribution_points:
                await context.async_retrieve_crls(certificate)
            if certificate.ocsp_urls and not await _answers(context, certificate, path):
                raise SealUnavailableError(
                    f"no OCSP answer about {certificate.subject.human_friendly}", message_zh=STATUS_DOWN
                )


async def _answers(
    context: ValidationContext, certificate: x509.Certificate, path: ValidationPath
) -> list[ocsp.OCSPResponse]:
    try:
        issuer = path.find_issuing_authority(certificate)
        known = issuer.certificate if isinstance(issuer, AuthorityWithCert) else None
        return list(await context.async_retrieve_ocsps(certificate, known)) if known is not None else []
    except OCSPFetchError:
        return []


def _about_one_of(responses: list[ocsp.OCSPResponse], paths: list[ValidationPath]) -> list[ocsp.OCSPResponse]:
    """Pick the OCSP responses about a certificate of these paths: a source may give answers about others too."""
    serials = {item.serial_number for path in paths for item in path}
    return [item for item in responses if _serial(item) in serials]


def _serial(response: ocsp.OCSPResponse) -> int:
    answers = response.basic_ocsp_response["tbs_response_data"]["responses"]
    return int(answers[0]["cert_id"]["serial_number"].native)


async def _reserve(signer: Signer, timestamper: TimeStamper | None) -> int:
    """Hexadecimal digits to keep free for the CMS, computed from its parts, so that no dry run is needed."""
    size = _CMS_MARGIN + len(signer.certificate.dump()) + sum(len(item.dump()) for item in signer.cert_registry)
    if timestamper is not None:
        size += len((await timestamper.async_dummy_response(DIGEST)).dump()) + 256
    return 2 * size


def _box(writer: IncrementalPdfFileWriter, place: SealPlace) -> tuple[int, int, int, int]:
    page = writer.root["/Pages"]["/Kids"][0]
    height = float(page["/MediaBox"][3])
    left, top = (place.x - place.diameter / 2) * PT, height - (place.y - place.diameter / 2) * PT
    side = place.diameter * PT
    corners = tuple(round(value, 2) for value in (left, top - side, left + side, top))
    return cast(tuple[int, int, int, int], corners)  # pyHanko is typed for whole points and takes fractions too


def _certificate_error(error: BaseException) -> SealError:
    if isinstance(error, InsufficientRevinfoError | CRLFetchError | OCSPFetchError):
        return SealUnavailableError(f"revocation information is out of reach: {error}", message_zh=STATUS_DOWN)
    reasons = ((NotYetValidError, "尚未生效"), (ExpiredError, "已过期"), (RevokedError, "已被撤销"))
    reason = next((word for kind, word in reasons if isinstance(error, kind)), "无效或未获信任")
    return SealError(
        f"a certificate is not good for sealing: {error}",
        message_zh=f"签章所用的证书（印章、时间戳服务或其颁发机构）{reason}，不能签章",
    )
