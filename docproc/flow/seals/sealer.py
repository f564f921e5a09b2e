"""The sealer of this process: opens key, TSA and trust once, then renders, seals and verifies licence after licence."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from docproc.assets.paths import font
from docproc.domain import Licence
from docproc.errors import InputError, SealError, SealPinError, SealUnavailableError, SetupError
from docproc.flow.core.context import utc_now
from docproc.flow.core.development import refuse_development
from docproc.flow.core.stages import SealLicence
from docproc.flow.seals.new_seal import check_record
from docproc.licence.devpki.responder import DevPki
from docproc.licence.devpki.sm2_pki import MAKER
from docproc.licence.keys.algorithms import SM2
from docproc.licence.keys.keys import load_pkcs12
from docproc.licence.keys.signer import Signer
from docproc.licence.keys.sm2_signer import Sm2Signer, load_sm2
from docproc.licence.page import art, notice
from docproc.licence.page.layout import SealPlace, load_layout
from docproc.licence.page.record import NOTICE
from docproc.licence.page.render import render
from docproc.licence.pki.trust import SealTrust, TrustList
from docproc.licence.pki.tsa import HttpTimeStamper, TimeStamper
from docproc.licence.seal.registered_seal import RegisteredSeal
from docproc.licence.seal.renew import renew
from docproc.licence.seal.seal import PlacedSeal, seal
from docproc.licence.seal.seal_object import make_seal_object
from docproc.licence.seal.status_list import StatusList, make_status_list
from docproc.licence.verify.verify import verify
from docproc.matter.load import find_matter, load_catalogue
from docproc.settings import Settings

log = logging.getLogger(__name__)

SEAL_FONT = "NotoSerifCJKsc-Regular"
DEV_FILING, DEV_DIAMETER = "SAMPLE-{}", 42.0
BAD_RECORD = "电子印章数据（GB/T 38540）与备案不符，不能签章，请联系管理员"
OTHER_KEY = "签章密钥与备案的印章不一致，请联系管理员"
NO_PLACE = "证照版面没有联合签章的位置，请联系管理员"
NOT_VERIFIED = "签章后验证未通过，请联系管理员"


@dataclass(frozen=True, slots=True)
class Sealer:
    """An opened key and what it does; calling it seals a licence."""

    seal_licence: SealLicence
    signer: Signer
    """Signs statements, such as the status list; never an SM2 key."""

    def __call__(self, licence: Licence, registered: Sequence[RegisteredSeal], at: datetime) -> bytes:
        """Render, seal and verify a licence; the first seal is the issuing authority's, whose key this is."""
        return self.seal_licence(licence, registered, at)

    def sign_status(self, content: StatusList) -> str:
        """Sign the list of licences that are not in force."""
        return make_status_list(content, self.signer)


def open_sealer(settings: Settings) -> Sealer:
    """Open the seal named in the settings.

    A key signs only for a registered seal whose certificate is its own, with the art that is registered: the registry
    says whether a licence is sealed by RSA, ECDSA or SM2.

    Raises:
        SetupError: key, certificates or fonts are missing.
        SealUnavailableError: the token is out of reach.
    """
    signer = _signer(settings)
    timestamper, trust = _services(settings)
    known = TrustList.from_folder(settings.trust_dir)
    keys = {_fingerprint(item): item for item in (signer, *_further_signers(settings))}
    opened = _Opened(keys, timestamper, trust, known)
    return Sealer(opened.seal_licence, _statement_key(signer, tuple(keys.values())))


