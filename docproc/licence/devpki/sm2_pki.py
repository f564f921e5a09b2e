"""The SM2 chain of the development PKI, beside the RSA one: root, issuing CA, a seal, and who makes seals.

The files, in the folder of :mod:`docproc.licence.devpki.pki` and under its passphrase::

    seal-sm2.pem                               key, certificate and issuers of the seal of the sample authority
    maker-sm2.pem                              the same of the sample seal maker (制章机构), see seal_object.py
    ca-sm2.pem                                 the issuing CA
    trust/root-sm2.crt trust/ca-sm2.crt        what a verifier needs
    trust/makers/maker-sm2.crt                 the seal maker whose seal objects are believed

No OCSP responder and no time-stamping service speak SM2 here: revocation is told by CRLs, and time-stamps on SM2 seals
are RSA ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1
from pathlib import Path

from asn1crypto import algos, core, crl, keys, pem, x509
from cryptography import x509 as pyca

from docproc.licence.devpki.pki import (
    AUTHORITY,
    AUTHORITY_CODE,
    CA,
    ROOT,
    SEAL,
    SM2_CA_NAME,
    SM2_ROOT_NAME,
    Profile,
    organisation,
    seal_subject,
)
from docproc.licence.keys.sm2 import CURVE, SM2_WITH_SM3, Sm2Key, new_sm2
from docproc.licence.keys.sm2_signer import Sm2Signer, load_sm2, write_sm2

SM2_SEAL, MAKER, SM2_CA = "seal-sm2", "maker-sm2", "ca-sm2"
MAKER_NAME = "示例印章制作机构（样例）"
_USAGES = {"content_commitment": "non_repudiation"}
"""Names of asn1crypto where they differ."""


@dataclass(frozen=True)
class IssuedSm2Key:
    """A key with its certificate."""

    key: Sm2Key
    certificate: x509.Certificate


def make_sm2_pki(
    folder: Path, *, at: datetime, authority: str = AUTHORITY, authority_code: str = AUTHORITY_CODE
) -> None:
    """Add the chain to a development PKI, or what one made before lacks; the seal's key is written last.

    Raises:
        SealError: the issuing CA of a chain made before cannot be opened.
    """
    passphrase = (folder / "passphrase").read_bytes()
    start = at - timedelta(days=1)
    authority_file = folder / f"{SM2_CA}.pem"
    made_before = (folder / f"{SM2_SEAL}.pem").exists()
    if made_before:
        known = load_sm2(authority_file, passphrase)
        ca, above = IssuedSm2Key(known.key, known.signing_cert), list(known.chain)
        start = max(start, ca.certificate.not_valid_before)
    else:
        root = issue_sm2(None, organisation(SM2_ROOT_NAME), ROOT, start)
        ca, above = issue_sm2(root, organisation(SM2_CA_NAME), CA, start), [root.certificate]
        for file, item in (("root-sm2", root), ("ca-sm2", ca)):
            (folder / "trust" / f"{file}.crt").write_bytes(pem.armor("CERTIFICATE", item.certificate.dump()))
        write_sm2(authority_file, ca.key, [ca.certificate, *above], passphrase)
    for name, subject in ((MAKER, organisation(MAKER_NAME)), (SM2_SEAL, seal_subject(authority, authority_code))):
        path = folder / f"{name}.pem"
        if not (made_before and path.exists()):
            made = issue_sm2(ca, subject, SEAL, start)
            if name == MAKER:
                (folder / "trust" / "makers").mkdir(exist_ok=True)
                known_maker = folder / "trust" / "makers" / f"{MAKER}.crt"
                known_maker.write_bytes(pem.armor("CERTIFICATE", made.certificate.dump()))
            write_sm2(path, made.key, [made.certificate, ca.certificate, *above], passphrase)


def issue_sm2(by: IssuedSm2Key | None, subject: pyca.Name, profile: Profile, start: datetime) -> IssuedSm2Key:
    """Issue a certificate for a new key; self-signed when ``by`` is ``None``."""
    key = new_sm2()
    signer = by.key if by is not None else key
    owner = x509.Name.load(subject.public_bytes())
    begin = start.replace(microsecond=0)
    algorithm = algos.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})
    body = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": pyca.random_serial_number(),
            "signature": algorithm,
            "issuer": by.certificate.subject if by is not None else owner,
            "validity": {
                "not_before": _time(begin),
                "not_after": _time(begin + timedelta(days=profile.years * 365.25)),
            },
            "subject": owner,
            "subject_public_key_info": {
                "algorithm": {"algorithm": "ec", "parameters": keys.ECDomainParameters("named", CURVE)},
                "public_key": keys.ECPointBitString(b"\x04" + key.public),
            },
            "extensions": _extensions(profile, key, signer),
        }
    )
    made = {
        "tbs_certificate": body,
        "signature_algorithm": algorithm,
        "signature_value": core.OctetBitString(signer.sign(body.dump())),
    }
    return IssuedSm2Key(key, x509.Certificate.load(x509.Certificate(made).dump()))


def make_sm2_list(ca: Sm2Signer, at: datetime, until: datetime, revoked: dict[int, datetime]) -> crl.CertificateList:
    """Sign a CRL; ``revoked`` gives the time for each serial number."""
    own: x509.Certificate = ca.signing_cert
    algorithm = algos.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})
    entries = [{"user_certificate": serial, "revocation_date": _time(when)} for serial, when in revoked.items()]
    body = crl.TbsCertList(
        {
            "version": "v2",
            "signature": algorithm,
            "issuer": own.subject,
            "this_update": _time(at),
            "next_update": _time(until),
            **({"revoked_certificates": entries} if entries else {}),
        }
    )
    mark = core.OctetBitString(ca.key.sign(body.dump()))
    made = crl.CertificateList({"tbs_cert_list": body, "signature_algorithm": algorithm, "signature": mark})
    return crl.CertificateList.load(made.dump())


def _extensions(profile: Profile, key: Sm2Key, signer: Sm2Key) -> list[dict[str, object]]:
    constraints: dict[str, object] = {"ca": profile.ca_depth is not None}
    if profile.ca_depth is not None:
        constraints["path_len_constraint"] = profile.ca_depth
    usage = {_USAGES.get(item, item) for item in profile.usages}
    return [
        {"extn_id": "basic_constraints", "critical": True, "extn_value": x509.BasicConstraints(constraints)},
        {"extn_id": "key_usage", "critical": True, "extn_value": x509.KeyUsage(usage)},
        {"extn_id": "key_identifier", "critical": False, "extn_value": core.OctetString(_identifier(key))},
        {
            "extn_id": "authority_key_identifier",
            "critical": False,
            "extn_value": x509.AuthorityKeyIdentifier({"key_identifier": _identifier(signer)}),
        },
    ]


def _identifier(key: Sm2Key) -> bytes:
    """Key identifier by RFC 5280, 4.2.1.2 (1): it finds a certificate, and protects nothing."""
    return sha1(b"\x04" + key.public, usedforsecurity=False).digest()


def _time(at: datetime) -> x509.Time:
    """UTCTime until 2049 (RFC 5280, 4.1.2.5), in whole seconds."""
    at = at.replace(microsecond=0)
    if at.year < 2050:
        return x509.Time("utc_time", core.UTCTime(at))
    return x509.Time("general_time", core.GeneralizedTime(at))
