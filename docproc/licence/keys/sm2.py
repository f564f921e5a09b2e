"""SM2 signatures over SM3 (GB/T 32918, GB/T 32905), in keys, certificates and revocation lists by GB/T 20518.

The only module that knows ``gmssl_pyx``: neither ``cryptography`` nor pyHanko computes SM2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gmssl_pyx
from asn1crypto import algos, core, keys, x509

SM3 = "1.2.156.10197.1.401"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
CURVE = "1.2.156.10197.1.301"
algos.DigestAlgorithmId._map[SM3] = "sm3"  # pyHanko hashes certificates by the algorithm's name, the OID has none
keys.NamedCurve.register("sm2", CURVE, 32)  # asn1crypto asks how long a private key on the curve is


@dataclass(frozen=True, slots=True)
class Sm2Key:
    """A private key; ``repr`` does not show it."""

    private: bytes
    """32 bytes, big-endian."""
    public: bytes
    """The point as X and Y, 64 bytes."""

    def __repr__(self) -> str:
        return f"Sm2Key(public={self.public.hex()})"

    def sign(self, message: bytes) -> bytes:
        """Sign with the signer's identity that GB/T 35276 sets where none is agreed; DER of r and s."""
        return bytes(gmssl_pyx.sm2_sign(self.private, self.public, message, gmssl_pyx.SM2_DEFAULT_SIGNER_ID))


def new_sm2() -> Sm2Key:
    """Generate a key."""
    public, private = gmssl_pyx.sm2_key_generate()
    return Sm2Key(private, public)


def sm3(data: bytes) -> bytes:
    """Hash, 32 bytes."""
    return bytes(gmssl_pyx.sm3_hash(data))


def verifies(certificate: x509.Certificate, message: bytes, signature: bytes) -> bool:
    """Whether the key of a certificate made this SM2 signature; ``False`` for a key of another kind too."""
    if not has_sm2_key(certificate):
        return False
    try:
        public = gmssl_pyx.normalize_sm2_public_key(certificate.public_key["public_key"].native)
        return bool(gmssl_pyx.sm2_verify(public, message, signature, gmssl_pyx.SM2_DEFAULT_SIGNER_ID))
    except gmssl_pyx.GmsslInnerError:
        return False


def has_sm2_key(certificate: x509.Certificate) -> bool:
    """Whether a certificate is about an SM2 key."""
    algorithm = certificate.public_key["algorithm"]
    if algorithm["algorithm"].native != "ec":
        return False
    curve = algorithm["parameters"]
    return bool(curve.name == "named" and curve.chosen.dotted == CURVE)


def issued_by(signed: Any, issuer: x509.Certificate) -> bool:
    """Whether an issuer's SM2 key signed this certificate or CRL (asn1crypto)."""
    body = signed[0]
    kinds = {signed["signature_algorithm"]["algorithm"].dotted, body["signature"]["algorithm"].dotted}
    mark = signed[2]
    return kinds == {SM2_WITH_SM3} and verifies(issuer, body.dump(), mark.cast(core.OctetBitString).native)