@dataclass(frozen=True, slots=True)
class _Opened:
    """The keys of a sealer and what it needs beside them."""

    keys: Mapping[str, Signer]
    """By the SHA-256 of their certificates."""
    timestamper: TimeStamper
    trust: SealTrust
    known: TrustList

    def seal_licence(self, licence: Licence, registered: Sequence[RegisteredSeal], at: datetime) -> bytes:
        """Render, seal and verify a licence or a notice; raises SealError or SealUnavailableError."""
        own, *others = registered
        for item in registered:
            _check_record(item, self.known, at)
        key = self.keys.get(own.certificate_sha256)
        if key is None:
            raise SealError(f"no key here is that of seal {own.name}", message_zh=OTHER_KEY)
        if licence.kind == NOTICE:
            sealed = self._sealed_notice(licence, key, own, at)
        else:
            sealed = self._sealed_licence(licence, key, own, others, at)
        self._check_sealed(sealed)
        return sealed

    def _sealed_notice(self, record: Licence, key: Signer, own: RegisteredSeal, at: datetime) -> bytes:
        pdf, place = notice.render_notice(record, own.diameter)
        reason = f"出具{record.title} {record.number}"
        return seal(pdf, key, self.timestamper, self.trust, place=place, art=own.drawing(), reason=reason, at=at)

    def _sealed_licence(
        self, licence: Licence, key: Signer, own: RegisteredSeal, others: Sequence[RegisteredSeal], at: datetime
    ) -> bytes:
        layout = load_layout(find_matter(licence.matter).licence.layout)
        if len(others) > len(layout.co_seal):
            raise SealError(f"layout {layout.kind} has no place for {len(others)} further seals", message_zh=NO_PLACE)
        joint = [_co_seal(item, self.keys, place) for item, place in zip(others, layout.co_seal, strict=False)]
        return seal(
            render(licence, layout, own.drawing()),
            key,
            self.timestamper,
            self.trust,
            place=layout.seal,
            art=own.drawing(),
            reason=f"签发{licence.title} {licence.number}",
            at=at,
            joint=joint,
        )

    def _check_sealed(self, sealed: bytes) -> None:
        """Refuse a sealed file that does not verify."""
        report = verify(sealed, self.known, utc_now(), None)
        if not report.holds():
            problem = f"the sealed file does not verify: {report.indication} {report.sub_indication}"
            raise SealError(problem, message_zh=NOT_VERIFIED)


def _statement_key(own: Signer, others: Sequence[Signer]) -> Signer:
    """The seal's own key, or where that is SM2 another one of its owner: readers of statements know RSA and P-256.

    Raises:
        SetupError: there is none.
    """
    found = [item for item in (own, *others) if item.algorithm != SM2 and _owner(item) == _owner(own)]
    if not found:
        problem = f"status lists need an RSA or P-256 key of {_owner(own)[0]} beside its SM2 key"
        raise SetupError(f"{problem}: put one as seal-*.p12 into DOCPROC_CERTS_DIR")
    return found[0]


def _check_record(seal: RegisteredSeal, known: TrustList, at: datetime) -> None:
    """Compare a seal with its seal object at each use."""
    try:
        check_record(seal, known, at)
    except InputError as error:
        raise SealError(str(error), message_zh=BAD_RECORD, code="seal_object") from error


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
    own, joint = _signer(settings), _further_signers(settings)
    maker = _development_maker(settings)
    wanted: dict[str, set[str]] = {}
    further: dict[tuple[str, str, str], set[str]] = {}
    for matter in load_catalogue().values():
        wanted.setdefault(matter.licence.seal, set()).update({matter.licence.kind, NOTICE})
        for item in matter.licence.co_seals:
            further.setdefault((item.seal, item.authority, item.authority_code), set()).add(matter.licence.kind)
    found = [_development_seal(own, name, kinds, maker) for name, kinds in wanted.items()]
    for (name, authority, code), kinds in further.items():
        keys = [item for item in joint if _owner(item) == (authority, code)]
        found += [_development_seal(keys[0], name, kinds, maker)] if keys else []
    return found


def _owner(signer: Signer) -> tuple[str, str]:
    """Name and credit code of the authority in a seal's certificate."""
    subject = signer.certificate.subject.native
    return str(subject["organization_name"]), str(subject.get("organization_identifier", ""))


def _development_maker(settings: Settings) -> Sm2Signer | None:
    """Who makes the seal objects of development seals; ``None`` beside a PKI that was made before there was one."""
    path = settings.certs_dir / f"{MAKER}.pem"
    if not path.exists():
        log.warning("%s is missing, so the development seals get no seal object: run `docproc seal dev-pki`", path)
        return None
    return load_sm2(path, _passphrase(settings))


