"""What signs here: pyHanko's signer, which also says what its key signs by. Nothing above knows where the key is."""

from __future__ import annotations

from asn1crypto import x509
from pyhanko.sign import signers

from docproc.errors import SetupError
from docproc.licence.keys.algorithms import key_algorithm


class Signer(signers.Signer):
    """A key with its certificate."""

    @property
    def algorithm(self) -> str:
        """What the key signs by, see :func:`docproc.licence.keys.algorithms.key_algorithm`."""
        return key_algorithm(self.certificate)

    @property
    def certificate(self) -> x509.Certificate:
        """The key's own certificate.

        Raises:
            SetupError: there is none.
        """
        if self.signing_cert is None:
            raise SetupError(
                "a seal key has no certificate beside it: run `docproc seal dev-pki`, or give the sealer one that has"
            )
        return self.signing_cert

    def close(self) -> None:
        """Let go of what holds the key; nothing to do for keys in memory."""
