"""Seal keys in PKCS#12 files."""

from __future__ import annotations

from pathlib import Path

from asn1crypto import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from docproc.errors import SealError, SetupError
from docproc.licence.keys.signer import Signer

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey


class KeySigner(Signer):
    """Signs with a private key that is parsed once and kept in memory.

    pyHanko's own ``SimpleSigner`` parses and checks the key again at every
    signature, which costs more than the signature itself.
    """

    def __init__(self, key: PrivateKey, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...]) -> None:
        store = SimpleCertificateStore()
        store.register_multiple(chain)
        super().__init__(signing_cert=certificate, cert_registry=store, embed_roots=False)
        self._key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign ``data`` by RSA PKCS#1 v1.5 or ECDSA; a dry run returns as many bytes as the largest signature."""
        if dry_run:
            return bytes((self._key.key_size + 7) // 8 if isinstance(self._key, RSAPrivateKey) else 144)
        digest = get_pyca_cryptography_hash(digest_algorithm)
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(data, PKCS1v15(), digest)
        return self._key.sign(data, ECDSA(digest))


def load_pkcs12(path: Path, passphrase: bytes) -> KeySigner:
    """Open a PKCS#12 file and keep its key in memory.

    Raises:
        SetupError: the file is missing.
        SealError: wrong passphrase, damaged file, no key, or a key that is neither RSA nor EC.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(
            f"seal key {path} cannot be read: {error.strerror}; set DOCPROC_CERTS_DIR, or run `docproc seal dev-pki`"
        ) from error
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, passphrase)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SealError(f"seal key {path.name} cannot be opened: check its passphrase") from error
    if certificate is None or not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise SealError(f"seal key {path.name} must hold an RSA or EC private key and its certificate")
    chain = tuple(x509.Certificate.load(item.public_bytes(Encoding.DER)) for item in others)
    return KeySigner(key, x509.Certificate.load(certificate.public_bytes(Encoding.DER)), chain)
