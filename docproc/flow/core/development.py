"""The development PKI stays where its service is reachable from one machine only, unless a setting says otherwise.

Its root, its passphrase and its time-stamping service are made by a command that anybody can run, and anybody who can
read the folder can seal. What it seals looks like a licence.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from docproc.errors import SetupError
from docproc.licence.devpki.own import is_own_key, own_roots
from docproc.settings import Settings

ALLOW = "DOCPROC_ALLOW_DEV_PKI=true"


@dataclass(frozen=True, slots=True)
class DevelopmentPart:
    """Something of the development PKI that a service uses."""

    name: str
    """``key``, ``TSA``, ``passphrase`` or ``root``."""
    detail: str
    remedy: str


def reachable(settings: Settings) -> str:
    """The setting by which others than this machine reach the service; empty where none does."""
    told = {
        f"DOCPROC_HOST={settings.host}": settings.host,
        f"DOCPROC_PUBLIC_URL={settings.public_url}": urlsplit(settings.public_url).hostname or "",
    }
    return next((name for name, host in told.items() if not _is_loopback(host)), "")


def development_parts(settings: Settings, *, sealing: bool = True) -> list[DevelopmentPart]:
    """What of the development PKI is used by a process that seals, or by one that only verifies."""
    roots = own_roots(settings.trust_dir)
    found = [_root(settings, roots)] if roots else []
    return [*_of_sealer(settings), *found] if sealing else found


def refuse_development(settings: Settings, *, sealing: bool = True) -> None:
    """Refuse to start with the development PKI where others reach the service and no setting allows it.

    Raises:
        SetupError: names what is used, by what others reach the service, and what to do.
    """
    where = reachable(settings)
    if settings.allow_dev_pki or not where:
        return
    found = development_parts(settings, sealing=sealing)
    if found:
        used = "; ".join(f"{part.detail}: {part.remedy}" for part in found)
        raise SetupError(
            f"others reach this service ({where}), and it uses the development PKI, so anybody can seal. {used}. "
            f"Where nobody relies on what is sealed, set {ALLOW}"
        )


def _of_sealer(settings: Settings) -> list[DevelopmentPart]:
    certs, secret = settings.certs_dir, settings.seal_passphrase.get_secret_value().encode()
    found = []
    if not settings.pkcs11_module:
        further = (*certs.glob("seal-*.p12"), *certs.glob("seal-*.pem"))
        names = dict.fromkeys((settings.seal_key, *sorted(path.name for path in further)))
        keys = [name for name in names if is_own_key(certs, name, secret)]
        if keys:
            told = f"the development PKI made the seal keys {', '.join(keys)} in {certs}"
            found.append(DevelopmentPart("key", told, "put the authority's own there, or set DOCPROC_PKCS11_MODULE"))
    if not settings.tsa_url and is_own_key(certs, "tsa.p12"):
        told = "time-stamps come from the development TSA in the process"
        found.append(DevelopmentPart("TSA", told, "set DOCPROC_TSA_URL to a time-stamping service"))
    if not settings.pkcs11_module and is_own_key(certs, "tsa.p12") and secret in (b"", _kept(settings)):
        told = f"the passphrase of the keys is the development PKI's, in {certs / 'passphrase'}"
        found.append(DevelopmentPart("passphrase", told, "set another in DOCPROC_SEAL_PASSPHRASE, and remove it"))
    return found


def _root(settings: Settings, roots: list[str]) -> DevelopmentPart:
    told = f"development roots are trusted: {', '.join(roots)} in {settings.trust_dir}"
    return DevelopmentPart("root", told, "remove them, and put the roots there that stand behind the authority's seals")


def _kept(settings: Settings) -> bytes:
    """The passphrase beside the keys."""
    try:
        return (settings.certs_dir / "passphrase").read_bytes()
    except OSError:
        return b""


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
