"""The same seal made with pyHanko's own classes, as a baseline for the benchmark; nothing is issued by it."""

from __future__ import annotations

import io
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.signers.pdf_signer import PdfSignatureMetadata, PdfSigner

from docproc.errors import SetupError
from docproc.licence.devpki.responder import DevPki


def stock_sealer(pki: DevPki, pdf: bytes, level: str) -> Callable[[], Coroutine[None, None, bytes]]:
    """Return a function that seals ``pdf`` once at a PAdES level with pyHanko's ``SimpleSigner`` and no visible seal.

    Raises:
        SetupError: the key of the PKI cannot be opened.
    """
    signer = SimpleSigner.load_pkcs12(str(pki.folder / "seal-rsa.p12"), passphrase=pki.passphrase)
    if signer is None:
        raise SetupError(f"the seal in {pki.folder} cannot be opened: make the development PKI again")
    timestamper = pki.timestamper(lambda: datetime.now(UTC)) if level != "B-B" else None
    trust = pki.seal_trust()

    async def once() -> bytes:
        keep = level in ("B-LT", "B-LTA")
        context = trust.context(datetime.now(UTC)) if keep else None
        metadata = PdfSignatureMetadata(
            field_name="Seal",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            embed_validation_info=keep,
            use_pades_lta=level == "B-LTA",
            validation_context=context,
        )
        out = await PdfSigner(metadata, signer, timestamper=timestamper).async_sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(pdf))
        )
        if context is not None:
            await context.aclose()
        return bytes(out.getbuffer())

    return once
