"""Statements signed with a seal key as JSON Web Signatures (RFC 7515, compact form), the certificates in ``x5c``.

A PAdES seal signs DER attributes, a statement signs ``BASE64.BASE64`` text that names its type first, so neither
can be passed off as the other.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from asn1crypto import x509
from asn1crypto.algos import DSASignature
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_der_x509_certificate
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import PathError

from docproc.errors import InputError, SealError
from docproc.licence.pki.revocation import revocation
from docproc.licence.pki.trust import ALGORITHM_POLICY, TrustList

if TYPE_CHECKING:
    from docproc.licence.keys.signer import Signer

_P256_BYTES = 32


@dataclass(frozen=True, slots=True)
class Statement:
    """The content of a statement with a trusted signature."""

    payload: bytes
    signer: str
    """Common name of the certificate."""
    authority_code: str
    """Unified social credit code in the certificate; empty when it names none."""


def sign_statement(payload: bytes, kind: str, signer: Signer) -> str:
    """Sign a statement of a kind (the JOSE header's ``typ``).

    Raises:
        SealError: the key is neither RSA nor P-256.
    """
    leaf = signer.signing_cert
    assert leaf is not None  # a signer of ours always has one
    elliptic = leaf.public_key.algorithm == "ec"
    if not elliptic and leaf.public_key.algorithm != "rsa":
        raise SealError(f"statements need an RSA or P-256 key, not {leaf.public_key.algorithm}")
    chain = [leaf, *(item for item in signer.cert_registry if not item.self_issued and item.dump() != leaf.dump())]
    header = {
        "alg": "ES256" if elliptic else "RS256",
        "typ": kind,
        "x5c": [base64.b64encode(item.dump()).decode() for item in chain],
    }
    text = f"{_encode(json.dumps(header, separators=(',', ':')).encode())}.{_encode(payload)}"
    raw = asyncio.run(signer.async_sign_raw(text.encode(), "sha256"))
    if elliptic:
        parts = DSASignature.load(raw).native
        raw = b"".join(parts[name].to_bytes(_P256_BYTES, "big") for name in ("r", "s"))
    return f"{text}.{_encode(raw)}"


def read_statement(text: str, kind: str, trust: TrustList, at: datetime) -> Statement:
    """Check a signed statement and return its content.

    Raises:
        InputError: it is damaged, of another kind, or its signer is not trusted at ``at``.
    """
    try:
        head, body, tail = text.strip().split(".")
        header = json.loads(_decode(head))
        certificates = [x509.Certificate.load(base64.b64decode(item), strict=True) for item in header["x5c"]]
        named = header["alg"], header["typ"]
        leaf, payload, signature = certificates[0], _decode(body), _decode(tail)
        _check_signature(leaf, named[0], f"{head}.{body}".encode(), signature)
        subject = leaf.subject.native
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error, InvalidSignature) as error:
        raise InputError(f"the signed statement is damaged: {error or type(error).__name__}") from error
    if named[1] != kind:
        raise InputError(f"this is a statement of kind {named[1]!r}; {kind!r} was expected")
    _check_certificate(leaf, certificates[1:], trust, at)
    return Statement(payload, str(subject.get("common_name", "")), str(subject.get("organization_identifier", "")))


def _check_signature(leaf: x509.Certificate, algorithm: str, signed: bytes, signature: bytes) -> None:
    key: Any = load_der_x509_certificate(leaf.dump()).public_key()
    if algorithm == "RS256" and isinstance(key, RSAPublicKey):
        key.verify(signature, signed, PKCS1v15(), SHA256())
    elif algorithm == "ES256" and isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        if len(signature) != 2 * _P256_BYTES:
            raise ValueError("the signature has a wrong length")
        parts = (int.from_bytes(signature[:_P256_BYTES], "big"), int.from_bytes(signature[_P256_BYTES:], "big"))
        key.verify(encode_dss_signature(*parts), signed, ECDSA(SHA256()))
    else:
        raise ValueError(f"algorithm {algorithm!r} does not fit the certificate")


def _check_certificate(leaf: x509.Certificate, others: list[x509.Certificate], trust: TrustList, at: datetime) -> None:
    """Build a path to a trusted root; revocation is judged by the CRLs of the trust folder."""
    context = ValidationContext(
        trust_roots=trust.roots_for("seal", at),
        other_certs=[*others, *trust.intermediates],
        moment=at,
        allow_fetching=False,
        revocation_mode="soft-fail",
        algorithm_usage_policy=ALGORITHM_POLICY,
    )
    try:
        path = asyncio.run(CertificateValidator(leaf, others, context).async_validate_usage({"digital_signature"}))
    except (PathError, ValueError) as error:
        raise InputError(f"the signer of the statement is not trusted: {error}") from error
    root = trust.anchor(path.first)
    if not root.vouches_for(str(leaf.subject.native.get("organization_identifier", ""))):
        raise InputError(f"root {root.name} may not vouch for the authority that signed the statement")
    if any(revocation(item, trust) is not None for item in path if not item.self_issued):
        raise InputError("a certificate behind the signed statement was revoked")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
