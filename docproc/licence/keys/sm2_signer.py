"""Seal keys of SM2: an encrypted PEM file, and pyHanko's ``Signer`` over it.

The file holds an ``ENCRYPTED PRIVATE KEY`` (PKCS#8 with PBES2: PBKDF2-HMAC-SHA256, AES-256-CBC), as openssl reads
and writes it, then the certificate and its issuers. PKCS#12 is not used: its readers at hand refuse keys on this curve.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from asn1crypto import algos, cms, core, keys, pem, tsp, x509
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from pyhanko_certvalidator.registry import SimpleCertificateStore

from docproc.errors import SealError, SetupError
from docproc.licence.keys.signer import Signer
from docproc.licence.keys.sm2 import CURVE, SM2_WITH_SM3, SM3, Sm2Key, sm3
from docproc.private_file import write_private

_ROUNDS = 600_000
_MOST_ROUNDS = 10_000_000


class Sm2Signer(Signer):
    """Signs with an SM2 key over SM3; the CMS has the attributes of PAdES (ETSI EN 319 142-1, 6.3)."""

    def __init__(self, key: Sm2Key, certificate: x509.Certificate, chain: tuple[x509.Certificate, ...]) -> None:
        store = SimpleCertificateStore()
        store.register_multiple(chain)
        super().__init__(signing_cert=certificate, cert_registry=store, embed_roots=False)
        self.key = key
        self.chain = chain

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign ``data``; a dry run returns as many bytes as the largest signature."""
        return bytes(72) if dry_run else self.key.sign(data)

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
        """Make a detached CMS over an SM3 digest; pyHanko's own knows neither algorithm.

        Raises:
            SealError: another digest, or not a detached signature.
        """
        if digest_algorithm != "sm3" or encap_content_info is not None:
            raise SealError("SM2 seals are made over SM3 and detached")
        own: x509.Certificate = self.signing_cert
        attributes = _attributes(own, data_digest)
        name = cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number})
        digest = algos.DigestAlgorithm({"algorithm": SM3})
        info = {
            "version": "v1",
            "sid": cms.SignerIdentifier({"issuer_and_serial_number": name}),
            "digest_algorithm": digest,
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3}),
            "signature": await self.async_sign_raw(attributes.dump(), digest_algorithm, dry_run),
        }
        if timestamper is not None:
            over = hashlib.sha256(info["signature"]).digest()  # by the hash that time-stamping services take
            token = await timestamper.async_timestamp(over, "sha256")
            info["unsigned_attrs"] = [cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [token]})]
        content = {
            "version": "v1",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": "data"},
            "certificates": [own, *(item for item in self.chain if not item.self_issued)],
            "signer_infos": [info],
        }
        return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(content)})


def _attributes(own: x509.Certificate, digest: bytes) -> cms.CMSAttributes:
    bound = tsp.ESSCertIDv2({"hash_algorithm": {"algorithm": SM3}, "cert_hash": sm3(own.dump())})
    return cms.CMSAttributes(
        [
            cms.CMSAttribute({"type": "content_type", "values": ["data"]}),
            cms.CMSAttribute({"type": "message_digest", "values": [digest]}),
            cms.CMSAttribute({"type": "signing_certificate_v2", "values": [{"certs": [bound]}]}),
        ]
    )


def load_sm2(path: Path, passphrase: bytes) -> Sm2Signer:
    """Open a key file and keep its key in memory.

    Raises:
        SetupError: the file is missing.
        SealError: wrong passphrase, damaged file, or no SM2 key with its certificate.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SetupError(f"seal key {path} cannot be read: {error.strerror}; run `docproc seal dev-pki`") from error
    try:
        blocks = list(pem.unarmor(data, multiple=True))
        key = _decrypt(next(der for kind, _, der in blocks if kind == "ENCRYPTED PRIVATE KEY"), passphrase)
        own, *chain = (x509.Certificate.load(der) for kind, _, der in blocks if kind == "CERTIFICATE")
        if own.public_key["public_key"].native != b"\x04" + key.public:
            raise ValueError("the certificate is of another key")
    except (ValueError, TypeError, KeyError, StopIteration) as error:
        raise SealError(f"seal key {path.name} cannot be opened: check its passphrase and certificate") from error
    return Sm2Signer(key, own, tuple(chain))


def write_sm2(path: Path, key: Sm2Key, chain: list[x509.Certificate], passphrase: bytes) -> None:
    """Write key, certificate and issuers, readable by the owner only."""
    parts = [pem.armor("ENCRYPTED PRIVATE KEY", _encrypt(key, passphrase))]
    parts += [pem.armor("CERTIFICATE", item.dump()) for item in chain]
    write_private(path, b"".join(parts))


def _encrypt(key: Sm2Key, passphrase: bytes) -> bytes:
    inner = keys.ECPrivateKey({"version": 1, "private_key": int.from_bytes(key.private, "big")})
    inner["private_key"].set_encoded_width(32)
    inner["public_key"] = keys.ECPointBitString(b"\x04" + key.public)
    algorithm = {"algorithm": "ec", "parameters": keys.ECDomainParameters("named", CURVE)}
    plain = keys.PrivateKeyInfo({"version": 0, "private_key_algorithm": algorithm, "private_key": inner}).dump()
    salt, start = os.urandom(16), os.urandom(16)
    padder = padding.PKCS7(128).padder()
    secret = Cipher(algorithms.AES(_stretch(passphrase, salt, _ROUNDS)), modes.CBC(start)).encryptor()
    sealed = secret.update(padder.update(plain) + padder.finalize()) + secret.finalize()
    stretching = {"salt": core.OctetString(salt), "iteration_count": _ROUNDS, "prf": {"algorithm": "sha256"}}
    scheme = {
        "key_derivation_func": {"algorithm": "pbkdf2", "parameters": stretching},
        "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": start},
    }
    named = {"algorithm": "pbes2", "parameters": scheme}
    return bytes(keys.EncryptedPrivateKeyInfo({"encryption_algorithm": named, "encrypted_data": sealed}).dump())


def _decrypt(der: bytes, passphrase: bytes) -> Sm2Key:
    found = keys.EncryptedPrivateKeyInfo.load(der, strict=True)
    how = found["encryption_algorithm"]
    kind = (how.kdf, how.kdf_hmac, how.encryption_cipher, how.encryption_mode, how.key_length)
    if kind != ("pbkdf2", "sha256", "aes", "cbc", 32) or how.kdf_iterations > _MOST_ROUNDS:
        raise ValueError("encrypt the key by PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC")
    key = _stretch(passphrase, how.kdf_salt, how.kdf_iterations)
    opened = Cipher(algorithms.AES(key), modes.CBC(how.encryption_iv)).decryptor()
    padder = padding.PKCS7(128).unpadder()
    text = opened.update(found["encrypted_data"].native) + opened.finalize()
    plain = keys.PrivateKeyInfo.load(padder.update(text) + padder.finalize(), strict=True)
    if plain["private_key_algorithm"]["parameters"].chosen.dotted != CURVE:
        raise ValueError("the key is not on the SM2 curve")
    inner = plain["private_key"].parsed
    return Sm2Key(inner["private_key"].native.to_bytes(32, "big"), inner["public_key"].native[1:])


def _stretch(passphrase: bytes, salt: bytes, rounds: int) -> bytes:
    return PBKDF2HMAC(hashes.SHA256(), 32, salt, rounds).derive(passphrase)
