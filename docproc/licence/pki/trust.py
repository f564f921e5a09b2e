"""Trust: roots, intermediates, and the sources of revocation information."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from asn1crypto import crl, ocsp, pem, x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.policy_decl import DisallowWeakAlgorithmsPolicy

from docproc.canonical import JsonObject
from docproc.errors import SetupError
from docproc.licence.pki import quick_names  # noqa: F401  (for its effect)
from docproc.licence.pki.overlap import narrowed
from docproc.licence.pki.trust_limits import Anchor, Use, read_anchors

ALGORITHM_POLICY = DisallowWeakAlgorithmsPolicy()
"""No MD5, no SHA-1, no RSA below 2048 bits."""
_CERTIFICATES = {".crt", ".cer", ".pem", ".der"}


@dataclass(frozen=True)
class RevocationEvidence:
    """Revocation information at hand."""

    crls: tuple[crl.CertificateList, ...] = ()
    ocsps: tuple[ocsp.OCSPResponse, ...] = ()

    def period(self, certificates: Iterable[x509.Certificate]) -> tuple[datetime, datetime]:
        """When all of it and all of these certificates are valid; without a stated end, the start is the end."""
        bodies = self._bodies()
        starts = [body["this_update"].native for _, body in bodies]
        ends = [_end(body) for _, body in bodies]
        for item in certificates:
            starts.append(item.not_valid_before)
            ends.append(item.not_valid_after)
        return max(starts), min(ends)

    def ended(self, at: datetime) -> dict[str, datetime]:
        """Sources whose newest information has expired at a moment, and since when: a later revocation is not in it."""
        newest: dict[str, datetime] = {}
        for name, body in self._bodies():
            newest[name] = max(_end(body), newest.get(name, _end(body)))
        return {name: end for name, end in newest.items() if end < at}

    def _bodies(self) -> list[tuple[str, Any]]:
        """Each CRL and OCSP answer, with a name for its source and subject."""
        said = [(f"CRL of {item.issuer.human_friendly}", item["tbs_cert_list"]) for item in self.crls]
        for item in self.ocsps:
            for body in item.basic_ocsp_response["tbs_response_data"]["responses"]:
                said.append((f"OCSP response about {body['cert_id']['serial_number'].native:x}", body))
        return said


def _end(body: Any) -> datetime:
    end: datetime = body["next_update"].native or body["this_update"].native
    return end


@dataclass(frozen=True)
class TrustList:
    """What a verifier must know beforehand; everything else it needs is inside the file."""

    roots: tuple[x509.Certificate, ...]
    """Trust anchors, for seals and for time-stamps."""
    intermediates: tuple[x509.Certificate, ...] = ()
    evidence: RevocationEvidence = field(default_factory=RevocationEvidence)
    """CRLs and OCSP responses known beside those in the file; a revocation that happened later is only seen here."""
    anchors: tuple[Anchor, ...] = ()
    """Limits of roots, from ``trust.toml``; a root without an entry is our own and has none."""
    makers: tuple[x509.Certificate, ...] = ()
    """Certificates of the makers of seals (制章机构) whose seal objects are believed."""

    def to_json(self) -> JsonObject:
        """What a verifier needs, seal makers left out, as JSON values: DER in base64."""
        return {
            "roots": _encoded(self.roots),
            "intermediates": _encoded(self.intermediates),
            "crls": _encoded(self.evidence.crls),
            "ocsps": _encoded(self.evidence.ocsps),
            "anchors": [{**item.to_json(), "reserved": list(item.reserved)} for item in self.anchors],
        }

    @classmethod
    def from_json(cls, raw: JsonObject) -> TrustList:
        """Read what :meth:`to_json` gave."""
        crls = tuple(crl.CertificateList.load(base64.b64decode(item)) for item in raw["crls"])
        ocsps = tuple(ocsp.OCSPResponse.load(base64.b64decode(item)) for item in raw["ocsps"])
        return cls(
            roots=tuple(x509.Certificate.load(base64.b64decode(item)) for item in raw["roots"]),
            intermediates=tuple(x509.Certificate.load(base64.b64decode(item)) for item in raw["intermediates"]),
            evidence=RevocationEvidence(crls, ocsps),
            anchors=tuple(replace(Anchor.from_json(item), reserved=tuple(item["reserved"])) for item in raw["anchors"]),
        )

    def anchor(self, root: x509.Certificate) -> Anchor:
        """The limits of a root."""
        digest = hashlib.sha256(root.dump()).hexdigest()
        return next((item for item in self.anchors if item.sha256 == digest), Anchor(digest))

    def roots_for(self, use: Use, moment: datetime) -> list[x509.Certificate]:
        """The roots that are trusted for a use at a moment."""
        return [item for item in self.roots if self.anchor(item).covers(moment, use)]

    def recognising(self, chains: Iterable[tuple[bytes, ...]], anchors: Iterable[Anchor]) -> TrustList:
        """This list with further roots (DER, each first in its chain) and their limits."""
        loaded = [[x509.Certificate.load(der) for der in chain] for chain in chains]
        return replace(
            self,
            roots=(*self.roots, *(chain[0] for chain in loaded)),
            intermediates=(*self.intermediates, *(item for chain in loaded for item in chain[1:])),
            anchors=(*self.anchors, *anchors),
        )

    def narrowed(self, own: str) -> TrustList:
        """This list with no two roots that vouch for one authority, and none but ours for our own credit code."""
        return replace(self, anchors=narrowed(self.anchors, own))

    def informed(self, folder: Path) -> TrustList:
        """This list with a bundle of revocation information: ``*.crl`` and ``*.ocsp|ors`` (DER) of a folder.

        Raises:
            SetupError: no such folder, nothing in it, or a file that is not what its name says.
        """
        if not folder.is_dir():
            raise SetupError(f"revocation folder {folder} is missing")
        crls = tuple(_crl(path) for path in _files(folder, {".crl"}))
        answers = tuple(_answer(path) for path in _files(folder, {".ocsp", ".ors"}))
        if not crls and not answers:
            raise SetupError(f"revocation folder {folder} is empty: put CRLs (*.crl) or OCSP responses (*.ocsp) there")
        known = self.evidence
        return replace(self, evidence=RevocationEvidence((*known.crls, *crls), (*known.ocsps, *answers)))

    @classmethod
    def from_folder(cls, folder: Path) -> TrustList:
        """Read ``*.crt|cer|pem|der`` (self-issued ones are trust anchors), ``*.crl`` and ``trust.toml`` of a folder.

        Certificates in its folder ``makers`` are those of seal makers.

        Raises:
            SetupError: no such folder, no anchor in it, or a file that is not what its name says.
        """
        if not folder.is_dir():
            raise SetupError(f"trust folder {folder} is missing: run `docproc demo` or name another with --trust")
        files = {path.name: _certificates(path) for path in _files(folder, _CERTIFICATES)}
        certificates = [item for found in files.values() for item in found]
        lists = tuple(_crl(path) for path in _files(folder, {".crl"}))
        roots = tuple(item for item in certificates if item.self_issued)
        if not roots:
            raise SetupError(f"trust folder {folder} holds no root certificate: put one there as .crt")
        others = tuple(item for item in certificates if not item.self_issued)
        hashes = {
            name: [hashlib.sha256(item.dump()).hexdigest() for item in found if item.self_issued]
            for name, found in files.items()
        }
        place = folder / "makers"
        makers = (
            [item for path in _files(place, _CERTIFICATES) for item in _certificates(path)] if place.is_dir() else []
        )
        return cls(roots, others, RevocationEvidence(crls=lists), read_anchors(folder, hashes), tuple(makers))


@dataclass(frozen=True)
class SealTrust:
    """What a sealer needs to prove that its own and the TSA's certificates are good at this moment."""

    roots: tuple[x509.Certificate, ...]
    intermediates: tuple[x509.Certificate, ...] = ()
    evidence: Callable[[datetime], RevocationEvidence] | None = None
    """Gives revocation information for a moment, or raises ``OSError``; ``None`` asks the URLs in the certificates."""
    lists: Callable[[datetime], tuple[crl.CertificateList, ...]] = lambda at: ()
    """Gives CRLs by SM2 issuers for a moment, which pyHanko could not check."""

    def context(self, at: datetime) -> ValidationContext:
        """Make a validation context for one seal; close it with ``await context.aclose()``.

        Revocation information is required for every certificate below the root.

        Raises:
            OSError: the source of revocation information is out of reach.
        """
        found = self.evidence(at) if self.evidence is not None else None
        return ValidationContext(
            trust_roots=list(self.roots),
            other_certs=list(self.intermediates),
            moment=at,
            allow_fetching=found is None,
            crls=list(found.crls) if found else None,
            ocsps=list(found.ocsps) if found else None,
            revocation_mode="require",
            algorithm_usage_policy=ALGORITHM_POLICY,
        )


