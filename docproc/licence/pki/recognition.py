"""Roots of other departments, submitted for recognition (互认): one root, and intermediates below it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from asn1crypto import pem, x509
from cryptography import x509 as crypto
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from docproc.errors import InputError

SHORTEST_RSA = 2048
MOST_CERTIFICATES = 10
UNREADABLE = "请选择对方的根证书（PEM 或 DER），可附中间证书"


@dataclass(frozen=True, slots=True)
class Root:
    """A root and the certificates below it."""

    certificates: tuple[bytes, ...]
    """DER, the root first."""
    subject: str
    sha256: str
    """Of the root (DER)."""
    valid_from: datetime
    valid_to: datetime


def read_root(data: bytes, at: datetime) -> Root:
    """Read a submitted root.

    Raises:
        InputError: no certificates, none or two self-issued, one that is no CA, a weak key, or out of its period.
    """
    try:
        blocks = [der for _, _, der in pem.unarmor(data, multiple=True)] if pem.detect(data) else [data]
        found = [x509.Certificate.load(der, strict=True) for der in blocks]
        read = [crypto.load_der_x509_certificate(item.dump()) for item in found]
    except (ValueError, TypeError) as error:
        raise InputError(f"not certificates: {error}", message_zh=UNREADABLE) from error
    roots = [(item, parsed) for item, parsed in zip(found, read, strict=True) if item.self_issued]
    if len(roots) != 1 or len(found) > MOST_CERTIFICATES:
        raise InputError(f"{len(roots)} roots among {len(found)} certificates", message_zh="一次只能提交一个根证书")
    root, parsed = roots[0]
    try:
        parsed.verify_directly_issued_by(parsed)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise InputError(f"the root is not signed by itself: {error}", message_zh="根证书的自签名不正确") from error
    if not all(item.ca for item in found):
        raise InputError("one of them is no CA", message_zh="其中有不是 CA 的证书；签章证书不能作为信任根")
    key = parsed.public_key()
    strong = isinstance(key, ec.EllipticCurvePublicKey) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= SHORTEST_RSA
    )
    if not strong:
        raise InputError("the key is too weak or of an unknown kind", message_zh="根证书的密钥强度不足，或算法不支持")
    if not parsed.not_valid_before_utc <= at <= parsed.not_valid_after_utc:
        raise InputError("the root is out of its period", message_zh="根证书不在有效期内")
    others = [item.dump() for item in found if item is not root]
    return Root(
        certificates=(root.dump(), *others),
        subject=root.subject.human_friendly,
        sha256=root.sha256.hex(),
        valid_from=parsed.not_valid_before_utc,
        valid_to=parsed.not_valid_after_utc,
    )
