"""Renewing the archive time-stamp of a sealed licence before it expires (EN 319 142-1, 5.5: B-LTA over time)."""

from __future__ import annotations

import asyncio
import io
from datetime import datetime, timedelta

from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko_certvalidator import CertificateValidator

from docproc.errors import SealError
from docproc.licence.page.update import open_writer
from docproc.licence.pki.trust import SealTrust, TrustList
from docproc.licence.pki.tsa import TimelyTimeStamper, TimeStamper
from docproc.licence.seal.seal import add_validation_data, checked_context, fetch_lists, timestamp_with
from docproc.licence.verify.verify import examine


def renew(pdf: bytes, timestamper: TimeStamper, trust: SealTrust, *, at: datetime) -> bytes:
    """Add an archive time-stamp, and the proof that the certificate of the former one is still good, as a revision.

    A file that is not good now is refused: a new time-stamp must not make it look better.

    Raises:
        SealUnavailableError: the TSA or the revocation information is out of reach; nothing was changed.
        SealError: the file is not a licence at level B-LTA that verifies at ``at``.
    """
    state = examine(pdf, TrustList(trust.roots, trust.intermediates), at)
    if (
        not state.signatures
        or not all(item.stands() for item in state.signatures)
        or state.integrity != "intact"
        or state.signatures[0].level != "B-LTA"
    ):
        found = f"{state.indication} {state.sub_indication or ''} {state.integrity}"
        raise SealError(f"only a good B-LTA licence can be renewed; this one is {found}: {'; '.join(state.reasons)}")
    return asyncio.run(_renew(pdf, TimelyTimeStamper(timestamper, at), trust, at))


def expires_on(pdf: bytes) -> datetime:
    """When the newest archive time-stamp expires: the earliest end of a certificate on its path.

    Raises:
        SealError: the file has no archive time-stamp.
    """
    stamp = _newest(pdf)
    end: datetime = min(item.not_valid_after for item in (stamp.signer_cert, *stamp.other_embedded_certs))
    return end


def due(pdf: bytes, at: datetime, margin_days: int = 180) -> bool:
    """Whether a licence should be renewed: fewer than ``margin_days`` are left."""
    return expires_on(pdf) - at < timedelta(days=margin_days)


async def _renew(pdf: bytes, timestamper: TimeStamper, trust: SealTrust, at: datetime) -> bytes:
    async with checked_context(trust, at) as context:
        writer = open_writer(pdf)
        stamps = list(writer.prev.embedded_timestamp_signatures)
        former = stamps[-1]
        validator = CertificateValidator(former.signer_cert, former.other_embedded_certs, context)
        paths = [await validator.async_validate_usage(set(), {"time_stamping"})]
        paths += [path async for path in timestamper.validation_paths(context)]
        await fetch_lists(context, paths)
        add_validation_data(writer, context, paths)
        await timestamp_with(writer, timestamper, len(stamps) + 1)
        out = writer.prev.stream
        assert isinstance(out, io.BytesIO)
        return out.getvalue()


def _newest(pdf: bytes) -> EmbeddedPdfSignature:
    try:
        stamps = list(PdfFileReader(io.BytesIO(pdf)).embedded_timestamp_signatures)
    except PdfError as error:
        raise SealError(f"the file cannot be read: {error}") from error
    if not stamps:
        raise SealError("the file has no archive time-stamp: seal it at level B-LTA")
    newest: EmbeddedPdfSignature = stamps[-1]
    return newest
