"""Time-stamping (RFC 3161): a TSA inside this process, a client for one over HTTP, and a check of its clock."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import httpx
from asn1crypto import algos, cms, core, tsp, x509
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.timestamps.common_utils import TimestampRequestError
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.path import ValidationPath

from docproc.errors import SealUnavailableError
from docproc.licence.keys.keys import KeySigner
from docproc.licence.pki.fast_token import InfoTemplate, TokenTemplate, cut_info, cut_token

__all__ = ["HttpTimeStamper", "LocalTimeStamper", "TimeStamper", "TimelyTimeStamper", "TsaError"]

POLICY = "1.3.6.1.4.1.32473.1.1"
"""Policy of the development TSA, under the enterprise number that RFC 5612 reserves for documentation."""
CLOCK_GAP = timedelta(minutes=5)
"""Most that the clocks of a TSA and of this machine may differ; a verifier allows as much."""
_DIGEST_BYTES = {"sha256": 32, "sha384": 48, "sha512": 64}


class LocalTimeStamper(TimeStamper):
    """A TSA that signs with a key in this process: for development and for a service that runs its own TSA.

    ``clock`` gives the time that is attested; it must return an aware datetime.
    """

    def __init__(self, key: KeySigner, clock: Callable[[], datetime]) -> None:
        TimeStamper.__init__(self, include_nonce=True)
        self._signer = key
        self._clock = clock
        self._templates: tuple[InfoTemplate, TokenTemplate] | None = None

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Answer a request.

        Raises:
            TimestampRequestError: the hash is weak, unknown or of the wrong length.
        """
        imprint = req["message_imprint"]
        digest = imprint["hash_algorithm"]["algorithm"].native
        if _DIGEST_BYTES.get(digest) != len(imprint["hashed_message"].native):
            raise TimestampRequestError(f"hash {digest} is not accepted")
        nonce = b"" if req["nonce"].native is None else bytes(req["nonce"].dump())
        token = await self._stamp(bytes(imprint.dump()), nonce)
        return tsp.TimeStampResp({"status": tsp.PKIStatusInfo({"status": "granted"}), "time_stamp_token": token})

    def answer(self, request: bytes) -> bytes:
        """Answer an encoded request with an encoded response, as an HTTP server needs it.

        Raises:
            ValueError: the request is not a TimeStampReq.
        """
        req = tsp.TimeStampReq.load(request, strict=True)
        try:
            return bytes(asyncio.run(self.async_request_tsa_response(req)).dump())
        except TimestampRequestError:
            status = tsp.PKIStatusInfo({"status": "rejection", "fail_info": {"bad_alg"}}).dump()
            # a sequence of the status alone; asn1crypto can only build one that holds a token too
            return bytes([0x30, len(status)]) + bytes(status)

    async def _stamp(self, imprint: bytes, nonce: bytes) -> cms.ContentInfo:
        """A token over an imprint, with the nonce of the request; both DER."""
        if self._templates is None:
            info = self._info(imprint)
            self._templates = cut_info(info), cut_token(await self._token(info))
        info_template, template = self._templates
        info = info_template.said(imprint, secrets.randbits(63), self._clock(), nonce)
        signature = await self._signer.async_sign_raw(template.signed(info), "sha256")
        return cms.ContentInfo.load(template.assemble(info, signature))

    def _info(self, imprint: bytes) -> bytes:
        """What a token says; number, time and nonce are those of the first."""
        certificate: x509.Certificate = self._signer.signing_cert
        fields = {
            "version": "v1",
            "policy": POLICY,
            "message_imprint": tsp.MessageImprint.load(imprint),
            "serial_number": secrets.randbits(63),
            "gen_time": self._clock().replace(microsecond=0),
            "accuracy": {"seconds": 1},
            "tsa": x509.GeneralName(name="directory_name", value=certificate.subject),
        }
        return bytes(tsp.TSTInfo(fields).dump())

    async def _token(self, info: bytes) -> cms.ContentInfo:
        """A token built from objects: what later ones are cut from."""
        certificate: x509.Certificate = self._signer.signing_cert
        attributes = cms.CMSAttributes(
            [
                simple_cms_attribute("content_type", "tst_info"),
                simple_cms_attribute("signing_certificate_v2", as_signing_certificate_v2(certificate)),
                simple_cms_attribute("message_digest", hashlib.sha256(info).digest()),
            ]
        )
        signature = await self._signer.async_sign_raw(attributes.untag().dump(), "sha256")
        algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                {"issuer_and_serial_number": {"issuer": certificate.issuer, "serial_number": certificate.serial_number}}
            ),
            "digest_algorithm": algorithm,
            "signature_algorithm": self._signer.get_signature_mechanism_for_digest("sha256"),
            "signed_attrs": attributes,
            "signature": signature,
        }
        chain = [item for item in self._signer.cert_registry if not item.self_issued]
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [algorithm],
                "encap_content_info": {"content_type": "tst_info", "content": core.ParsableOctetString(info)},
                "certificates": [certificate, *chain],
                "signer_infos": [signer],
            }
        )
        return cms.ContentInfo({"content_type": "signed_data", "content": signed})


