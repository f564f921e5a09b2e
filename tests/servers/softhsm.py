"""A SoftHSM2 token with a seal on it, made in a process of its own: the library reads its configuration once.

``python -m tests.servers.softhsm FOLDER PKI NAME``
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from asn1crypto import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from tests.servers.processes import absent

TOKEN, PIN = "docproc-test", "135790"
MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")


class Token:
    """A token in a folder; it can be taken away and put back."""

    def __init__(self, folder: Path, pki: Path, name: str) -> None:
        self.folder, self.module = folder, find_module()
        (folder / "tokens").mkdir(parents=True)
        (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        self.env = {"SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
        command = [sys.executable, "-m", "tests.servers.softhsm", str(folder), str(pki), name]
        subprocess.run(command, env={**os.environ, **self.env}, check=True, capture_output=True)

    def take_away(self) -> None:
        """As when a cable is pulled."""
        (self.folder / "tokens").rename(self.folder / "elsewhere")

    def put_back(self) -> None:
        """The same token, keys and all."""
        (self.folder / "elsewhere").rename(self.folder / "tokens")


def find_module() -> Path:
    """The library of SoftHSM2, beside its program ``softhsm2-util``; no test where they are missing."""
    found = next((Path(path) for path in MODULES if Path(path).is_file()), None)
    if found is None or shutil.which("softhsm2-util") is None:
        absent("SoftHSM2", "scripts/servers softhsm")
    return found


def _main(folder: Path, pki: Path, name: str) -> None:
    module = find_module()
    util = ["softhsm2-util", "--module", str(module)]
    subprocess.run([*util, "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", PIN], check=True)
    secret = (pki / "passphrase").read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates((pki / f"{name}.p12").read_bytes(), secret)
    assert key is not None and certificate is not None
    pem = folder / "key.pem"
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    subprocess.run(
        [*util, "--import", str(pem), "--token", TOKEN, "--label", name, "--id", "01", "--pin", PIN], check=True
    )
    pem.unlink()
    store_certificate(module, name, b"\x01", certificate.public_bytes(Encoding.DER))


def store_certificate(module: Path, label: str, identity: bytes, der: bytes) -> None:
    """Put a certificate beside its key."""
    import pkcs11
    from pkcs11 import Attribute, CertificateType, ObjectClass

    parsed = x509.Certificate.load(der)
    token = pkcs11.lib(str(module)).get_token(token_label=TOKEN)
    with token.open(rw=True, user_pin=PIN) as session:
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.CERTIFICATE,
                Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
                Attribute.TOKEN: True,
                Attribute.LABEL: label,
                Attribute.ID: identity,
                Attribute.SUBJECT: parsed.subject.dump(),
                Attribute.ISSUER: parsed.issuer.dump(),
                Attribute.SERIAL_NUMBER: parsed["tbs_certificate"]["serial_number"].dump(),
                Attribute.VALUE: der,
            }
        )


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
