"""The validation data of a file (its /DSS), read once for each file and decoded once for each piece.

Decoding says nothing about a piece: whether it is genuine and proves anything is asked anew for every file. Licences
that one authority seals within an hour carry the same certificates, CRLs and OCSP responses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from asn1crypto import x509
from asn1crypto.crl import CertificateList
from asn1crypto.ocsp import OCSPResponse
from cryptography import x509 as pyca
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import ocsp as pyca_ocsp
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError

Kind = type[x509.Certificate] | type[CertificateList] | type[OCSPResponse]
_STRICT: dict[Kind, Callable[[bytes], object]] = {
    x509.Certificate: lambda der: pyca.load_der_x509_certificate(der).extensions,
    CertificateList: lambda der: pyca.load_der_x509_crl(der).extensions,
    OCSPResponse: lambda der: pyca_ocsp.load_der_ocsp_response(der).responses,
}
_NOT_KNOWN = (
    *(ValueError, TypeError, UserWarning),
    *(UnsupportedAlgorithm, pyca.DuplicateExtension, pyca.UnsupportedGeneralNameType),
)
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
    return _decoded(x509.Certificate, der)


def revocation_list(der: bytes) -> CertificateList:
    """A CRL of a file; not to be changed."""
    return _decoded(CertificateList, der)


def answer(der: bytes) -> OCSPResponse:
    """An OCSP response of a file; not to be changed."""
    return _decoded(OCSPResponse, der)


def check_decodes(kind: Kind, der: bytes) -> None:
    """Make sure that a piece is a value of a kind to its last byte.

    cryptography decodes strictly and in microseconds; what it does not know asn1crypto may, ten times slower.

    Raises:
        ValueError, TypeError: it is none.
    """
    try:
        _STRICT[kind](der)
    except _NOT_KNOWN:
        kind.load(der, strict=True).native  # noqa: B018  (asn1crypto decodes when it is asked)


def _decoded(kind: Any, der: bytes) -> Any:
    return _kept(kind, der) if len(der) <= LONGEST else kind.load(der)


@lru_cache(maxsize=256)
def _kept(kind: Any, der: bytes) -> Any:
    return kind.load(der)
