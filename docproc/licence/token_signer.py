"""Signing on a PKCS#11 token that may go away and come back; loads the token's library, so import it late."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pkcs11
from pkcs11.exceptions import PinIncorrect, PKCS11Error
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session

from docproc.errors import SealKeyUnavailableError


class TokenSigner(PKCS11Signer):
    """pyHanko's signer, which says of a token that is gone that the key is out of reach."""

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        """Sign on the token.

        Raises:
            SealKeyUnavailableError: the token does not sign any more; open it again.
        """
        try:
            return bytes(await super().async_sign_raw(data, digest_algorithm, dry_run))
        except PKCS11Error as error:
            raise SealKeyUnavailableError(f"the token does not sign ({type(error).__name__}): check it") from error


def open_session(module: Path, token_label: str, pin: str) -> pkcs11.Session:
    """Log in to a token; a library that lost it is started afresh once.

    Raises:
        SealKeyUnavailableError: the token is not there, or it refuses.
    """
    criteria = TokenCriteria(label=token_label)
    try:
        return open_pkcs11_session(str(module), token_criteria=criteria, user_pin=pin)
    except PinIncorrect as error:  # never tried twice: a token locks itself after a few
        raise SealKeyUnavailableError(f"token {token_label!r} refuses the PIN: set the right one") from error
    except PKCS11Error:
        pass  # the library may know only the token that was there before: sessions of it are lost anyway
    try:
        pkcs11.lib(str(module)).reinitialize()
        return open_pkcs11_session(str(module), token_criteria=criteria, user_pin=pin)
    except PKCS11Error as error:
        reason = type(error).__name__
        raise SealKeyUnavailableError(
            f"token {token_label!r} cannot be opened ({reason}): check token and PIN"
        ) from error


def close_session(signer: PKCS11Signer) -> None:
    """Log out, if the token is still there."""
    with contextlib.suppress(PKCS11Error):
        signer.pkcs11_session.close()
