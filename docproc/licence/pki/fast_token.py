"""Time-stamp tokens (RFC 3161) from a template: from one to the next only digest, number, time and signature differ.

Building a token from asn1crypto's objects costs twenty times the signature in it, and a seal of level B-LTA has two. As
with seals (:mod:`docproc.licence.keys.fastcms`) the first token is cut into the parts that stay, and each later one is
put together from bytes: the same bytes, as far as the signature algorithm is deterministic (tested).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from asn1crypto import cms, tsp

from docproc.licence.keys.fastcms import SIGNED_DATA, tlv

_INTEGER, _OCTETS, _TIME, _SEQUENCE, _SET = 0x02, 0x04, 0x18, 0x30, 0x31
_CONTEXT_0 = 0xA0


@dataclass(frozen=True, slots=True)
class InfoTemplate:
    """What stays of the statements (TSTInfo) of a time-stamping service, DER."""

    before: bytes
    """Version and policy."""
    accuracy: bytes
    tsa: bytes

    def said(self, imprint: bytes, serial: int, at: datetime, nonce: bytes) -> bytes:
        """A statement, DER.

        Args:
            imprint: the hash that is time-stamped, with its algorithm (MessageImprint), DER.
            serial: number of the token.
            at: the moment, to the second.
            nonce: of the request, DER; empty without.
        """
        time = tlv(_TIME, f"{at.astimezone(UTC):%Y%m%d%H%M%SZ}".encode())
        return tlv(_SEQUENCE, self.before + imprint + integer(serial) + time + self.accuracy + nonce + self.tsa)


@dataclass(frozen=True, slots=True)
class TokenTemplate:
    """What stays of the tokens of a time-stamping service, DER."""

    before: bytes
    """Of SignedData: version and digest algorithms."""
    kind: bytes
    """Of the content: its type."""
    certificates: bytes
    signer: bytes
    """Of SignerInfo: version, identifier, digest algorithm."""
    attributes: tuple[bytes, bytes]
    """Content of the set of signed attributes before and after the digest."""
    algorithm: bytes
    """Of the signature."""

    def signed(self, info: bytes) -> bytes:
        """What is signed for a statement: the set of attributes."""
        return tlv(_SET, self._attributes(info))

    def assemble(self, info: bytes, signature: bytes) -> bytes:
        """The token, a ContentInfo, DER."""
        content = tlv(_SEQUENCE, self.kind + tlv(_CONTEXT_0, tlv(_OCTETS, info)))
        attributes = tlv(_CONTEXT_0, self._attributes(info))
        signer = tlv(_SEQUENCE, self.signer + attributes + self.algorithm + tlv(_OCTETS, signature))
        data = tlv(_SEQUENCE, self.before + content + self.certificates + tlv(_SET, signer))
        return tlv(_SEQUENCE, SIGNED_DATA + tlv(_CONTEXT_0, data))

    def _attributes(self, info: bytes) -> bytes:
        before, after = self.attributes
        return before + hashlib.sha256(info).digest() + after


def cut_info(info: bytes) -> InfoTemplate:
    """Cut a statement into parts."""
    parts = tsp.TSTInfo.load(info, strict=True)
    before = bytes(parts["version"].dump()) + bytes(parts["policy"].dump())
    return InfoTemplate(before, bytes(parts["accuracy"].dump()), bytes(parts["tsa"].dump()))


def cut_token(token: cms.ContentInfo) -> TokenTemplate:
    """Cut a token, whose hashes are all SHA-256, into parts."""
    data = cms.ContentInfo.load(token.dump(), strict=True)["content"]
    encapsulated, info = data["encap_content_info"], data["signer_infos"][0]
    digest = hashlib.sha256(bytes(encapsulated["content"])).digest()
    attributes = info["signed_attrs"].contents
    before, after = attributes.split(digest)
    return TokenTemplate(
        before=b"".join(data[name].dump() for name in ("version", "digest_algorithms")),
        kind=encapsulated["content_type"].dump(),
        certificates=data["certificates"].dump(),
        signer=b"".join(info[name].dump() for name in ("version", "sid", "digest_algorithm")),
        attributes=(before, after),
        algorithm=info["signature_algorithm"].dump(),
    )


def integer(value: int) -> bytes:
    """A number of no sign, DER."""
    return tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