def _development_seal(signer: Signer, name: str, kinds: set[str], maker: Sm2Signer | None) -> RegisteredSeal:
    owner, code = _owner(signer)
    own = signer.certificate
    chain = (own.dump(), *(item.dump() for item in signer.cert_registry if item.dump() != own.dump()))
    drawn = art.draw(owner, font(SEAL_FONT), diameter=DEV_DIAMETER)
    seal = RegisteredSeal(
        name=name,
        owner=owner,
        owner_code=code,
        kind="official",
        filing_number=DEV_FILING.format(code),
        certificates=chain,
        diameter=DEV_DIAMETER,
        art=drawn.compressed(),
        licence_kinds=tuple(sorted(kinds)),
        valid_from=own.not_valid_before,
        valid_to=own.not_valid_after,
    )
    return replace(seal, record=make_seal_object(seal, maker, utc_now())) if maker is not None else seal


def _signer(settings: Settings) -> Signer:
    return _open(settings, settings.pkcs11_key.split(",")[0] if settings.pkcs11_module else settings.seal_key)


def _further_signers(settings: Settings) -> list[Signer]:
    """Further keys at hand, of joint seals too: those of the token, or the other key files beside the seal's own.

    One that cannot be opened is left out with a warning: only the licences that need it wait.

    Raises:
        SealPinError: the token refuses the PIN, which is the same for all of its keys.
    """
    if settings.pkcs11_module:
        names = settings.pkcs11_key.split(",")[1:]
    else:
        files = (*settings.certs_dir.glob("seal-*.p12"), *settings.certs_dir.glob("seal-*.pem"))
        names = sorted(path.name for path in files if path.name != settings.seal_key)
    found = []
    for name in names:
        try:
            found.append(_open(settings, name))
        except SealPinError:
            raise
        except (SealError, SetupError) as error:
            log.warning("a further seal key is left out: %s", error)
    return found


def _open(settings: Settings, name: str) -> Signer:
    """Open a key by its label on the token, or by its file."""
    if settings.pkcs11_module:
        from docproc.licence.keys.pkcs11 import open_pkcs11  # loads a library that others need not have

        return open_pkcs11(
            Path(settings.pkcs11_module),
            settings.pkcs11_token,
            name,
            settings.pkcs11_pin.get_secret_value(),
            TrustList.from_folder(settings.trust_dir).intermediates,
        )
    open_file = load_sm2 if name.endswith(".pem") else load_pkcs12
    return open_file(settings.certs_dir / name, _passphrase(settings))


def _passphrase(settings: Settings) -> bytes:
    return settings.seal_passphrase.get_secret_value().encode() or DevPki(settings.certs_dir).passphrase


def _co_seal(registered: RegisteredSeal, keys: Mapping[str, Signer], place: SealPlace) -> PlacedSeal:
    key = keys.get(registered.certificate_sha256)
    if key is None:
        problem = f"no key of seal {registered.name} is at hand: give it to the sealer"
        raise SealUnavailableError(problem, message_zh=f"{registered.owner}的印章密钥暂不可用，等待联合签章")
    return PlacedSeal(key, place, registered.drawing())


def _fingerprint(signer: Signer) -> str:
    return hashlib.sha256(signer.certificate.dump()).hexdigest()


def _services(settings: Settings) -> tuple[TimeStamper, SealTrust]:
    """The TSA and the source of revocation information: over the network, or inside this process for development.

    Raises:
        SetupError: they, or the keys, are of the development PKI, which may not be used here.
    """
    refuse_development(settings)
    if settings.tsa_url:
        known = TrustList.from_folder(settings.trust_dir)
        folder = settings.trust_dir  # read at each use: whoever keeps the CRLs there replaces them while we run
        trust = SealTrust(
            known.roots, known.intermediates, lists=lambda at: TrustList.from_folder(folder).evidence.crls
        )
        return HttpTimeStamper(settings.tsa_url), trust
    pki = DevPki(settings.certs_dir)
    return pki.timestamper(utc_now), pki.seal_trust()
