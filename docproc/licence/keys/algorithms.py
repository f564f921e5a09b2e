"""What a key signs by, as the seal registry and people name it."""

from __future__ import annotations

from asn1crypto import x509

from docproc.licence.keys.sm2 import has_sm2_key

SM2 = "SM2"


def key_algorithm(certificate: x509.Certificate) -> str:
    """What the key of a certificate signs by: ``RSA-2048``, ``P-256``, ``SM2`` or the like."""
    if has_sm2_key(certificate):
        return SM2
    key = certificate.public_key
    if key.algorithm in ("rsa", "ec"):
        return f"{'RSA' if key.algorithm == 'rsa' else 'P'}-{key.bit_size}"
    return str(key.algorithm)
