"""The development PKI: made by a command, kept under ``certs/dev/``, good for demonstration and tests only.

Every subject says that it is a sample. The files::

    trust/root.crt trust/ca.crt   what a verifier needs (``--trust certs/dev/trust``); ``ca.crl`` joins on revocation
    seal-rsa.p12 seal-p256.p12    seals of a sample authority, RSA-2048 and P-256
    seal-joint.p12                seal of a second sample authority, for joint approvals
    tsa.p12 ocsp.p12              time-stamping authority and OCSP responder
    root.p12 ca.p12               the two certification authorities
    passphrase                    opens all of them; readable by its owner only
    revoked.json                  serial number -> time of revocation
    urls.json                     where CRL, OCSP and TSA are served, written into the certificates
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from docproc.errors import SetupError
from docproc.private_file import write_private

AUTHORITY = "示例市市场监督管理局（样例）"
AUTHORITY_CODE = "11990099MB00000000"
"""Shaped like a unified social credit code, in a region (99) that does not exist."""
JOINT_AUTHORITY = "示例市卫生健康局（样例）"
JOINT_AUTHORITY_CODE = "11990099MB11111111"
ROOT_NAME, CA_NAME = "示例根证书颁发机构（样例）", "示例电子印章证书颁发机构（样例）"
SM2_ROOT_NAME, SM2_CA_NAME = "示例国密根证书颁发机构（样例）", "示例国密电子印章证书颁发机构（样例）"
"""Of the certification authorities; no real one is called so."""
BASE_URL = "http://127.0.0.1:8089"
SEALS = ("seal-rsa", "seal-p256")
JOINT_SEAL = "seal-joint"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class IssuedKey:
    """A key with its certificate."""

    key: PrivateKey
    certificate: x509.Certificate


@dataclass(frozen=True)
class Profile:
    """What distinguishes one kind of certificate from another."""

    years: float
    usages: tuple[str, ...]
    """Key usages by the names of RFC 5280, as ``cryptography`` spells them."""
    ca_depth: int | None = None
    """Path length of a CA; ``None`` for an end entity."""
    purpose: x509.ObjectIdentifier | None = None
    no_check: bool = False
    """Marks an OCSP responder whose own revocation is not asked for (RFC 6960, 4.2.2.2.1)."""


ROOT = Profile(30, ("key_cert_sign", "crl_sign"), ca_depth=1)
CA = Profile(20, ("key_cert_sign", "crl_sign"), ca_depth=0)
SEAL = Profile(3, ("digital_signature", "content_commitment"))
TSA = Profile(6, ("digital_signature",), purpose=ExtendedKeyUsageOID.TIME_STAMPING)
OCSP = Profile(6, ("digital_signature",), purpose=ExtendedKeyUsageOID.OCSP_SIGNING, no_check=True)


def make_dev_pki(
    folder: Path,
    *,
    at: datetime,
    base_url: str = BASE_URL,
    authority: str = AUTHORITY,
    authority_code: str = AUTHORITY_CODE,
) -> None:
    """Make the PKI in ``folder``, or add the seals and services that one made before lacks; what is there stays.

    New certificates are valid from one day before ``at``. The passphrase of a new PKI is written last, so that an
    interrupted run is repeated as a whole; the addresses of an old one are kept.

    Raises:
        SetupError: a PKI is there, but its certification authorities cannot be opened.
    """
    start, made_before = at - timedelta(days=1), (folder / "passphrase").exists()
    if made_before:
        passphrase = (folder / "passphrase").read_bytes()
        root, ca = (open_issued(folder, name, passphrase) for name in ("root", "ca"))
        base_url = json.loads((folder / "urls.json").read_text())["base"]
        start = max(start, ca.certificate.not_valid_before_utc)
    else:
        passphrase = secrets.token_urlsafe(24).encode()
        root, ca = _authorities(folder, start, base_url, passphrase)
    chain = [ca.certificate, root.certificate]
    owner, joint = organisation(authority, authority_code), organisation(JOINT_AUTHORITY, JOINT_AUTHORITY_CODE)
    wanted: dict[str, tuple[x509.Name, Profile, Callable[[], PrivateKey]]] = {
        "seal-rsa": (owner, SEAL, new_rsa),
        "seal-p256": (owner, SEAL, new_p256),
        JOINT_SEAL: (joint, SEAL, new_p256),
        "tsa": (organisation("示例时间戳服务机构（样例）"), TSA, new_rsa),
        "ocsp": (organisation("示例证书状态服务（样例）"), OCSP, new_rsa),
    }
    for name, (subject, profile, new_key) in wanted.items():
        path = folder / f"{name}.p12"
        if not (made_before and path.exists()):
            write_p12(path, issue(ca, subject, profile, start, base_url, new_key()), chain, passphrase)
    if not made_before:
        write_private(folder / "passphrase", passphrase)


def _authorities(folder: Path, start: datetime, base_url: str, passphrase: bytes) -> tuple[IssuedKey, IssuedKey]:
    """Make root and issuing CA and what goes with them."""
    (folder / "trust").mkdir(parents=True, exist_ok=True)
    root = issue(None, organisation(ROOT_NAME), ROOT, start, base_url, new_rsa())
    ca = issue(root, organisation(CA_NAME), CA, start, base_url, new_rsa(), issuer="root")
    for name, item in (("root", root), ("ca", ca)):
        write_p12(folder / f"{name}.p12", item, [], passphrase)
        (folder / "trust" / f"{name}.crt").write_bytes(item.certificate.public_bytes(Encoding.PEM))
    (folder / "revoked.json").write_text("{}\n")
    (folder / "urls.json").write_text(json.dumps({"base": base_url}) + "\n")
    return root, ca


def open_issued(folder: Path, name: str, passphrase: bytes) -> IssuedKey:
    """Open a key of the PKI with its certificate.

    Raises:
        SetupError: the file is missing or damaged.
    """
    try:
        key, certificate, _ = pkcs12.load_key_and_certificates((folder / f"{name}.p12").read_bytes(), passphrase)
    except (OSError, ValueError):
        key = certificate = None
    if certificate is None or not isinstance(key, PrivateKey):
        raise SetupError(
            f"{folder / name}.p12 is missing or damaged: run `docproc seal dev-pki`; delete the folder first "
            "when it is a certification authority's"
        )
    return IssuedKey(key, certificate)


def new_rsa() -> rsa.RSAPrivateKey:
    """Generate an RSA-2048 key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_p256() -> ec.EllipticCurvePrivateKey:
    """Generate an ECDSA P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def issue(
    by: IssuedKey | None,
    subject: x509.Name,
    profile: Profile,
    start: datetime,
    base_url: str,
    key: PrivateKey,
    issuer: str = "ca",
) -> IssuedKey:
    """Issue a certificate for ``key``; self-signed when ``by`` is ``None``.

    ``issuer`` names the CRL and the CA certificate under ``base_url``.
    """
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=profile.years * 365.25))
        .add_extension(x509.BasicConstraints(profile.ca_depth is not None, profile.ca_depth), critical=True)
        .add_extension(_usage(profile), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    if profile.purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([profile.purpose]), critical=True)
    if profile.no_check:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    if by is not None:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
        builder = builder.add_extension(authority, critical=False)
        builder = builder.add_extension(_crl_point(f"{base_url}/crl/{issuer}.crl"), critical=False)
        builder = builder.add_extension(_information(base_url, issuer), critical=False)
    return IssuedKey(key, builder.sign((by.key if by else key), hashes.SHA256()))


def write_p12(path: Path, item: IssuedKey, chain: list[x509.Certificate], passphrase: bytes) -> None:
    """Write key, certificate and chain as PKCS#12, readable by the owner only."""
    encryption = BestAvailableEncryption(passphrase)
    data = pkcs12.serialize_key_and_certificates(path.stem.encode(), item.key, item.certificate, chain, encryption)
    write_private(path, data)


def seal_subject(authority: str, code: str) -> x509.Name:
    """Name the owner of a seal: the authority, and its unified social credit code as organization identifier."""
    return organisation(authority, code)


def organisation(common: str, code: str | None = None) -> x509.Name:
    """Name an organisation, with its credit code as organization identifier where it has one."""
    parts = [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, common),
        x509.NameAttribute(NameOID.COMMON_NAME, common),
    ]
    if code is not None:
        parts.insert(2, x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, code))
    return x509.Name(parts)


def _usage(profile: Profile) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in profile.usages for name in names})


def _crl_point(url: str) -> x509.CRLDistributionPoints:
    names = [x509.UniformResourceIdentifier(url)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def _information(base_url: str, issuer: str) -> x509.AuthorityInformationAccess:
    places = {
        AuthorityInformationAccessOID.OCSP: f"{base_url}/ocsp",
        AuthorityInformationAccessOID.CA_ISSUERS: f"{base_url}/ca/{issuer}.crt",
    }
    if issuer == "root":  # the responder speaks for the issuing CA only; the root's word is its CRL
        del places[AuthorityInformationAccessOID.OCSP]
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(kind, x509.UniformResourceIdentifier(url)) for kind, url in places.items()]
    )
