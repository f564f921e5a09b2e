"""The development PKI at work in this process: seals, time-stamps, CRLs and OCSP answers without any server."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPRequest

from docproc.errors import SetupError
from docproc.licence.devpki.pki import SEALS, IssuedKey, open_issued
from docproc.licence.devpki.sm2_pki import SM2_CA, make_sm2_list
from docproc.licence.keys.keys import KeySigner, load_pkcs12
from docproc.licence.keys.sm2_signer import load_sm2
from docproc.licence.pki.trust import RevocationEvidence, SealTrust, TrustList
from docproc.licence.pki.tsa import LocalTimeStamper

CRL_DAYS = 7
OCSP_HOURS = 24
_STEP = timedelta(hours=1)


class DevPki:
    """An opened development PKI; see :func:`docproc.licence.devpki.pki.make_dev_pki` for its files."""

    def __init__(self, folder: Path) -> None:
        """Open the folder.

        Raises:
            SetupError: it has not been made.
        """
        try:
            self.passphrase = (folder / "passphrase").read_bytes()
            self.base_url: str = json.loads((folder / "urls.json").read_text())["base"]
        except OSError as error:
            raise SetupError(f"development PKI {folder} is missing: run `docproc seal dev-pki`") from error
        self.folder = folder
        self._issued = {name: open_issued(folder, name, self.passphrase) for name in ("root", "ca", "ocsp")}
        self._tsa = self._load("tsa")
        # kept for the life of this object: files of the folder change only through it
        self._crl = lru_cache(maxsize=16)(self._make_crl)
        self._list = lru_cache(maxsize=16)(asn1_crl.CertificateList.load)
        self._ocsp_batch = lru_cache(maxsize=16)(self._make_batch)
        self._sm2_list = lru_cache(maxsize=16)(self._make_sm2_list)
        self._certificate = lru_cache(maxsize=256)(self._load_certificate)

    def signer(self, name: str = SEALS[0]) -> KeySigner:
        """Open a seal by the name of its file."""
        return self._load(name)

    def timestamper(self, clock: Callable[[], datetime]) -> LocalTimeStamper:
        """Make a TSA that attests the time of ``clock``."""
        return LocalTimeStamper(self._tsa, clock)

    def issued(self, name: str) -> IssuedKey:
        """Key and certificate of ``root``, ``ca`` or ``ocsp``."""
        return self._issued[name]

    def trust_list(self) -> TrustList:
        """The trust list to verify this PKI's seals with."""
        return TrustList.from_folder(self.folder / "trust")

    def seal_trust(self) -> SealTrust:
        """The trust of a sealer, with revocation information made in this process.

        End entities are proved twice. pyHanko finds the CRL of a CA that is not the root in the present, but not when
        it looks back from after the certificate's end: there it needs OCSP. An OCSP answer alone is worthless once
        the responder's certificate has ended: there a CRL is needed.
        """
        known = self.trust_list()

        def evidence(at: datetime) -> RevocationEvidence:
            return RevocationEvidence(
                tuple(self._list(self.crl(name, at)) for name in ("root", "ca")), self._answers(at)
            )

        return SealTrust(known.roots, known.intermediates, evidence, self._sm2_lists)

    def online_trust(self) -> SealTrust:
        """The same, but revocation information is fetched from the URLs in the certificates."""
        known = self.trust_list()
        return SealTrust(known.roots, known.intermediates, lists=self._sm2_lists)

    def revoke(self, serial: int, at: datetime) -> None:
        """Revoke a certificate of the issuing CA or of the SM2 one, and put fresh CRLs into the trust folder."""
        revoked = self._revoked()
        revoked.setdefault(str(serial), at.astimezone(UTC).isoformat())
        (self.folder / "revoked.json").write_text(json.dumps(revoked, indent=1, sort_keys=True) + "\n")
        (self.folder / "trust" / "ca.crl").write_bytes(self.crl("ca", at))
        for item in self._sm2_lists(at):
            (self.folder / "trust" / f"{SM2_CA}.crl").write_bytes(item.dump())

    def crl(self, issuer: str, at: datetime) -> bytes:
        """CRL of ``root`` or ``ca``, DER; of the last full hour, or of the last revocation when that is later."""
        issued, entries = self._revoked_at(at) if issuer == "ca" else (_full_hour(at), ())
        return self._crl(issuer, issued, entries)

    def _revoked_at(self, at: datetime) -> tuple[datetime, tuple[tuple[int, datetime], ...]]:
        """When a CRL for a moment is issued, and its entries."""
        revoked = {int(serial): datetime.fromisoformat(value) for serial, value in self._revoked().items()}
        issued = max([_full_hour(at), *(time for time in revoked.values() if time <= at)])
        return issued, tuple((serial, time) for serial, time in revoked.items() if time <= issued)

    def _sm2_lists(self, at: datetime) -> tuple[asn1_crl.CertificateList, ...]:
        """The CRL of the SM2 authority; none where the PKI was made without one."""
        if not (self.folder / f"{SM2_CA}.pem").exists():
            return ()
        return (self._sm2_list(*self._revoked_at(at)),)

    def _make_sm2_list(self, at: datetime, entries: tuple[tuple[int, datetime], ...]) -> asn1_crl.CertificateList:
        ca = load_sm2(self.folder / f"{SM2_CA}.pem", self.passphrase)
        return make_sm2_list(ca, at, at + timedelta(days=CRL_DAYS), dict(entries))

    def ocsp(self, request: bytes, at: datetime) -> bytes:
        """Answer an OCSP request about one certificate of the issuing CA; DER in, DER out.

        Raises:
            ValueError: the request cannot be parsed or asks about several certificates.
        """
        asked = ocsp.load_der_ocsp_request(request)
        ca = self._issued["ca"]
        algorithm = asked.hash_algorithm
        if asked.issuer_key_hash != _key_hash(ca.certificate, algorithm):
            refused = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
            return refused.public_bytes(Encoding.DER)
        return self._ocsp_for(asked.serial_number, asked, at)

    def _ocsp_for(self, serial: int, asked: OCSPRequest, at: datetime) -> bytes:
        revoked = self._revoked().get(str(serial))
        when = datetime.fromisoformat(revoked) if revoked else None
        if when is not None and when > at:
            when = None
        responder = self._issued["ocsp"]
        issued = max(_full_hour(at), when) if when else _full_hour(at)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                asked.issuer_name_hash,
                asked.issuer_key_hash,
                serial,
                asked.hash_algorithm,
                ocsp.OCSPCertStatus.REVOKED if when else ocsp.OCSPCertStatus.GOOD,
                issued,
                issued + timedelta(hours=OCSP_HOURS),
                when,
                x509.ReasonFlags.cessation_of_operation if when else None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, responder.certificate)
            .certificates([responder.certificate])
        )
        for extension in asked.extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)
        return builder.sign(responder.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _answers(self, at: datetime) -> tuple[asn1_ocsp.OCSPResponse, ...]:
        """Current answers about the TSA and every seal, made anew each hour and at each revocation."""
        names = (*sorted(path.stem for path in self.folder.glob("seal-*.p12")), "tsa")
        revoked = tuple(self._revoked().items())
        return self._ocsp_batch(names, _full_hour(at), revoked, at if revoked else None)

    def _make_batch(
        self, names: tuple[str, ...], hour: datetime, revoked: tuple[tuple[str, str], ...], at: datetime | None
    ) -> tuple[asn1_ocsp.OCSPResponse, ...]:
        ca = self._issued["ca"].certificate
        answers = []
        for name in names:
            subject = _to_pyca(self._certificate(name))
            request = ocsp.OCSPRequestBuilder().add_certificate(subject, ca, hashes.SHA256()).build()
            answers.append(asn1_ocsp.OCSPResponse.load(self.ocsp(request.public_bytes(Encoding.DER), at or hour)))
        return tuple(answers)

    def _load_certificate(self, name: str) -> asn1_x509.Certificate:
        return self._load(name).signing_cert

    def _make_crl(self, issuer: str, at: datetime, entries: tuple[tuple[int, datetime], ...]) -> bytes:
        by = self._issued[issuer]
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(by.certificate.subject)
            .last_update(at)
            .next_update(at + timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key()), critical=False)
        )
        for serial, time in entries:
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(time)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _revoked(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "revoked.json").read_text())
        return found

    def _load(self, name: str) -> KeySigner:
        path = self.folder / f"{name}.p12"
        if not path.exists():
            raise SetupError(f"{path} is missing: run `docproc seal dev-pki`, which adds what an older PKI lacks")
        return load_pkcs12(path, self.passphrase)


def _full_hour(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _to_pyca(certificate: asn1_x509.Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.dump())


def _key_hash(certificate: x509.Certificate, algorithm: hashes.HashAlgorithm) -> bytes:
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, certificate, algorithm).build()
    return request.issuer_key_hash
