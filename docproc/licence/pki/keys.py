"""Where seal keys live: PKCS#12 files and PKCS#11 tokens behind one interface, pyHanko's ``Signer``.

An SM2 or OFD signer would be one more function here that returns a ``Signer``;
nothing above this module knows where the key is.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from asn1crypto import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from pyhanko.sign.signers import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pyhanko_certvalidator.util import get_pyca_cryptography_hash

from docproc.errors import SealError, SetupError

__all__ = ["Certificate", "KeySigner", "Signer", "close_signer", "load_pkcs12", "open_pkcs11"]

Certificate = x509.Certificate
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


def open_pkcs11(
    module: Path, token_label: str, key_label: str, pin: str, chain: tuple[x509.Certificate, ...] = ()
) -> Signer:
    """Open a key on a PKCS#11 token; the key itself never leaves the token.

    The certificate is taken from the token under the same label as the key.
    EC keys are signed as raw ECDSA over a hash made here, because many tokens
    (SoftHSM2 among them) do not offer hash-and-sign for EC.

    Raises:
        SetupError: the module cannot be loaded.
        SealKeyUnavailableError: token not present, or it refuses to open a session.
        SealError: no such key or certificate on the token.
    """
    if not module.is_file():
        raise SetupError(f"PKCS#11 module {module} is missing: install the token's driver or softhsm2")
    from docproc.licence.pki.pkcs11 import TokenSigner, open_session

    session = open_session(module, token_label, pin)
    try:
        certificate = _token_certificate(session, key_label)
        signer = TokenSigner(
            session,
            key_label=key_label,
            signing_cert=certificate,
            ca_chain=set(chain),
            embed_roots=False,
            other_certs_to_pull=(),
            use_raw_mechanism=certificate.public_key.algorithm == "ec",
        )
        asyncio.run(signer.ensure_objects_loaded())  # type: ignore[no-untyped-call]
    except Exception as error:
        session.close()
        if isinstance(error, SealError):
            raise
        raise SealError(f"key {key_label!r} on token {token_label!r} cannot be used: {error}") from error
    return signer


def close_signer(signer: Signer) -> None:
    """Close the token session behind a signer of :func:`open_pkcs11`; nothing to do for keys in memory."""
    from docproc.licence.pki.pkcs11 import TokenSigner, close_session

    if isinstance(signer, TokenSigner):
        close_session(signer)


def _token_certificate(session: object, label: str) -> x509.Certificate:
    from pkcs11 import Attribute, ObjectClass

    found = list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.LABEL: label}))  # type: ignore[attr-defined]
    if len(found) != 1:
        raise SealError(f"token holds {len(found)} certificates labelled {label!r}; exactly one is needed")
    return x509.Certificate.load(found[0][Attribute.VALUE])
