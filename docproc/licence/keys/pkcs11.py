"""Seal keys on a PKCS#11 token that may go away and come back.

It loads a library that not every machine has: import it only where a token is used.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from pathlib import Path
from threading import Lock

import pkcs11
from asn1crypto import x509
from pkcs11 import Attribute, ObjectClass
from pkcs11.exceptions import PinExpired, PinIncorrect, PinInvalid, PinLenRange, PinLocked, PKCS11Error
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

from docproc.errors import SealError, SealKeyUnavailableError, SealPinError, SetupError
from docproc.licence.keys.signer import Signer

log = logging.getLogger(__name__)

_REFUSALS = (PinIncorrect, PinLocked, PinExpired, PinInvalid, PinLenRange)
_LOCKED_ZH = "密码机已锁定（PIN 输错次数过多），已停止尝试；请管理员解锁并更正口令后重启签章服务，办件仍在排队"
_refused: dict[tuple[str, str, str], SealPinError] = {}
"""By module, token and PIN, as long as this process lives: who sets the PIN right restarts the sealer."""
_opening = Lock()


class TokenSigner(PKCS11Signer, Signer):
    """pyHanko's signer; when the token is gone, its key is reported as out of reach."""

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign on the token.

        Raises:
            SealKeyUnavailableError: the token does not sign any more; open it again.
        """
        try:
            return bytes(await super().async_sign_raw(data, digest_algorithm, dry_run))
        except PKCS11Error as error:
            raise SealKeyUnavailableError(f"the token does not sign ({type(error).__name__}): check it") from error

    def close(self) -> None:
        """Log out, if the token is still there."""
        with contextlib.suppress(PKCS11Error):
            self.pkcs11_session.close()


def open_pkcs11(
    module: Path, token_label: str, key_label: str, pin: str, chain: tuple[x509.Certificate, ...] = ()
) -> TokenSigner:
    """Open a key on a PKCS#11 token; the key itself never leaves the token.

    The certificate is taken from the token under the same label as the key.
    EC keys are signed as raw ECDSA over a hash made here, because many tokens
    (SoftHSM2 among them) do not offer hash-and-sign for EC.

    Raises:
        SetupError: the module cannot be loaded.
        SealPinError: the token refuses the PIN, or did before.
        SealKeyUnavailableError: token not present, or it refuses to open a session.
        SealError: no such key or certificate on the token.
    """
    if not module.is_file():
        raise SetupError(f"PKCS#11 module {module} is missing: install the token's driver or softhsm2")
    session = _open_session(module, token_label, pin)
    try:
        certificate = _certificate(session, key_label)
        signer = TokenSigner(
            session,
            key_label=key_label,
            signing_cert=certificate,
            ca_chain=set(chain),
            embed_roots=False,
            other_certs_to_pull=(),
            use_raw_mechanism=certificate.public_key.algorithm == "ec",
        )
        asyncio.run(PKCS11Signer.ensure_objects_loaded(signer))
    except Exception as error:
        session.close()
        if isinstance(error, SealError):
            raise
        raise SealError(f"key {key_label!r} on token {token_label!r} cannot be used: {error}") from error
    return signer


def _open_session(module: Path, token_label: str, pin: str) -> pkcs11.Session:
    """Log in to a token; a library that lost it is started afresh once.

    A PIN that the token refused is not shown to it again by this process: every wrong one brings a token nearer to
    locking itself.

    Raises:
        SealPinError: the token refuses the PIN, or did before.
        SealKeyUnavailableError: the token is not there, or it refuses otherwise.
    """
    asked = (str(module), token_label, pin)
    with _opening:  # two jobs at once must not try a wrong PIN twice
        if asked in _refused:
            raise SealPinError(str(_refused[asked]), message_zh=_refused[asked].message_zh)
        try:
            return _log_in(*asked)
        except _REFUSALS as error:
            told = f"token {token_label!r} refuses the PIN ({type(error).__name__}): set DOCPROC_PKCS11_PIN right"
            shown = _LOCKED_ZH if isinstance(error, PinLocked) else SealPinError.message_zh
            _refused[asked] = SealPinError(f"{told} and restart the sealer; it is not tried again", message_zh=shown)
            log.error("%s", _refused[asked])
            raise _refused[asked] from error
        except PKCS11Error as error:
            reason = type(error).__name__
            raise SealKeyUnavailableError(f"token {token_label!r} cannot be opened ({reason}): check it") from error


def _log_in(module: str, token_label: str, pin: str) -> pkcs11.Session:
    criteria = TokenCriteria(label=token_label)
    try:
        return open_pkcs11_session(module, token_criteria=criteria, user_pin=pin)
    except _REFUSALS:
        raise
    except PKCS11Error:
        pass  # the library may know only the token that was there before: sessions of it are lost anyway
    pkcs11.lib(module).reinitialize()
    return open_pkcs11_session(module, token_criteria=criteria, user_pin=pin)


def _certificate(session: pkcs11.Session, label: str) -> x509.Certificate:
    found = list(session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.LABEL: label}))
    if len(found) != 1:
        raise SealError(f"token holds {len(found)} certificates labelled {label!r}; exactly one is needed")
    return x509.Certificate.load(found[0][Attribute.VALUE])