class TsaError(OSError):
    """A time-stamping service does not answer, or answers nonsense."""


class HttpTimeStamper(TimeStamper):
    """Asks a TSA over HTTP; ``timeout`` in seconds bounds connecting and each wait for bytes."""

    def __init__(self, url: str, timeout: float = 5.0) -> None:
        TimeStamper.__init__(self, include_nonce=True)
        self.url = url
        self.timeout = timeout

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Post the request.

        Raises:
            TsaError: no answer, an HTTP error, or an answer that is no time-stamp response.
        """
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        try:
            async with httpx.AsyncClient(timeout=self.timeout) as client:
                answer = await client.post(self.url, content=req.dump(), headers=headers)
                answer.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TsaError(f"time-stamping service {self.url}: {error or type(error).__name__}") from error
        if not answer.headers.get("Content-Type", "").startswith("application/timestamp-reply"):
            raise TsaError(f"{self.url} did not answer with a time-stamp")
        try:
            response = tsp.TimeStampResp.load(answer.content, strict=True)
            response["status"].native  # noqa: B018  (asn1crypto parses lazily)
        except ValueError as error:
            raise TsaError(f"{self.url} refused to time-stamp or answered nonsense") from error
        return response


class TimelyTimeStamper(TimeStamper):
    """Wraps a time-stamper and checks that it attests a given moment, within :data:`CLOCK_GAP`.

    Where they differ, one of the two clocks is wrong. A seal that is dated before its certificate began, or after a
    revocation that nobody knows of yet, would be found out years later.
    """

    def __init__(self, inner: TimeStamper, at: datetime) -> None:
        TimeStamper.__init__(self, include_nonce=inner.include_nonce)
        self._inner = inner
        self._at = at

    @property
    def service(self) -> TimeStamper:
        """The wrapped one, which outlives a seal."""
        return self._inner

    async def certificates(self) -> frozenset[bytes]:
        """Each certificate that the service was seen to sign with, DER; asks it once in a process."""
        await self._inner._ensure_dummy()
        return frozenset(item.dump() for item in self._inner._certs.values())

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """Forward a request.

        Raises:
            SealUnavailableError: the clocks differ, and nothing is sealed until one is set right; or the TSA has a new
                certificate, about which no proof was gathered yet: the next attempt knows it.
        """
        token = await self._inner.async_timestamp(message_digest, md_algorithm)
        known = self._inner._certs
        before = set(known)
        self._inner._register_dummy(md_algorithm, token)
        if before and set(known) != before:
            raise SealUnavailableError("the time-stamping service has a new certificate: trying again with it")
        told: datetime = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
        if abs(told - self._at) > CLOCK_GAP:
            raise SealUnavailableError(
                f"the time-stamping service says {told:%F %T}, this machine {self._at:%F %T} UTC: set the wrong clock",
                message_zh="时间戳服务的时间与本机时间相差超过5分钟，请管理员校准时钟，系统将自动重试",
            )
        return token

    async def async_dummy_response(self, md_algorithm: str) -> cms.ContentInfo:
        """That of the wrapped one, which asks for it once in a process and not once a seal."""
        return await self._inner.async_dummy_response(md_algorithm)

    async def validation_paths(self, validation_context: ValidationContext) -> AsyncIterator[ValidationPath]:
        """Those of the wrapped one."""
        async for path in self._inner.validation_paths(validation_context):
            yield path
