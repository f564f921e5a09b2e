"""The credit code of the issuing authority: from the settings, or that of the development PKI for its own seals."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from docproc.errors import SetupError
from docproc.licence.devpki.own import is_own_key, is_own_trust
from docproc.licence.devpki.pki import AUTHORITY_CODE
from docproc.settings import Settings

_MISSING = (
    "DOCPROC_AUTHORITY_CODE is empty and the seal key is not that of the development PKI: "
    "set it to the unified social credit code of the issuing authority"
)


def authority_code(settings: Settings) -> str:
    """The credit code that goes onto licences, notices and status lists.

    The test code is used only with a seal of the development PKI, so that it never reaches a real licence.

    Raises:
        SetupError: the settings name none, and the seal key is another one.
    """
    if settings.authority_code:
        return settings.authority_code
    if settings.pkcs11_module:
        raise SetupError(_MISSING)
    passphrase = settings.seal_passphrase.get_secret_value()
    return _development_code(settings.certs_dir, settings.seal_key, settings.trust_dir, passphrase)


def own_code(settings: Settings) -> str:
    """The same where a code is not needed to go on; empty where none is known."""
    try:
        return authority_code(settings)
    except SetupError:
        return ""


@lru_cache(maxsize=8)
def _development_code(certs: Path, key: str, trust: Path, passphrase: str) -> str:
    """The test code where the seal key is the development PKI's; kept, because opening a key file takes milliseconds.

    Only the sealer sees the key. A process that does not see it goes by the trust folder: where nothing but development
    roots is trusted, a seal by another key would not verify and would never be given out.
    """
    own = is_own_key(certs, key, passphrase.encode()) if (certs / key).is_file() else is_own_trust(trust)
    if not own:
        raise SetupError(_MISSING)
    return AUTHORITY_CODE
