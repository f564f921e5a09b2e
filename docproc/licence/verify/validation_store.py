"""The validation data of a file (its /DSS), read once for each file and decoded once for each piece.

Decoding says nothing about a piece: whether it is genuine and proves anything is asked anew for every file. Licences
that one authority seals within an hour carry the same certificates, CRLs and OCSP responses.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from weakref import WeakKeyDictionary

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from asn1crypto.ocsp import OCSPResponse
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError

Kind = type[x509.Certificate] | type[CertificateList] | type[OCSPResponse]
_KINDS: dict[str, Kind] = {kind.__name__: kind for kind in (x509.Certificate, CertificateList, OCSPResponse)}
LONGEST = 1 << 15
"""Bytes of a piece whose decoding is kept; a CRL of many entries would fill the memory."""


@dataclass(frozen=True, slots=True)
class ValidationStore:
    """What a file carries to prove its signatures."""

    certificates: tuple[x509.Certificate, ...]
    lists: tuple[CertificateList, ...]
    answers: tuple[OCSPResponse, ...]


_read: WeakKeyDictionary[PdfFileReader, ValidationStore | None] = WeakKeyDictionary()


def validation_store(reader: PdfFileReader) -> ValidationStore | None:
    """The validation data of a file in its last revision, ``None`` without any."""
    if reader not in _read:
        try:
            found = DocumentSecurityStore.read_dss(reader)
        except NoDSSFoundError:
            _read[reader] = None
        else:
            _read[reader] = ValidationStore(
                tuple(certificate(item.get_object().data) for item in found.certs.values()),
                tuple(revocation_list(item.get_object().data) for item in found.crls),
                tuple(answer(item.get_object().data) for item in found.ocsps),
            )
    return _read[reader]


def certificate(der: bytes) -> x509.Certificate:
    """A certificate of a file; not to be changed."""
    return _certificate(der) if len(der) <= LONGEST else x509.Certificate.load(der)


def revocation_list(der: bytes) -> CertificateList:
    """A CRL of a file; not to be changed."""
    return _list(der) if len(der) <= LONGEST else CertificateList.load(der)


def answer(der: bytes) -> OCSPResponse:
    """An OCSP response of a file; not to be changed."""
    return _answer(der) if len(der) <= LONGEST else OCSPResponse.load(der)


def check_decodes(kind: Kind, der: bytes) -> None:
    """Make sure that a piece is a value of a kind to its last byte.

    Raises:
        ValueError, TypeError: it is none.
    """
    if len(der) > LONGEST:
        _decode(kind.__name__, der)
    else:
        _decoded(kind.__name__, der)


def _decode(name: str, der: bytes) -> None:
    _KINDS[name].load(der, strict=True).native  # noqa: B018  (asn1crypto decodes when it is asked)


_decoded = lru_cache(maxsize=256)(_decode)


@lru_cache(maxsize=128)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.Certificate.load(der)


@lru_cache(maxsize=64)
def _list(der: bytes) -> CertificateList:
    return CertificateList.load(der)


@lru_cache(maxsize=128)
def _answer(der: bytes) -> OCSPResponse:
    return OCSPResponse.load(der)
