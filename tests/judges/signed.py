"""Take the signatures out of a PDF with nothing but a search for ``/ByteRange``, to hand them to other programs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from asn1crypto import cms, parser

_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")


@dataclass(frozen=True, slots=True)
class SignedPart:
    """One signature or document time-stamp of a file."""

    content: bytes
    """What was signed: the file without the hole for the signature."""
    der: bytes
    """The CMS, without its padding."""
    is_timestamp: bool
    """Whether it is an RFC 3161 token rather than a signature."""

    @property
    def signature(self) -> bytes:
        """The signature value of the first signer, which a signature time-stamp covers."""
        return bytes(self._signer()["signature"].native)

    @property
    def signature_timestamp(self) -> bytes | None:
        """The RFC 3161 token over :attr:`signature`."""
        attributes = self._signer()["unsigned_attrs"]
        for item in attributes if attributes.native else ():
            if item["type"].native == "signature_time_stamp_token":
                return bytes(item["values"][0].dump())
        return None

    def _signer(self) -> cms.SignerInfo:
        return cms.ContentInfo.load(self.der)["content"]["signer_infos"][0]


def signed_parts(pdf: Path) -> list[SignedPart]:
    """All signatures and document time-stamps in the order of the file."""
    data = pdf.read_bytes()
    parts = []
    for match in _RANGE.finditer(data):
        first, length, second, rest = (int(group) for group in match.groups())
        hole = data[first + length : second].strip(b"<> \r\n")
        der = _unpadded(bytes.fromhex(hole.decode("ascii")))
        content = data[first : first + length] + data[second : second + rest]
        kind = cms.ContentInfo.load(der)["content"]["encap_content_info"]["content_type"].native
        parts.append(SignedPart(content, der, kind == "tst_info"))
    return parts


def _unpadded(data: bytes) -> bytes:
    _, _, _, header, body, trailer = parser.parse(data, strict=False)
    return data[: len(header) + len(body) + len(trailer)]
