"""A seal's entry in the seal registry, and whether it may seal a licence. Pure functions: no key is used here.

A seal is bound to an owner, to kinds of licence and to a time (国办发〔2025〕33号, 电子印章管理办法). This is
checked at every use, beside the certificate's own validity.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from docproc.domain import Licence
from docproc.errors import InputError, SealError
from docproc.licence.keys.algorithms import SM2, key_algorithm
from docproc.licence.keys.sm2 import issued_by
from docproc.licence.page.art import SealArt

ALGORITHMS = ("RSA-2048", "RSA-3072", "RSA-4096", "P-256", SM2)
KINDS = {"official": "公章", "special": "专用章"}


@dataclass(frozen=True, slots=True)
class RegisteredSeal:
    """A seal as it is registered."""

    name: str
    """Key in the registry, named by the matter files."""
    owner: str
    owner_code: str
    """Unified social credit code."""
    kind: str
    """Of :data:`KINDS`."""
    filing_number: str
    """备案号."""
    certificates: tuple[bytes, ...]
    """DER, the seal's own first, then its issuers."""
    diameter: float
    """Of the art, mm."""
    art: bytes
    """PDF content stream, compressed by zlib."""
    licence_kinds: tuple[str, ...]
    """What it may seal."""
    valid_from: datetime
    valid_to: datetime
    suspended: bool = False
    record: bytes = b""
    """Seal object by GB/T 38540, DER; empty where there is none. SM2 seals have one."""

    @property
    def certificate_sha256(self) -> str:
        """Hash of the seal's own certificate."""
        return hashlib.sha256(self.certificates[0]).hexdigest()

    @property
    def art_sha256(self) -> str:
        """Hash of the art's content stream."""
        return hashlib.sha256(zlib.decompress(self.art)).hexdigest()

    @property
    def algorithm(self) -> str:
        """What it signs by, see :func:`algorithm`."""
        return algorithm(self.certificates[0])

    def drawing(self) -> SealArt:
        """The art, ready to be placed on a page."""
        return SealArt(self.diameter, zlib.decompress(self.art))


def check_use(seal: RegisteredSeal, licence: Licence, at: datetime, place: int = 0) -> None:
    """Refuse to use a seal outside its state, period, scope or owner.

    ``place`` 0 is the seal of the issuing authority, 1 and more those of a joint approval in their order.

    Raises:
        SealError: with the reason in Chinese; ``code`` says which of them.
    """
    if seal.suspended:
        raise SealError(f"seal {seal.name} is suspended", message_zh="印章已停用，不能签章", code="seal_suspended")
    if not seal.valid_from <= at <= seal.valid_to:
        raise SealError(
            f"seal {seal.name} is registered from {seal.valid_from} to {seal.valid_to}",
            message_zh="印章不在备案的有效期内，不能签章",
            code="seal_period",
        )
    if licence.kind not in seal.licence_kinds:
        raise SealError(
            f"seal {seal.name} is not registered for {licence.kind}",
            message_zh="印章的使用范围不包括这种证照，不能签章",
            code="seal_scope",
        )
    party = ((licence.authority, licence.authority_code), *licence.joint)[place]
    if party != (seal.owner, seal.owner_code):
        raise SealError(
            f"seal {seal.name} belongs to {seal.owner}, not to {party[0]}",
            message_zh="印章所有单位与发证机关不一致，不能签章",
            code="seal_owner",
        )


def read_chain(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Certificates in PEM, the seal's own first.

    Raises:
        InputError: none in it, or one that cannot be read or did not issue the one before it.
    """
    try:
        found = x509.load_pem_x509_certificates(pem)
        for item, issuer in pairwise(found):
            if key_algorithm(_parse(item)) != SM2:
                item.verify_directly_issued_by(issuer)
            elif not issued_by(_parse(item), _parse(issuer)):
                raise ValueError("an SM2 certificate is not signed by the one after it")
    except Exception as error:  # the parser raises what it likes, a wrong signature among it
        problem = "give PEM certificates, the seal's own first, each followed by its issuer"
        raise InputError(f"{problem}: {error}", message_zh="印章证书链无法识别") from error
    return tuple(found)


def check_certificate(chain: Sequence[x509.Certificate], owner: str, start: datetime, end: datetime) -> None:
    """Refuse to register a certificate of somebody else, or for longer than it lasts.

    Raises:
        InputError: the owner is not in the subject, the period is not within the certificate's, or its key is of a kind
            or size that seals nothing here.
    """
    own = chain[0]
    signs_by = key_algorithm(_parse(own))
    if signs_by not in ALGORITHMS:
        problem = f"the key of the certificate is {signs_by}: use {', '.join(ALGORITHMS)}"
        raise InputError(problem, message_zh="印章证书的密钥算法或长度不受支持")
    names = own.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    names += own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if owner not in {item.value for item in names}:
        raise InputError(f"the certificate is not of {owner}", message_zh="印章证书不属于该单位")
    if not own.not_valid_before_utc <= start < end <= own.not_valid_after_utc:
        raise InputError("the period is not within the certificate's", message_zh="有效期超出印章证书的有效期")


def algorithm(certificate: bytes) -> str:
    """What a key signs by, from its certificate (DER): ``RSA-2048``, ``P-256``, ``SM2`` or the like."""
    return key_algorithm(asn1.Certificate.load(certificate))


def _parse(item: x509.Certificate) -> asn1.Certificate:
    return asn1.Certificate.load(item.public_bytes(Encoding.DER))


def to_der(chain: Sequence[x509.Certificate]) -> tuple[bytes, ...]:
    """The certificates as they are stored."""
    return tuple(item.public_bytes(Encoding.DER) for item in chain)


def to_pem(chain: Sequence[x509.Certificate]) -> str:
    """The certificates as they are submitted, without a key that was in the same file."""
    return "".join(item.public_bytes(Encoding.PEM).decode("ascii") for item in chain)