def _encoded(items: Iterable[Any]) -> list[str]:
    return [base64.b64encode(item.dump()).decode("ascii") for item in items]


def _files(folder: Path, suffixes: set[str]) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)


def _certificates(path: Path) -> list[x509.Certificate]:
    data = path.read_bytes()
    try:
        blocks = [der for _, _, der in pem.unarmor(data, multiple=True)] if pem.detect(data) else [data]
        found = [x509.Certificate.load(der, strict=True) for der in blocks]
        for item in found:
            item.subject.native  # noqa: B018  (asn1crypto parses lazily: read it now, while the file name is known)
    except (ValueError, TypeError) as error:
        raise SetupError(f"{path} is not a certificate: replace or remove it") from error
    return found


def _crl(path: Path) -> crl.CertificateList:
    data = path.read_bytes()
    try:
        if pem.detect(data):
            data = pem.unarmor(data)[2]
        found = crl.CertificateList.load(data, strict=True)
        found.issuer.native  # noqa: B018
    except (ValueError, TypeError) as error:
        raise SetupError(f"{path} is not a certificate revocation list: replace or remove it") from error
    return found


def _answer(path: Path) -> ocsp.OCSPResponse:
    try:
        found = ocsp.OCSPResponse.load(path.read_bytes(), strict=True)
        found.basic_ocsp_response["tbs_response_data"]["responses"].native  # noqa: B018
    except (ValueError, TypeError, AttributeError) as error:
        raise SetupError(f"{path} is not an OCSP response: replace or remove it") from error
    return found
