"""Fetchers that fetch nothing, in the place of pyHanko's; see :mod:`docproc.licence.pki.offline`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from typing import Any

from asn1crypto import crl, ocsp, x509
from pyhanko_certvalidator.fetchers.api import CertificateFetcher, CRLFetcher, FetcherBackend, Fetchers, OCSPFetcher

_NOTHING: tuple[x509.Certificate, ...] = ()


class _NoAnswers(OCSPFetcher):
    async def fetch(self, cert: Any, authority: Any) -> ocsp.OCSPResponse:
        raise NotImplementedError("offline")

    def fetched_responses(self) -> Iterable[ocsp.OCSPResponse]:
        return ()

    def fetched_responses_for_cert(self, cert: Any) -> Iterable[ocsp.OCSPResponse]:
        return ()


class _NoLists(CRLFetcher):
    async def fetch(self, cert: Any, *, use_deltas: bool | None = None) -> Iterable[crl.CertificateList]:
        raise NotImplementedError("offline")

    def fetched_crls(self) -> Iterable[crl.CertificateList]:
        return ()

    def fetched_crls_for_cert(self, cert: Any) -> Iterable[crl.CertificateList]:
        return ()


class _NoCertificates(CertificateFetcher):
    async def fetch_cert_issuers(self, cert: Any) -> AsyncGenerator[x509.Certificate, None]:
        for nothing in _NOTHING:
            yield nothing

    async def fetch_crl_issuers(self, certificate_list: Any) -> AsyncGenerator[x509.Certificate, None]:
        for nothing in _NOTHING:
            yield nothing

    def fetched_certs(self) -> Iterable[x509.Certificate]:
        return ()


class AIOHttpFetcherBackend(FetcherBackend):
    """Named as the class for which it stands."""

    def get_fetchers(self) -> Fetchers:
        """Fetchers that find nothing, and fail where they are told to fetch."""
        return Fetchers(_NoAnswers(), _NoLists(), _NoCertificates())
