"""Signing from a template: of a CMS (RFC 5652) only digest, signature and time-stamp differ between two licences.

pyHanko builds every CMS anew from objects, which costs more than everything else in sealing. Here its first CMS is cut
into the parts that stay; each later one is put together from bytes. The parts are the ones pyHanko made, so the result
is the same, byte for byte, as far as the signature algorithm is deterministic (tested).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, cast
from weakref import WeakKeyDictionary

from asn1crypto import cms

from docproc.licence.keys.signer import Signer

_DIGEST = "sha256"
_MARK = hashlib.sha256(b"place of the digest").digest()
_KNOWN = {"content_type", "message_digest", "signing_certificate_v2", "cms_algorithm_protection"}
"""Attributes of a PAdES signature by pyHanko that are the same for every file, beside the digest."""
_SEQUENCE, _SET, _OCTETS, _CONTEXT_0, _CONTEXT_1 = 0x30, 0x31, 0x04, 0xA0, 0xA1
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The type of a CMS that is signed: 1.2.840.113549.1.7.2."""
_TIME_STAMP = bytes.fromhex("060b2a864886f70d010910020e")  # 1.2.840.113549.1.9.16.2.14


@dataclass(frozen=True, slots=True)
class CmsTemplate:
    """The parts of a signer's CMS that stay, DER."""

    before: bytes
    """Of SignedData: version, digest algorithms, content info, certificates."""
    signer: bytes
    """Of SignerInfo: version, identifier, digest algorithm."""
    attributes: tuple[bytes, bytes]
    """Content of the set of signed attributes before and after the digest."""
    algorithm: bytes
    """Of the signature."""

    def signed(self, digest: bytes) -> bytes:
        """Content of the signed attributes for a digest."""
        return self.attributes[0] + digest + self.attributes[1]

    def assemble(self, digest: bytes, signature: bytes, token: bytes | None) -> bytes:
        """The whole ContentInfo, DER; ``token`` is a time-stamp token over the signature."""
        parts = [self.signer, tlv(_CONTEXT_0, self.signed(digest)), self.algorithm, tlv(_OCTETS, signature)]
        if token is not None:
            parts.append(tlv(_CONTEXT_1, tlv(_SEQUENCE, _TIME_STAMP + tlv(_SET, token))))
        signed_data = tlv(_SEQUENCE, self.before + tlv(_SET, tlv(_SEQUENCE, b"".join(parts))))
        return tlv(_SEQUENCE, SIGNED_DATA + tlv(_CONTEXT_0, signed_data))


class TemplatedSigner(Signer):
    """Signs with another signer's key, from a template where the signature is one of PAdES over SHA-256."""

    def __init__(self, inner: Signer) -> None:
        super().__init__(
            signing_cert=inner.signing_cert,
            cert_registry=inner.cert_registry,
            embed_roots=inner.embed_roots,
            signature_mechanism=inner.signature_mechanism,
            prefer_pss=inner.prefer_pss,
        )
        self._inner = inner
        self._template: CmsTemplate | None = None

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign with the other signer's key."""
        return bytes(await self._inner.async_sign_raw(data, digest_algorithm, dry_run))

    async def async_sign(
        self,
        data_digest: bytes,
        digest_algorithm: str,
        dry_run: bool = False,
        use_pades: bool = False,
        timestamper: Any = None,
        signed_attr_settings: Any = None,
        is_pdf_sig: bool = True,
        encap_content_info: Any = None,
    ) -> cms.ContentInfo:
        """Make a CMS over a digest; where the template does not fit, pyHanko builds it as usual."""
        usual = digest_algorithm == _DIGEST and use_pades and is_pdf_sig and encap_content_info is None and not dry_run
        if usual and self._template is None:
            sample = await super().async_sign(
                _MARK, digest_algorithm, dry_run=True, use_pades=True, signed_attr_settings=signed_attr_settings
            )
            self._template = cut(sample)
        if not usual or self._template is None:
            return await super().async_sign(
                data_digest,
                digest_algorithm,
                dry_run,
                use_pades,
                timestamper,
                signed_attr_settings,
                is_pdf_sig,
                encap_content_info,
            )
        made = self._template
        signature = await self.async_sign_raw(tlv(_SET, made.signed(data_digest)), _DIGEST)
        token = None
        if timestamper is not None:
            token = (await timestamper.async_timestamp(hashlib.sha256(signature).digest(), _DIGEST)).dump()
        # pyHanko takes bytes here as well; parsing them into objects would cost again what was saved
        return cast(cms.ContentInfo, made.assemble(data_digest, signature, token))


_made: WeakKeyDictionary[Signer, TemplatedSigner] = WeakKeyDictionary()


def templated(signer: Signer) -> Signer:
    """A faster signer with the same key; made once for each signer."""
    if isinstance(signer, TemplatedSigner):
        return signer
    found = _made.get(signer)
    if found is None:
        # The faster one keeps the signer, so the entry lives as long as the process: there are as many as seals.
        found = _made[signer] = TemplatedSigner(signer)
    return found


def cut(sample: cms.ContentInfo) -> CmsTemplate | None:
    """Cut a CMS over the marked digest into parts; ``None`` when it holds more than is known to stay."""
    data = cms.ContentInfo.load(sample.dump())["content"]
    info = data["signer_infos"][0]
    attributes = info["signed_attrs"]
    content = attributes.contents
    if not {item["type"].native for item in attributes} <= _KNOWN or content.count(_MARK) != 1:
        return None
    place = content.index(_MARK)
    return CmsTemplate(
        before=b"".join(
            data[name].dump() for name in ("version", "digest_algorithms", "encap_content_info", "certificates")
        ),
        signer=b"".join(info[name].dump() for name in ("version", "sid", "digest_algorithm")),
        attributes=(content[:place], content[place + len(_MARK) :]),
        algorithm=info["signature_algorithm"].dump(),
    )


def tlv(tag: int, content: bytes) -> bytes:
    """One DER element with a tag of one byte."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
