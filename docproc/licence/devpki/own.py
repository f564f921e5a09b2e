"""Whether a seal key, or everything in a trust folder, is of a development PKI."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from docproc.licence.devpki.pki import CA_NAME, ROOT_NAME, SM2_CA_NAME, SM2_ROOT_NAME

_SUFFIXES = {".crt", ".cer", ".pem", ".der"}


def is_own_key(folder: Path, name: str, passphrase: bytes = b"") -> bool:
    """Whether a development CA issued the certificate of a key file: PKCS#12, or PEM with an SM2 key.

    Without a passphrase, the one beside the file is tried. A file that cannot be opened is not the PKI's own.
    """
    try:
        data = (folder / name).read_bytes()
        if name.endswith(".pem"):
            own: x509.Certificate | None = x509.load_pem_x509_certificates(data)[0]
        else:
            opened = passphrase or (folder / "passphrase").read_bytes()
            own = pkcs12.load_key_and_certificates(data, opened)[1]
    except (OSError, ValueError, UnsupportedAlgorithm):
        return False
    return own is not None and _common_name(own.issuer) in (CA_NAME, SM2_CA_NAME)


def own_roots(folder: Path) -> list[str]:
    """Names of the files of a trust folder that hold a development PKI's root."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            held = _certificates(path.read_bytes()) if path.suffix.lower() in _SUFFIXES else []
        except (OSError, ValueError):
            continue  # not a certificate, or not for this process to read
        roots = (item for item in held if item.issuer == item.subject)
        if any(_common_name(item.subject) in (ROOT_NAME, SM2_ROOT_NAME) for item in roots):
            found.append(path.name)
    return found


def is_own_trust(folder: Path) -> bool:
    """Whether every root in a trust folder is a development PKI's, and there is one."""
    try:
        files = [path.read_bytes() for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES]
        found = [item for data in files for item in _certificates(data)]
    except (OSError, ValueError):
        return False
    roots = [item for item in found if item.issuer == item.subject]
    return bool(roots) and all(_common_name(item.subject) in (ROOT_NAME, SM2_ROOT_NAME) for item in roots)


def _certificates(data: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN" in data:
        return x509.load_pem_x509_certificates(data)
    return [x509.load_der_x509_certificate(data)]


def _common_name(name: x509.Name) -> str:
    return "".join(str(item.value) for item in name.get_attributes_for_oid(NameOID.COMMON_NAME))
