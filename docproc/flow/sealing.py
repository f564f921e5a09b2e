"""The sealer of this process: opens key, TSA and trust once, then renders, seals and verifies licence after licence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from docproc.assets import font
from docproc.domain import Licence
from docproc.errors import SealError, SetupError
from docproc.flow.context import utc_now
from docproc.flow.stages import SealLicence
from docproc.licence import art
from docproc.licence.custody import RegisteredSeal
from docproc.licence.keys import Signer, load_pkcs12, open_pkcs11
from docproc.licence.layout import load_layout
from docproc.licence.render import render
from docproc.licence.renew import renew
from docproc.licence.responder import DevPki
from docproc.licence.seal import seal
from docproc.licence.status_list import StatusList, make_status_list
from docproc.licence.trust import SealTrust, TrustList
from docproc.licence.tsa import HttpTimeStamper, TimeStamper
from docproc.licence.verify import verify
from docproc.matter import find_matter, load_catalogue
from docproc.settings import Settings

SEAL_FILE = "seal-rsa.p12"
SEAL_FONT = "NotoSerifCJKsc-Regular"
DEV_FILING, DEV_DIAMETER = "样例-开发印章", 42.0
OTHER_KEY = "签章密钥与备案的印章不一致，请联系管理员"
NOT_VERIFIED = "签章后验证未通过，请联系管理员"


@dataclass(frozen=True, slots=True)
class Sealer:
    """An opened key and what it does; calling it seals a licence."""

    seal_licence: SealLicence
    signer: Signer

    def __call__(self, licence: Licence, registered: RegisteredSeal, at: datetime) -> bytes:
        """Render, seal and verify a licence."""
        return self.seal_licence(licence, registered, at)

    def sign_status(self, content: StatusList) -> str:
        """Sign the list of licences that are not in force."""
        return make_status_list(content, self.signer)


def open_sealer(settings: Settings) -> Sealer:
    """Open the seal named in the settings.

    The key signs only for a registered seal whose certificate is its own, with the art that is registered.

    Raises:
        SetupError: key, certificates or fonts are missing.
        SealUnavailableError: the token is out of reach.
    """
    signer = _signer(settings)
    timestamper, trust = _services(settings)
    known = TrustList.from_folder(settings.trust_dir)
    own = hashlib.sha256(signer.signing_cert.dump()).hexdigest() if signer.signing_cert else ""

    def seal_licence(licence: Licence, registered: RegisteredSeal, at: datetime) -> bytes:
        if registered.certificate_sha256 != own:
            raise SealError(f"the key here is not that of seal {registered.name}", message_zh=OTHER_KEY)
        layout = load_layout(find_matter(licence.matter).licence.layout)
        drawn = registered.drawing()
        reason = f"签发{licence.title} {licence.number}"
        plain = render(licence, layout)
        sealed = seal(plain, signer, timestamper, trust, place=layout.seal, art=drawn, reason=reason, at=at)
        report = verify(sealed, known, utc_now(), None)
        if not report.ok:
            problem = f"the sealed file does not verify: {report.indication} {report.sub_indication}"
            raise SealError(problem, message_zh=NOT_VERIFIED)
        return sealed

    return Sealer(seal_licence, signer)


def open_renewer(settings: Settings) -> Callable[[bytes, datetime], bytes]:
    """What gives a file a fresh archive time-stamp; needs the TSA, not the seal key.

    Raises:
        SetupError: certificates are missing.
    """
    timestamper, trust = _services(settings)
    return lambda pdf, at: renew(pdf, timestamper, trust, at=at)


def development_seals(settings: Settings) -> list[RegisteredSeal]:
    """The seal of the development PKI under each name that the matters use; none where the key is a real one."""
    if settings.pkcs11_module or not (settings.certs_dir / "urls.json").exists():
        return []
    signer = _signer(settings)
    own = signer.signing_cert
    if own is None:
        raise SetupError(f"the development seal has no certificate: delete {settings.certs_dir} and make it again")
    subject = own.subject.native
    owner, code = str(subject["organization_name"]), str(subject["organization_identifier"])
    chain = (own.dump(), *(item.dump() for item in signer.cert_registry if item.dump() != own.dump()))
    wanted: dict[str, set[str]] = {}
    for matter in load_catalogue().values():
        wanted.setdefault(matter.licence.seal, set()).add(matter.licence.kind)
    drawn = art.draw(owner, font(SEAL_FONT), diameter=DEV_DIAMETER)
    return [
        RegisteredSeal(
            name=name,
            owner=owner,
            owner_code=code,
            kind="official",
            filing_number=DEV_FILING,
            certificates=chain,
            diameter=DEV_DIAMETER,
            art=drawn.compressed(),
            licence_kinds=tuple(sorted(kinds)),
            valid_from=own.not_valid_before,
            valid_to=own.not_valid_after,
        )
        for name, kinds in wanted.items()
    ]


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
