"""The sealer of this process: opens key, TSA and trust once, then renders, seals and verifies licence after licence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from docproc.assets import font
from docproc.domain import Licence
from docproc.errors import SealError
from docproc.flow.context import utc_now
from docproc.licence import art
from docproc.licence.keys import Signer, load_pkcs12, open_pkcs11
from docproc.licence.layout import load_layout
from docproc.licence.render import render
from docproc.licence.responder import DevPki
from docproc.licence.seal import seal
from docproc.licence.trust import SealTrust, TrustList
from docproc.licence.tsa import HttpTimeStamper, TimeStamper
from docproc.licence.verify import verify
from docproc.matter import find_matter
from docproc.settings import Settings

SEAL_FILE = "seal-rsa.p12"
SEAL_FONT = "NotoSerifCJKsc-Regular"
NOT_VERIFIED = "签章后验证未通过，请联系管理员"


def open_sealer(settings: Settings) -> Callable[[Licence, datetime], bytes]:
    """Open the seal named in the settings.

    Raises:
        SetupError: key, certificates or fonts are missing.
        SealUnavailableError: the token is out of reach.
    """
    signer = _signer(settings)
    timestamper, trust = _services(settings)
    known = TrustList.from_folder(settings.trust_dir)
    face = font(SEAL_FONT)

    def seal_licence(licence: Licence, at: datetime) -> bytes:
        layout = load_layout(find_matter(licence.matter).licence.layout)
        drawn = art.draw(licence.authority, face, diameter=layout.seal.diameter)
        reason = f"签发{licence.title} {licence.number}"
        plain = render(licence, layout)
        sealed = seal(plain, signer, timestamper, trust, place=layout.seal, art=drawn, reason=reason, at=at)
        report = verify(sealed, known, utc_now(), None)
        if not report.ok:
            problem = f"the sealed file does not verify: {report.indication} {report.sub_indication}"
            raise SealError(problem, message_zh=NOT_VERIFIED)
        return sealed

    return seal_licence


def _signer(settings: Settings) -> Signer:
    if settings.pkcs11_module:
        return open_pkcs11(
            Path(settings.pkcs11_module),
            settings.pkcs11_token,
            settings.pkcs11_key,
            settings.pkcs11_pin.get_secret_value(),
            TrustList.from_folder(settings.trust_dir).intermediates,
        )
    secret = settings.seal_passphrase.get_secret_value().encode()
    if not secret:
        return DevPki(settings.certs_dir).signer()
    return load_pkcs12(settings.certs_dir / SEAL_FILE, secret)


def _services(settings: Settings) -> tuple[TimeStamper, SealTrust]:
    """The TSA and the source of revocation information: over the network, or inside this process for development."""
    if settings.tsa_url:
        known = TrustList.from_folder(settings.trust_dir)
        return HttpTimeStamper(settings.tsa_url), SealTrust(known.roots, known.intermediates)
    pki = DevPki(settings.certs_dir)
    return pki.timestamper(utc_now), pki.seal_trust()
