"""The seals of a file, as they were found in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from asn1crypto import x509
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from docproc.licence.verify.en319102 import has_dss, token_of
from docproc.licence.verify.revisions import StructureError


@dataclass(frozen=True)
class FoundSeal:
    """One seal of a file and the archive time-stamps after it."""

    signature: EmbeddedPdfSignature
    stamps: tuple[EmbeddedPdfSignature, ...]
    number: int
    """From 1, which is the issuing authority's."""

    def level(self) -> str:
        """PAdES level, by what is there."""
        if not token_of(self.signature):
            return "B-B"
        if self.stamps:
            return "B-LTA"
        return "B-LT" if has_dss(self.signature.reader) else "B-T"

    def parts(self) -> list[Any]:
        """The CMS of the seal, of its time-stamp and of the archive time-stamps."""
        token = token_of(self.signature)
        return [self.signature.signed_data, *([token] if token else []), *(item.signed_data for item in self.stamps)]


def signer_of(signed: Any) -> x509.Certificate:
    """The certificate of who made a signature or time-stamp.

    Raises:
        StructureError: it is not there.
    """
    wanted = signed["signer_infos"][0]["sid"].chosen
    for item in signed["certificates"]:
        if item.chosen.issuer == wanted["issuer"] and item.chosen.serial_number == wanted["serial_number"].native:
            return item.chosen
    raise StructureError("a signature lacks the certificate of its signer")


def announced(signature: EmbeddedPdfSignature) -> list[str]:
    """Names of the form's fields as the first seal covers them."""
    root = signature.reader.get_historical_root(signature.signed_revision)
    return [str(item.get_object()["/T"]) for item in root["/AcroForm"]["/Fields"]]
